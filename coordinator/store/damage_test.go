package store

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"ginnel/coordinator/commandtest"
	"ginnel/network"
	"ginnel/platform/dbfile"
)

// TestBehaviour61DamagedBook: a book that was spoilt is an error that says what
// and which, never an empty book, and stays as it is.
func TestBehaviour61DamagedBook(t *testing.T) {
	path, book := create(t, commandtest.New(1), t.TempDir(), "10.0.0.0/8")
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	for name, spoilt := range map[string][]byte{
		"empty":          nil,
		"one byte":       sound[:1],
		"one page":       sound[:page],
		"truncated":      sound[:len(sound)/2],
		"zeroed":         make([]byte, len(sound)),
		"content zeroed": append(bytes.Clone(sound[:2*page]), make([]byte, len(sound)-2*page)...),
		"garbage":        bytes.Repeat([]byte("\x17\xfeginnel\x00"), len(sound)/9),
	} {
		if err := os.WriteFile(path, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, _, err := Open(path)
		if !errors.Is(err, dbfile.ErrDamaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "left as it is") {
			t.Errorf("%s: error %v", name, err)
		}
		if err := Create(path, book, network.Change{}); err == nil {
			t.Errorf("%s: a new book took its place", name)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, spoilt) {
			t.Errorf("%s: the file was changed, %v", name, err)
		}
	}
}
