package dbfile_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"ginnel/platform/dbfile"
)

// open opens a database that the test closes at its end.
func open(t *testing.T, path string) *dbfile.DB {
	t.Helper()
	db, err := dbfile.Open(path, dbfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// add puts n records of size bytes each, in one transaction, under numbers
// from first on.
func add(db *dbfile.DB, first, n, size int) error {
	return db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("outer")).Bucket([]byte("inner"))
		for i := range n {
			if err := b.Put(fmt.Appendf(nil, "grow%06d", first+i), make([]byte, size)); err != nil {
				return err
			}
		}
		return nil
	})
}

// mappings returns the flags (proc(5), VmFlags) of this process's mappings of
// the file at path.
func mappings(t *testing.T, path string) (flags [][]string) {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ours := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) > 1 && strings.Count(fields[0], "-") == 1: // a range of addresses
			ours = fields[len(fields)-1] == path
		case ours && fields[0] == "VmFlags:":
			flags = append(flags, fields[1:])
		}
	}
	return flags
}

// checkMapping looks that path is mapped, and in such a way that the mapping
// cannot become writable: that is what jffs2 asks for.
func checkMapping(t *testing.T, path string) {
	t.Helper()
	all := mappings(t, path)
	if len(all) == 0 {
		t.Fatalf("%s is not mapped", path)
	}
	for _, flags := range all {
		for _, f := range flags {
			if f == "wr" || f == "mw" {
				t.Errorf("%s is mapped %q: jffs2 refuses what is or may become writable", path, flags)
			}
		}
	}
}

// checkLocked looks whether another description of the file can be locked.
func checkLocked(t *testing.T, path string, want bool) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if locked := errors.Is(err, unix.EWOULDBLOCK); locked != want {
		t.Errorf("locked: %v (%v), want %v", locked, err, want)
	}
}

// TestNothingWritableIsMapped: after opening, writing and growing far beyond
// the file, only what jffs2 allows is mapped, and the lock is held to the end.
func TestNothingWritableIsMapped(t *testing.T) {
	path := database(t, 1)
	db := open(t, path)
	for i := range 30 {
		checkMapping(t, path)
		checkLocked(t, path, true)
		if err := add(db, 10*i, 10, 3000); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	checkLocked(t, path, false)
	if left := mappings(t, path); len(left) > 0 {
		t.Errorf("still mapped: %q", left)
	}
	if n := count(t, open(t, path)); n != 301 {
		t.Errorf("%d records", n)
	}
}

// TestFileIsNoLongerThanNeeded: a mapping of many megabytes does not make the
// file as long.
func TestFileIsNoLongerThanNeeded(t *testing.T) {
	path := database(t, 1)
	db := open(t, path)
	for i := range 200 {
		if err := add(db, i, 1, 4000); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		var used int64
		db.View(func(tx *bbolt.Tx) error { used = tx.Size(); return nil })
		if spare := info.Size() - used; spare < 0 || spare > 64<<10 {
			t.Fatalf("after %d records the file has %d bytes, of which %d are in use", i+1, info.Size(), used)
		}
	}
}

// TestFull: what does not fit into the mapping is refused and changes nothing,
// and opening again gives room for it.
func TestFull(t *testing.T) {
	path := database(t, 1)
	db := open(t, path)
	const megabyte = 1 << 20
	n := 0
	var err error
	for ; n < 1000 && err == nil; n++ {
		err = add(db, n, 1, megabyte)
	}
	if !errors.Is(err, dbfile.ErrFull) || !strings.Contains(err.Error(), "32 MB") {
		t.Fatalf("error %v after %d MB, want ErrFull", err, n)
	}
	checkMapping(t, path)
	checkLocked(t, path, true)
	if have := count(t, db); have != n {
		t.Errorf("%d records, want %d", have, n)
	}
	if err := add(db, 5000, 1, 10); err != nil { // there is room for little
		t.Error(err)
	}
	db.Close()
	db = open(t, path)
	if err := add(db, n, 10, megabyte); err != nil {
		t.Errorf("opened again: %v", err)
	}
	if have := count(t, db); have != n+11 {
		t.Errorf("%d records, want %d", have, n+11)
	}
}

// TestOverlay is about what overlayfs does otherwise: it maps the file below,
// and copies it up when it is opened for writing.
func TestOverlay(t *testing.T) {
	dir := t.TempDir()
	mount := func() error {
		for _, d := range []string{"lower", "upper", "work", "merged"} {
			if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
				return err
			}
		}
		if err := dbfile.Create(filepath.Join(dir, "lower", "book"), fill(1)); err != nil {
			return err
		}
		options := fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", dir)
		return unix.Mount("overlay", filepath.Join(dir, "merged"), "overlay", 0, options)
	}
	inMountNamespace(t, mount, func() {
		path := filepath.Join(dir, "merged", "book")
		for round := range 2 {
			db, err := dbfile.Open(path, dbfile.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			checkLocked(t, path, true)
			if err := add(db, 10*round, 10, 5000); err != nil {
				t.Error(err)
			}
			if n := count(t, db); n != 11+10*round {
				t.Errorf("%d records", n)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
			checkLocked(t, path, false)
		}
	})
}
