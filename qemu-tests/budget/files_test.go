package budget_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"ginnel/netlab"
)

// kept is where a daemon keeps what lasts.
var kept = []string{"/var/lib/ginnel", "/etc/ginnel", "/etc/hosts"}

// files has a line for each file that m keeps: which one it is, its times and
// what is in it.
func (m *machine) files(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := m.Do(func() error {
		for _, root := range kept {
			err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
				if err != nil {
					return err
				}
				all[path], err = describe(path, d)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func describe(path string, d fs.DirEntry) (string, error) {
	info, err := d.Info()
	if err != nil {
		return "", err
	}
	var text []byte
	if !d.IsDir() {
		if text, err = os.ReadFile(path); err != nil {
			return "", err
		}
	}
	s := info.Sys().(*syscall.Stat_t)
	return fmt.Sprint(s.Ino, s.Mtim, s.Ctim, sha256.Sum256(text)), nil
}

// changed are the files that differ.
func changed(before, after map[string]string) []string {
	var paths []string
	for path := range maps.Keys(after) {
		if before[path] != after[path] {
			paths = append(paths, path)
		}
	}
	for path := range maps.Keys(before) {
		if _, there := after[path]; !there {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// writable are the regular files that a process could write to, as it has them
// open.
func writable(t *testing.T, p *netlab.Process) []string {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", p.PID())
	open, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, fd := range open {
		link, err := os.Lstat(filepath.Join(dir, fd.Name()))
		path, err2 := os.Readlink(filepath.Join(dir, fd.Name()))
		if err != nil || err2 != nil {
			continue // closed meanwhile
		}
		if link.Mode()&0o200 != 0 && strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "/dev/") {
			paths = append(paths, path)
		}
	}
	return paths
}
