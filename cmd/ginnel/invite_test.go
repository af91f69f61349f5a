package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ginnel/wire"
)

// TestInvite: the token alone is printed, so that it can be piped.
func TestInvite(t *testing.T) {
	m := newAdmin(t)
	began := time.Now()
	r := m.run("peer", "invite", "gus", "--cidr", "phones", "--expires", "2d")
	inv, err := wire.ParseInvitation(r.out)
	if r.status != exitOK || err != nil || strings.Count(r.out, "\n") != 1 {
		t.Fatalf("%+v: %v", r, err)
	}
	if life := inv.Expires.Sub(began); inv.Name != "gus" || life < 48*time.Hour-time.Minute || life > 48*time.Hour+time.Minute {
		t.Errorf("invitation is for %s and expires in %v", inv.Name, life)
	}
	if want := "invited gus as 10.42.2.3 in phones; the invitation is good for 2d\n"; r.err != want {
		t.Errorf("says %q, want %q", r.err, want)
	}
	if r := m.run("peer", "invite", "hal", "--address", "10.42.2.77"); !strings.HasSuffix(r.err, "good for 14d\n") {
		t.Errorf("says %q", r.err)
	}
}

// TestInviteToFile: the file is new, private, and what join reads.
func TestInviteToFile(t *testing.T) {
	m := newAdmin(t)
	path := filepath.Join(t.TempDir(), "gus.invitation")
	old := syscall.Umask(0)
	m.does("wrote the invitation to "+path+": `ginnel join "+path+"` on the new machine redeems it\n", "peer", "invite", "gus", "--cidr", "phones", "--output", path)
	syscall.Umask(old)
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode is %v, %v; want 0600", info.Mode(), err)
	}
	if inv, file, err := readInvitation(nil, path); err != nil || inv.Name != "gus" || file != path {
		t.Errorf("read %+v from %q, %v", inv, file, err)
	}
}

// TestBehaviour30NoHalfMadePeer: where the token cannot be written there is
// neither a peer nor a new file.
func TestBehaviour30NoHalfMadePeer(t *testing.T) {
	m := newAdmin(t)
	dir := t.TempDir()
	exists := filepath.Join(dir, "exists")
	if err := os.WriteFile(exists, []byte("mine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	before := m.net.Book().Revision()
	m.refuses(exitFailed, []string{exists, "exists already and is not overwritten"}, "peer", "invite", "gus", "--cidr", "phones", "-o", exists)
	m.refuses(exitFailed, []string{"make the invitation's file"}, "peer", "invite", "gus", "--cidr", "phones", "-o", filepath.Join(dir, "no", "such"))
	m.refuses(exitFailed, []string{"make the invitation's file"}, "peer", "invite", "gus", "--cidr", "phones", "-o", filepath.Join(exists, "x"))
	refused := filepath.Join(dir, "refused")
	m.refuses(exitFailed, []string{"bob"}, "peer", "invite", "bob", "--cidr", "phones", "-o", refused)
	if _, err := os.Lstat(refused); !os.IsNotExist(err) {
		t.Errorf("a refused invitation left its file: %v", err)
	}
	if text, err := os.ReadFile(exists); err != nil || string(text) != "mine\n" {
		t.Errorf("the existing file is %q, %v", text, err)
	}
	if after := m.net.Book().Revision(); after != before {
		t.Errorf("revision is %d, was %d", after, before)
	}
}

// TestFullDiskRevokes: a token that does not fit is revoked, and its name and
// address are free again.
func TestFullDiskRevokes(t *testing.T) {
	dir := fullDisk(t)
	m := newAdmin(t)
	args := []string{"peer", "invite", "gus", "--cidr", "phones"}
	path := filepath.Join(dir, "gus.invitation")
	m.refuses(exitFailed, []string{"write the invitation", "no space left on device", "the invitation is revoked"}, append(args, "-o", path)...)
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	if _, exists := m.net.Book().PeerNamed("gus"); exists {
		t.Error("the peer is still invited")
	}
	m.env.out = full{}
	m.refuses(exitFailed, []string{"print the result", "the invitation is revoked"}, args...)
	m.refuses(exitFailed, []string{"print the result", "the invitation is revoked"}, append(args, "--json")...)
	m.env.out = nil
	if r := m.run(args...); r.status != exitOK {
		t.Errorf("the name is not free: %s", r.err)
	}
}

// fullDisk mounts a file system that takes files and no content.
func fullDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestReadInvitation(t *testing.T) {
	m := newAdmin(t)
	token := strings.TrimSpace(m.run("peer", "invite", "gus", "--cidr", "phones").out)
	dir := t.TempDir()
	t.Chdir(dir)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("good", "\n "+token+" \r\n")
	write("empty", "")
	write("damaged", token[:len(token)-5]+"\n")
	write("ginnel1-anna", token) // a file that is called as tokens begin
	if err := os.Mkdir("folder", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, good := range []struct{ in, arg, file string }{
		{"", "good", "good"}, {"", "ginnel1-anna", "ginnel1-anna"}, {"", token, ""}, {"", strings.ToUpper(token), ""}, {token + "\n", "-", ""},
	} {
		inv, file, err := readInvitation(strings.NewReader(good.in), good.arg)
		if err != nil || inv.Name != "gus" || file != good.file {
			t.Errorf("%.20s: %v from %q, %v", good.arg, inv, file, err)
		}
	}
	for _, bad := range []struct{ in, arg, says string }{
		{"", "missing", "there is no file missing, and a token begins with \"ginnel1\""},
		{"", token[1:], "there is no file of that name"},
		{"", token[:len(token)-1], "not a whole invitation"},
		{"", "ginnel1", "not a whole invitation"},
		{"", "empty", "not a whole invitation"},
		{"", "damaged", "not a whole invitation"},
		{"", "folder", "is a directory"},
		{"", "-", "not a whole invitation"},
		{"nonsense", "-", "not a whole invitation"},
		{"", "", "there is no file"},
	} {
		_, _, err := readInvitation(strings.NewReader(bad.in), bad.arg)
		if err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%.20s: error is %v, want %q in it", bad.arg, err, bad.says)
		}
		if err != nil && strings.Contains(err.Error(), token[10:40]) {
			t.Errorf("%.20s: the error tells the token", bad.arg)
		}
	}
}
