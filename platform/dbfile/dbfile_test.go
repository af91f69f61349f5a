package dbfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"ginnel/platform"
	"ginnel/platform/dbfile"
)

// fill makes a bucket in a bucket with n records of 100 bytes.
func fill(n int) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		outer, err := tx.CreateBucket([]byte("outer"))
		if err != nil {
			return err
		}
		inner, err := outer.CreateBucket([]byte("inner"))
		if err != nil {
			return err
		}
		for i := range n {
			if err := inner.Put(fmt.Appendf(nil, "%06d", i), bytes.Repeat([]byte{byte(i)}, 100)); err != nil {
				return err
			}
		}
		return nil
	}
}

// database makes one with n records and returns its path.
func database(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "book")
	if err := dbfile.Create(path, fill(n)); err != nil {
		t.Fatal(err)
	}
	return path
}

func count(t *testing.T, db *dbfile.DB) int {
	t.Helper()
	n := 0
	err := db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("outer")).Bucket([]byte("inner")).ForEach(func(k, v []byte) error { n++; return nil })
	})
	if err != nil {
		t.Error(err)
	}
	return n
}

func TestCreateThenOpen(t *testing.T) {
	path := database(t, 1000)
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	checkAlone(t, path)
	for range 2 { // what was written is there when it is opened again
		db, err := dbfile.Open(path, dbfile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if n := count(t, db); n != 1000 {
			t.Errorf("%d records", n)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// checkAlone tells whether nothing but the file is in its directory.
func checkAlone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("directory has %v, %v", entries, err)
	}
}

func TestCreateNeverReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book")
	if err := os.WriteFile(path, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := dbfile.Create(path, fill(1))
	if !errors.Is(err, platform.ErrExist) || !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v", err)
	}
	if b, err := os.ReadFile(path); string(b) != "mine" || err != nil {
		t.Errorf("the file has become %q, %v", b, err)
	}
	checkAlone(t, path)
}

func TestCreateLeavesNothingWhenInitFails(t *testing.T) {
	dir := t.TempDir()
	want := errors.New("no")
	if err := dbfile.Create(filepath.Join(dir, "book"), func(*bbolt.Tx) error { return want }); !errors.Is(err, want) {
		t.Errorf("error %v", err)
	}
	if entries, err := os.ReadDir(dir); len(entries) != 0 || err != nil {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestOpenMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book")
	_, err := dbfile.Open(path, dbfile.Options{})
	if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, platform.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open made a file: %v", err)
	}
}

func TestOpenLocked(t *testing.T) {
	path := database(t, 1)
	db, err := dbfile.Open(path, dbfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = dbfile.Open(path, dbfile.Options{Wait: 100 * time.Millisecond})
	if !errors.Is(err, platform.ErrInUse) || !strings.Contains(err.Error(), "another ginnel") {
		t.Errorf("error %v", err)
	}
}

func TestOpenDirectory(t *testing.T) {
	if _, err := dbfile.Open(t.TempDir(), dbfile.Options{}); err == nil {
		t.Error("a directory was opened")
	}
}

// TestDamage spoils a database in every way we can tell, and looks that the
// file is reported and left as it is.
func TestDamage(t *testing.T) {
	page := os.Getpagesize()
	for _, c := range []struct {
		name, want string
		spoil      func(b []byte) []byte
	}{
		{"empty", "empty or cut short", func(b []byte) []byte { return nil }},
		{"a few bytes", "empty or cut short", func(b []byte) []byte { return b[:10] }},
		{"one page", "cut short", func(b []byte) []byte { return b[:page] }},
		{"half", "page", func(b []byte) []byte { return b[:len(b)/2] }},
		{"last page lost", "cut short", func(b []byte) []byte { return b[:len(b)-1] }},
		{"text", "not a database", func(b []byte) []byte { return bytes.Repeat([]byte("config "), 10000) }},
		{"zeros", "not a database", func(b []byte) []byte { return make([]byte, len(b)) }},
		{"other version", "another version", spoilMeta(20, 3)},
		{"torn meta pages", "torn", spoilMeta(40, 1)},
		{"other byte order", "other byte order", swap},
		{"lost pages", "page", func(b []byte) []byte { clear(b[2*page:]); return b }},
	} {
		path := database(t, 1000)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b = c.spoil(b)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = dbfile.Open(path, dbfile.Options{})
		if !errors.Is(err, dbfile.ErrDamaged) {
			t.Errorf("%s: error %v, want ErrDamaged", c.name, err)
			continue
		}
		for _, want := range []string{path, c.want, "left as it is"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", c.name, err, want)
			}
		}
		if strings.Contains(err.Error(), "runtime error") {
			t.Errorf("%s: %q is for programmers", c.name, err)
		}
		if after, err := os.ReadFile(path); !bytes.Equal(after, b) || err != nil {
			t.Errorf("%s: the file was changed, %v", c.name, err)
		}
		checkAlone(t, path)
	}
}

// spoilMeta writes into both meta pages, offset bytes into the page.
func spoilMeta(offset int, v byte) func([]byte) []byte {
	return func(b []byte) []byte {
		for _, at := range []int{0, os.Getpagesize()} {
			b[at+offset] = v
		}
		return b
	}
}

// swap gives the head the other byte order.
func swap(b []byte) []byte {
	for _, at := range []int{16, os.Getpagesize() + 16} {
		b[at], b[at+1], b[at+2], b[at+3] = b[at+3], b[at+2], b[at+1], b[at]
	}
	return b
}

// TestDamagedAnywhere loses blocks at random, as flash does: the database
// opens, where nobody needs them, or is reported; it never panics or faults.
func TestDamagedAnywhere(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	path := database(t, 3000)
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	reported := 0
	for range 300 {
		b := bytes.Clone(sound)
		at := random.IntN(len(b))
		for i := range b[at:min(at+1+random.IntN(5000), len(b))] {
			b[at+i] = byte(random.IntN(2) * random.IntN(256))
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := dbfile.Open(path, dbfile.Options{})
		switch {
		case err == nil:
			db.Close()
		case errors.Is(err, dbfile.ErrDamaged):
			reported++
		default:
			t.Fatalf("error %v", err)
		}
	}
	if reported == 0 {
		t.Error("no damage was noticed")
	}
}
