package dbfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/dbfile"
)

func TestEditFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf")
	for _, c := range []struct {
		content string
		perm    os.FileMode
	}{{"first", 0o600}, {"second", 0o666}, {"", 0o640}} {
		if err := writeFile(path, []byte(c.content), c.perm); err != nil {
			t.Fatal(err)
		}
		checkFile(t, path, c.content, c.perm)
		checkAlone(t, path)
	}
}

// writeFile gives a file a content, whatever it has.
func writeFile(path string, content []byte, perm os.FileMode) error {
	return dbfile.EditFile(path, perm, func([]byte) ([]byte, error) { return content, nil })
}

func checkFile(t *testing.T, path, content string, perm os.FileMode) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil || string(b) != content {
		t.Errorf("content %q, %v, want %q", b, err, content)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != perm {
		t.Errorf("mode %v, %v, want %v", info.Mode(), err, perm)
	}
}

// TestEditFileHere writes a path without a directory.
func TestEditFileHere(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := writeFile("conf", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	checkFile(t, "conf", "x", 0o600)
}

func TestEditFileReadersSeeOldOrNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf")
	if err := writeFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := writeFile(path, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	if n, err := reader.Read(b); string(b[:n]) != "old" || err != nil {
		t.Errorf("who had it open reads %q, %v", b[:n], err)
	}
}

func TestCreateFileNeverReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := dbfile.CreateFile(path, []byte("first"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := dbfile.CreateFile(path, []byte("second"), 0o644)
	if !errors.Is(err, fs.ErrExist) || !errors.Is(err, platform.ErrExist) {
		t.Errorf("error %v", err)
	}
	checkFile(t, path, "first", 0o600)
	checkAlone(t, path)
	dangling := filepath.Join(filepath.Dir(path), "dangling")
	if err := os.Symlink("nowhere", dangling); err != nil {
		t.Fatal(err)
	}
	if err := dbfile.CreateFile(dangling, nil, 0o600); !errors.Is(err, fs.ErrExist) || !strings.HasSuffix(err.Error(), dangling+" exists already") {
		t.Errorf("over a symbolic link: %v", err)
	}
}

func TestNoDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "conf")
	if err := writeFile(path, nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestEnsureDir(t *testing.T) {
	base := t.TempDir()
	path := filepath.Join(base, "var", "ginnel") + "/"
	for range 2 {
		if err := dbfile.EnsureDir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for p, want := range map[string]os.FileMode{path: 0o700, filepath.Join(base, "var"): 0o755} {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", p, info.Mode(), err, want)
		}
	}
	if err := os.Chmod(path, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := dbfile.EnsureDir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("mode of a directory that was there: %v, %v", info.Mode(), err)
	}
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := dbfile.EnsureDir(file, 0o700); err == nil {
		t.Error("a file was taken for a directory")
	}
}

// TestDiskFull runs on a file system of 32 kB: what was there stays, and
// nothing half-made is left.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	inMountNamespace(t, func() error { return unix.Mount("tiny", dir, "tmpfs", 0, "size=32k") }, func() {
		path := filepath.Join(dir, "conf")
		if err := writeFile(path, []byte("old"), 0o600); err != nil {
			t.Error(err)
			return
		}
		big := make([]byte, 64<<10)
		for name, err := range map[string]error{
			"EditFile":   writeFile(path, big, 0o600),
			"CreateFile": dbfile.CreateFile(filepath.Join(dir, "new"), big, 0o600),
			"Create":     dbfile.Create(filepath.Join(dir, "book"), fill(1000)),
		} {
			if !errors.Is(err, unix.ENOSPC) {
				t.Errorf("%s: error %v, want ENOSPC", name, err)
			}
		}
		checkFile(t, path, "old", 0o600)
		checkAlone(t, path)
	})
}

// inMountNamespace calls mount and then f on a thread with mounts of its own,
// which end with it.
func inMountNamespace(t *testing.T, mount func() error, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread is not used again
		err := unix.Unshare(unix.CLONE_NEWNS)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		if err == nil {
			err = mount()
		}
		if err != nil {
			t.Errorf("private mounts, which need root: %v", err)
			return
		}
		f()
	}()
	<-done
}

// TestEditsAreNotLost: of many at once each sees those before it.
func TestEditsAreNotLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf")
	var writing sync.WaitGroup
	for range 20 {
		writing.Go(func() {
			err := dbfile.EditFile(path, 0o600, func(old []byte) ([]byte, error) { return append(old, 'x'), nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	writing.Wait()
	checkFile(t, path, strings.Repeat("x", 20), 0o600)
}

// TestRefusedEdit changes nothing, and tells why in its own words.
func TestRefusedEdit(t *testing.T) {
	path, no := filepath.Join(t.TempDir(), "conf"), errors.New("no")
	if err := writeFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := dbfile.EditFile(path, 0o600, func([]byte) ([]byte, error) { return nil, no }); err != no {
		t.Errorf("error %v", err)
	}
	checkFile(t, path, "old", 0o600)
	checkAlone(t, path)
}

// TestLockedDirectory: whoever may open the directory may lock it, and keeps
// nobody from writing for long without a word.
func TestLockedDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf")
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := unix.Flock(int(d.Fd()), unix.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(path, nil, 0o600); err == nil || !strings.Contains(err.Error(), "another program has had it locked") {
		t.Errorf("error %v", err)
	}
}

// TestStaleFiles: what a killed writer left is removed by the next one, and
// nothing else is.
func TestStaleFiles(t *testing.T) {
	dir := t.TempDir()
	stay := []string{".conf.tmp-12x", ".conf2.tmp-12", "conf.tmp-12"}
	for _, name := range append([]string{".conf.tmp-12", ".conf.tmp-3"}, stay...) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := dbfile.CreateFile(filepath.Join(dir, "conf"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := append(stay, "conf"); !slices.Equal(slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values(want))) {
		t.Errorf("files are %q, want %q", names, want)
	}
}

// TestWritersWait: writers of the same file do not take each other for killed.
func TestWritersWait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf")
	var writing sync.WaitGroup
	for range 4 {
		writing.Go(func() {
			for range 50 {
				if err := writeFile(path, []byte("x"), 0o600); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	checkAlone(t, path)
}

// TestBehaviour68RootsFilesAreTheDaemons: what root makes belongs to the owner of its
// directory, and what is replaced keeps its owner; a file that root puts
// elsewhere stays root's.
func TestBehaviour68RootsFilesAreTheDaemons(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chown(dir, 12345, 23456); err != nil {
		t.Fatal(err)
	}
	owned := func(name string, make func(path string) error, uid, gid uint32) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil || st.Uid != uid || st.Gid != gid || st.Mode&0o777 != 0o600 {
			t.Errorf("%s is %d:%d's, mode %o (%v); want %d:%d, 600", name, st.Uid, st.Gid, st.Mode, err, uid, gid)
		}
	}
	write := func(path string) error { return writeFile(path, nil, 0o600) }
	owned("conf", write, 12345, 23456)
	if err := os.Chown(filepath.Join(dir, "conf"), 1, 2); err != nil {
		t.Fatal(err)
	}
	owned("conf", write, 1, 2)
	owned("book", func(path string) error { return dbfile.Create(path, func(*bbolt.Tx) error { return nil }) }, 12345, 23456)
	owned("backup", func(path string) error { return dbfile.CreateFile(path, nil, 0o600) }, 0, 0)
}
