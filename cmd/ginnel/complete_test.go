package main

import (
	"strings"
	"testing"
	"time"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/wire"
)

// completes checks what the last word of a line can become; a line that ends in
// a space has an empty one.
func (m *machine) completes(line, want string) {
	m.t.Helper()
	words := strings.Split(line, " ")
	r := m.runWith("", true, append([]string{"complete", "--"}, words...)...)
	var got []string
	for _, l := range strings.Split(strings.TrimSuffix(r.out, "\n"), "\n") {
		name, _, _ := strings.Cut(l, "\t")
		got = append(got, name)
	}
	if r.status != exitOK || r.err != "" || strings.Join(got, " ") != want {
		m.t.Errorf("%q becomes %q (%q), want %q", line, got, r.err, want)
	}
}

// TestBehaviour66Words: commands, options, their values, and the names that the
// coordinator and the daemon know.
func TestBehaviour66Words(t *testing.T) {
	m := newAdmin(t)
	m.does("made CIDR lab (10.42.3.0/24) in home\n", "cidr", "add", "lab", "10.42.3.0/24")
	for _, test := range []struct{ line, want string }{
		{"pe", "peer"},
		{"sta", "status"},
		{"comple", "completion"}, // not what scripts alone call
		{"x", ""},
		{"--v", "--version"},
		{"peer ren", "rename"},
		{"help cidr ren", "rename"},
		{"help cidr rename ", ""},
		{"peer rename ", "ann bob dan carl eve"},
		{"peer rename c", "carl"},
		{"peer rename carl ", ""},
		{"peer rename carl bert ", ""},
		{"peer enable ", "dan"},
		{"peer enable --net", "--network"},
		{"peer enable --network ", "home"},
		{"peer enable -n ", "home"},
		{"peer enable -n home ", "dan"},
		{"peer enable -nhome --network=home ", "dan"},
		{"peer enable --network=", "--network=home"},
		{"peer enable --network=w", ""},
		{"peer enable --nonsense=", ""},
		{"peer enable --nonsense x", ""},
		{"peer invite gus --cidr ", "home servers phones lab"},
		{"peer invite --cidr s", "servers"},
		{"peer invite --cidr=s", "--cidr=servers"},
		{"peer invite --output ", ":files"},
		{"peer invite -o ", ":files"},
		{"peer invite --output=x", ":files"},
		{"association add servers p", "phones"},
		{"cidr add attic 10.42.4", "10.42.4.0/24"},
		{"join ", ":files"},
		{"completion ", "bash zsh fish"},
		{"completion z", "zsh"},
		{"status ho", "home"},
		{"status --watch ho", "home"},
		{"status -- ", "home"},
		{"status --js", "--json"},
		{"status -- --js", ""},
		{"version ", ""},
	} {
		m.completes(test.line, test.want)
	}
	r := m.run("complete", "--", "peer", "rename", "a")
	if r.out != "ann\t10.42.1.1 in servers, active\n" {
		t.Errorf("what it is: %q", r.out)
	}
	r = m.run("complete", "--", "cid")
	if r.out != "cidr\tadd, list, rename, remove\n" {
		t.Errorf("what there is of a noun: %q", r.out)
	}
}

// TestBehaviour66WithoutCoordinator: who may not ask it has the names that his
// machine knows.
func TestBehaviour66WithoutCoordinator(t *testing.T) {
	m := newMachine(t)
	m.startDaemon()
	m.status = someStatus(time.Now().UTC(), plain4, "")
	m.completes("peer rename ", "hub ann bob carl dora eve fred")
	m.completes("peer invite --cidr ", "infra servers phones")
	m.completes("status f", "fresh")
	m.completes("peer rename --network fresh ", "")
	m.completes("peer rename --network home h", "hub")
	m.err = wire.Errorf(wire.StatusUnavailable, "the daemon is starting")
	m.completes("peer rename ", "")
}

// TestBehaviour66Silent: without a daemon nothing is said, and what needs none
// is there.
func TestBehaviour66Silent(t *testing.T) {
	m := newMachine(t)
	m.completes("peer rename ", "")
	m.completes("status ", "")
	m.configure("home", config.Peer)
	m.completes("status ", "home")
	m.completes("network remove ", "") // it coordinates none
	m.completes("peer dis", "disable")
	if r := m.run("complete"); r.status != exitOK || !strings.Contains(r.out, "status\t") {
		t.Errorf("no words: %+v", r)
	}
}

// TestHostileChoices: a name cannot be two choices, or more to a terminal.
func TestHostileChoices(t *testing.T) {
	m := newMachine(t)
	m.startDaemon()
	m.status.Networks = []local.Network{{Name: "a\x1b[2J\nb\tc", State: local.Up}}
	r := m.run("complete", "--", "up", "")
	if strings.Count(r.out, "\n") != 1 || strings.Count(r.out, "\t") != 1 || strings.Contains(r.out, "\x1b") {
		t.Errorf("%q", r.out)
	}
}

// TestHiddenIsHidden: what scripts alone call is in no list, but has help.
func TestHiddenIsHidden(t *testing.T) {
	m := newMachine(t)
	if r := m.run("help"); strings.Contains(r.out, "  complete ") {
		t.Error("complete is listed")
	}
	if r := m.run("complete", "--help"); r.status != exitOK || !strings.Contains(r.out, ":files") {
		t.Errorf("%+v", r)
	}
}

func TestCompletionScripts(t *testing.T) {
	m := newMachine(t)
	for shell := range scripts {
		if r := m.run("completion", shell); r.status != exitOK || r.out != scripts[shell] || !strings.Contains(r.out, "complete -- ") {
			t.Errorf("%s: %+v", shell, r)
		}
	}
	m.refuses(exitUsage, []string{`no script for "tcsh"`, "bash, zsh and fish"}, "completion", "tcsh")
}
