package dbfile_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"ginnel/platform"
	"ginnel/platform/dbfile"
)

// TestOpenCopy: the copy has what the file has, while somebody else writes, and
// what is done to it stays with it.
func TestOpenCopy(t *testing.T) {
	path := database(t, 10)
	db := open(t, path)
	stop, done := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				done <- n
				return
			default:
			}
			if err := add(db, n, 1, 500); err != nil {
				t.Error(err)
			}
		}
	}()
	last := 0
	for range 20 {
		c, err := dbfile.OpenCopy(path)
		if err != nil {
			t.Fatal(err)
		}
		n := count(t, c)
		if n < 10 || n < last {
			t.Errorf("a copy has %d records, the one before had %d", n, last)
		}
		last = n
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	want := 10 + <-done
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := dbfile.OpenCopy(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if n := count(t, c); n != want {
		t.Errorf("%d records, want %d", n, want)
	}
	if err := add(c, 900000, 5, 100); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("writing to the copy has changed the file, %v", err)
	}
}

func TestOpenCopyFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book")
	if _, err := dbfile.OpenCopy(path); !errors.Is(err, platform.ErrNotExist) {
		t.Errorf("missing: error %v", err)
	}
	if err := os.WriteFile(path, []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dbfile.OpenCopy(path); !errors.Is(err, dbfile.ErrDamaged) {
		t.Errorf("damaged: error %v", err)
	}
}
