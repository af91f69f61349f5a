package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ginnel/coordinator/store"
	"ginnel/daemon/config"
	"ginnel/daemon/state"
)

// newCoordinator returns a machine with the files of a network home.
func newCoordinator(t *testing.T) *machine {
	t.Helper()
	m := newMachine(t)
	if r := m.run(createHome...); r.status != exitOK {
		t.Fatalf("%+v", r)
	}
	return m
}

// TestBackupAndRestore: what one machine was, another one is.
func TestBackupAndRestore(t *testing.T) {
	old, file := newCoordinator(t), filepath.Join(t.TempDir(), "home.backup")
	old.does("backed up network home at revision 1 to "+file+": keep it secret\n", "backup", file)
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	m := newMachine(t)
	r := m.run("restore", file)
	if r.status != exitOK || r.out != "restored network home (10.42.0.0/16) with 1 peer; this machine is its coordinator, 10.42.0.1\n" ||
		!strings.HasPrefix(r.err, "home (10.42.0.0/16) as of revision 1: coordinator hub, 0 other peers, found at vpn.example.com:51820; ") ||
		!strings.Contains(r.err, "joined after the backup have to be invited again: give them addresses that were never used (`ginnel peer invite NAME --address ADDRESS`)") ||
		!strings.Contains(r.err, "not in effect yet: the daemon is not running") {
		t.Fatalf("%+v", r)
	}
	if got, want := m.tree(), old.tree(); !slices.Equal(got, want) {
		t.Errorf("files are %q, want %q", got, want)
	}
	sameCoordinator(t, m)
	was, is := filesOf(t, old), filesOf(t, m)
	if !is.id.PrivateKey.Equal(was.id.PrivateKey) {
		t.Error("the private key is another one: no peer would know this machine")
	}
	if is.config != was.config {
		t.Errorf("the configuration is\n%s\nwant\n%s", is.config, was.config)
	}
	if is.revision < was.revision+1_000_000 {
		t.Errorf("the book is at revision %d, the backup is of %d", is.revision, was.revision)
	}
}

// files is what a coordinator's files say.
type files struct {
	id       state.Identity
	revision uint64
	config   string
}

func filesOf(t *testing.T, m *machine) (f files) {
	t.Helper()
	id, err := state.Read(state.Path(m.env.paths.state, "home"))
	if err != nil {
		t.Fatal(err)
	}
	book, err := store.Read(m.env.paths.book("home"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := m.env.paths.configText()
	if err != nil {
		t.Fatal(err)
	}
	return files{id, book.Revision(), string(text)}
}

// TestBackupBesideTheDaemon: the files are open and locked, and the backup goes
// through a pipe.
func TestBackupBesideTheDaemon(t *testing.T) {
	old := newCoordinator(t)
	s, _, _, err := store.Open(old.env.paths.book("home"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	st, err := state.Open(state.Path(old.env.paths.state, "home"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	made := old.run("backup", "-")
	if made.status != exitOK || made.err != "" {
		t.Fatalf("%+v", made)
	}
	m := newMachine(t)
	r := m.runWith(made.out, false, "restore", "-", "--endpoint", "new.example.com:51820", "--listen-port", "4711")
	if r.status != exitOK || !strings.Contains(r.err, "`ginnel override set hub new.example.com:51820`") || !strings.Contains(r.err, "`ginnel override unset hub`") {
		t.Fatalf("%+v", r)
	}
	sameCoordinator(t, m)
	n, err := m.env.configured("home")
	if err != nil || n.Role != config.Coordinator || len(n.Endpoints) > 0 || n.ListenPort != 4711 {
		t.Errorf("%+v, %v", n, err)
	}
	book, err := store.Read(m.env.paths.book("home"))
	if err != nil || !reflect.DeepEqual(book.Endpoints(), []string{"new.example.com:51820"}) {
		t.Errorf("the book has the endpoints %v, %v", book.Endpoints(), err)
	}
}

func TestBackupRefused(t *testing.T) {
	m, file := newCoordinator(t), filepath.Join(t.TempDir(), "there")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.refuses(exitFailed, []string{file, "exists"}, "backup", file)
	if text, err := os.ReadFile(file); string(text) != "mine" || err != nil {
		t.Errorf("the file has become %q, %v", text, err)
	}
	m.refuses(exitFailed, []string{"not the coordinator"}, "backup", file, "--network", "work")
	m.env.screen = func() screen { return screen{terminal: true} }
	m.refuses(exitUsage, []string{"private key", "--yes"}, "backup", "-")
	if r := m.run("backup", "-", "--yes"); r.status != exitOK || r.out == "" {
		t.Errorf("%+v", r)
	}
	peer := newMachine(t)
	peer.configure("home", config.Peer)
	peer.refuses(exitFailed, []string{"not the coordinator"}, "backup", file)
}

func TestRestoreRefused(t *testing.T) {
	old, dir := newCoordinator(t), t.TempDir()
	file := filepath.Join(dir, "home.backup")
	old.run("backup", file)
	before := filesOf(t, old)
	old.refuses(exitFailed, []string{"there is a network home on this machine already"}, "restore", file)
	if after := filesOf(t, old); after.config != before.config || after.revision != before.revision {
		t.Error("a refused restore has changed something")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut")
	if err := os.WriteFile(cut, text[:len(text)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	m := newMachine(t)
	m.refuses(exitFailed, []string{cut, "cut short"}, "restore", cut)
	m.refuses(exitFailed, []string{"no such file"}, "restore", filepath.Join(dir, "missing"))
	m.refuses(exitUsage, []string{"--endpoint"}, "restore", file, "--endpoint", "nowhere")
	m.refuses(exitUsage, []string{"--endpoint", "cannot be reached from another network"}, "restore", file, "--endpoint", "127.0.0.1:51820")
	m.refuses(exitUsage, []string{"--listen-port"}, "restore", file, "--listen-port", "51819")
	m.refuses(exitFailed, []string{"inside the network itself"}, "restore", file, "--endpoint", "10.42.0.1:51820")
	if left := m.tree(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	peer := peerOf(t)
	peer.refuses(exitFailed, []string{"this machine is in a network home already", "to restore a backup of it, take the machine out first: `ginnel leave home`"}, "restore", file)
	m.run("network", "create", "work", "10.42.128.0/17", "--endpoint", "192.0.2.1:7", "--listen-port", "7")
	m.refuses(exitFailed, []string{"10.42."}, "restore", file)
}
