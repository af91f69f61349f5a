package dirlock_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ginnel/platform/dirlock"
)

// TestLock: one at a time, and who has to wait too long is told so.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	first, err := dirlock.Lock(dir, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	_, err = dirlock.Lock(dir, 50*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "another program has had it locked for 50ms") {
		t.Errorf("a second one: %v", err)
	}
	got := make(chan error)
	go func() {
		second, err := dirlock.Lock(dir, time.Minute)
		got <- errors.Join(err, second.Close())
	}()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Errorf("after the first let go: %v", err)
	}
}

func TestNoDirectory(t *testing.T) {
	if _, err := dirlock.Lock(filepath.Join(t.TempDir(), "missing"), time.Minute); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
