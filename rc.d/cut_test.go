package rcd

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ginnel/daemon/config"
)

// cuts are the places at which a power cut during an installation may leave a
// file's end: after each line, and within each.
func cuts(text string) (list []int) {
	for at, line := 0, ""; at < len(text); at += len(line) {
		line, _, _ = strings.Cut(text[at:], "\n")
		line += "\n"
		list = append(list, at, min(at+len(line)/2, len(text)))
	}
	return list
}

// others lists all that is not the service's own to write: paths, modes, owners
// and sizes.
func (w *world) others() string {
	w.Helper()
	own := map[string]bool{"etc/ginnel": true, "etc/config/ginnel": true, "var": true, "tmp": true, "procd": true, "asked": true, "seen": true, "dev": true, "etc/init.d/ginnel": true}
	var b strings.Builder
	w.ok(filepath.WalkDir(w.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, _ := filepath.Rel(w.root, path)
		if own[below] {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		of := info.Sys().(*syscall.Stat_t)
		size := info.Size()
		if d.IsDir() {
			size = 0 // a directory's is the file system's affair
		}
		fmt.Fprintln(&b, below, info.Mode(), of.Uid, of.Gid, size)
		return nil
	}))
	return b.String()
}

// TestInstallationCut: a script that was cut while it was installed does not
// keep a router from booting, and touches nothing that is not the service's.
// Installing the package again mends it.
func TestInstallationCut(t *testing.T) {
	whole, err := os.ReadFile("ginnel")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "ginnel")
	before := w.others()
	for _, cut := range cuts(string(whole)) {
		w.write("etc/init.d/ginnel", string(whole[:cut]))
		w.write("asked", "")
		for _, action := range []string{"boot", "reload", "stop"} {
			out, err := w.run(nil, "sh", "/etc/rc.common", "/etc/init.d/ginnel", action) // returns, whatever comes of it
			if err != nil && out == "" {
				t.Errorf("cut after %d bytes, %s fails without a word: %v", cut, action, err)
			}
		}
		if after := w.others(); after != before {
			t.Fatalf("cut after %d bytes it leaves\n%s\nwant\n%s", cut, after, before)
		}
	}
	w.copy("ginnel", "etc/init.d/ginnel", 0o755)
	if got := w.call("boot"); len(got) < 2 {
		t.Errorf("installed again it asks for %q", got)
	}
}

// TestConfigurationCut: the configuration of a package that was cut while it was
// installed is one without networks.
func TestConfigurationCut(t *testing.T) {
	whole, err := os.ReadFile("../openwrt/files/ginnel.config")
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) + 1 {
		if cfg, err := config.Parse("ginnel", whole[:cut]); err != nil || len(cfg.Networks) != 0 {
			t.Errorf("cut after %d bytes: %+v, %v", cut, cfg, err)
		}
	}
}
