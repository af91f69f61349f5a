package machine

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// entry is a file of an archive, as its reader sees it.
type entry struct {
	name    string
	mode    uint32
	content string
}

// unpack reads a newc archive: headers of 6 and 13 times 8 characters, names
// and contents padded to four bytes.
func unpack(t *testing.T, b []byte) (all []entry) {
	t.Helper()
	at := 0
	take := func(n int) []byte {
		if at+n > len(b) {
			t.Fatalf("the archive ends within an entry, at %d", at)
		}
		at += n
		return b[at-n : at]
	}
	for {
		var inode, mode, uid, gid, links, mtime, size, a, b, c, d, name, check uint32
		header := string(take(110))
		if _, err := fmt.Sscanf(header, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
			&inode, &mode, &uid, &gid, &links, &mtime, &size, &a, &b, &c, &d, &name, &check); err != nil {
			t.Fatalf("at %d: header %q: %v", at, header, err)
		}
		e := entry{name: string(bytes.TrimRight(take(int(name)), "\x00")), mode: mode}
		take(-at & 3)
		e.content = string(take(int(size)))
		take(-at & 3)
		if e.name == "TRAILER!!!" {
			return all
		}
		all = append(all, e)
	}
}

func TestArchive(t *testing.T) {
	var out bytes.Buffer
	a := &archive{w: &out}
	a.dir("/var/lib")
	a.file("/var/lib/a", 0o755, []byte("12345"))
	a.file("b", 0o644, nil)
	a.link("/var/run", "/run")
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	want := []entry{
		{"var", 0o040755, ""}, {"var/lib", 0o040755, ""}, {"var/lib/a", 0o100755, "12345"}, {"b", 0o100644, ""}, {"var/run", 0o120777, "/run"},
	}
	if got := unpack(t, out.Bytes()); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

var errFull = errors.New("full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestArchiveOnFullDisk(t *testing.T) {
	a := &archive{w: fullDisk{}}
	a.file("a", 0o644, []byte("text"))
	if err := a.close(); !errors.Is(err, errFull) {
		t.Errorf("the error is %v", err)
	}
}
