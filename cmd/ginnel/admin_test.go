package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/network"
	"ginnel/wire"
)

// TestTables keeps what the lists look like.
func TestTables(t *testing.T) {
	m := newAdmin(t)
	m.does("made CIDR lab (10.42.3.0/24) in home\n", "cidr", "add", "lab", "10.42.3.0/24", "--isolated")
	m.does("associated servers and phones: their peers see each other\n", "association", "add", "servers", "phones")
	var all strings.Builder
	for _, line := range []string{"peer list", "cidr list", "cidr list --tree", "association list", "network list"} {
		r := m.run(strings.Fields(line)...)
		fmt.Fprintf(&all, "$ ginnel %s\n%s\n", line, r.out)
		if r.status != exitOK || r.err != "" {
			t.Errorf("%s: status %d, %q", line, r.status, r.err)
		}
	}
	golden(t, "tables.golden", all.String())
}

// TestJSON: --json prints the API's types and nothing else.
func TestJSON(t *testing.T) {
	m := newAdmin(t)
	var made wire.CIDRChange
	m.json(&made, "cidr", "add", "lab", "10.42.3.0/24")
	if want := (wire.CIDR{Name: "lab", Prefix: netip.MustParsePrefix("10.42.3.0/24"), Parent: "home"}); made.CIDR != want {
		t.Errorf("made %+v, want %+v", made.CIDR, want)
	}
	var joined wire.Association
	m.json(&joined, "association", "add", "lab", "phones")
	var peers []wire.Peer
	m.json(&peers, "peer", "list")
	var cidrs, tree []wire.CIDR
	m.json(&cidrs, "cidr", "list")
	m.json(&tree, "cidr", "list", "--tree")
	var associations []wire.Association
	m.json(&associations, "association", "list")
	var issued wire.InvitationIssued
	m.json(&issued, "peer", "invite", "gus", "--cidr", "lab", "--admin", "--expires", "1h")
	if joined != (wire.Association{"lab", "phones"}) || len(peers) != 6 || len(cidrs) != 5 || len(tree) != 5 || len(associations) != 1 {
		t.Errorf("%v, %d peers, %d and %d CIDRs, %d associations", joined, len(peers), len(cidrs), len(tree), len(associations))
	}
	if inv, err := wire.ParseInvitation(issued.Token); err != nil || inv.Name != "gus" || !issued.Peer.Admin {
		t.Errorf("issued %+v, %v", issued.Peer, err)
	}
}

// TestChanges: every command that changes something says so in one line, and
// the book has the change.
func TestChanges(t *testing.T) {
	m := newAdmin(t)
	m.does("renamed peer bob to bert\n", "peer", "rename", "bob", "bert")
	m.does("peer bert is disabled\n", "peer", "disable", "bert")
	m.does("peer dan is enabled\n", "peer", "enable", "dan")
	m.does("peer carl is an admin\n", "peer", "grant-admin", "carl")
	m.does("peer ann is not an admin any more\n", "peer", "revoke-admin", "ann")
	m.does("removed peer eve\n", "peer", "remove", "eve", "--yes")
	m.does("made CIDR lab (10.42.3.0/24) in home\n", "cidr", "add", "lab", "10.42.3.0/24")
	m.does("renamed CIDR lab to attic\n", "cidr", "rename", "lab", "attic")
	m.does("associated servers and attic: their peers see each other\n", "association", "add", "servers", "attic")
	m.does("attic and servers are not associated any more\n", "association", "remove", "attic", "servers")
	m.does("removed CIDR attic\n", "cidr", "remove", "attic")
	book := m.net.Book()
	bert, _ := book.PeerNamed("bert")
	dan, _ := book.PeerNamed("dan")
	carl, _ := book.PeerNamed("carl")
	ann, _ := book.PeerNamed("ann")
	if _, exists := book.PeerNamed("eve"); exists || bert == nil || !bert.Disabled || dan.Disabled || !carl.Admin || ann.Admin {
		t.Errorf("peers are %+v", book.Peers())
	}
	if _, exists := book.CIDRNamed("attic"); exists || len(book.Associations()) > 0 {
		t.Errorf("CIDRs are %+v", book.CIDRs())
	}
}

// TestRefused: what the coordinator refuses is said in its words, and changes
// nothing.
func TestRefused(t *testing.T) {
	m := newAdmin(t)
	before := m.net.Book().Revision()
	for _, test := range []struct{ line, says string }{
		{"cidr add servers 10.42.9.0/24", "servers"},
		{"cidr add lab 10.42.0.0/23", "10.42.0.0/23"},
		{"cidr add lab 10.42.1.0/24", "servers"},
		{"cidr add lab 10.43.0.0/24", "10.42.0.0/16"},
		{"cidr add lab 10.42.3.1/24", "did you mean 10.42.3.0/24?"},
		{"cidr add Lab 10.42.3.0/24", "lower-case"},
		{"cidr rename lab attic", "lab"},
		{"cidr remove servers", "servers"},
		{"cidr remove lab", "lab"},
		{"association add servers lab", "lab"},
		{"association remove servers phones", "servers"},
		{"peer invite bob --cidr phones", "bob"},
		{"peer invite gus --cidr lab", "lab"},
		{"peer invite gus --address 10.42.1.1", "10.42.1.1"},
		{"peer invite gus --cidr phones --expires 53w", "1 second to 365 days"},
		{"peer rename nobody x", "nobody"},
		{"peer rename bob ann", "ann"},
		{"peer disable hub", "hub"},
		{"peer revoke-admin nobody", "nobody"},
		{"peer enable nobody", "nobody"},
		{"peer remove hub --yes", "hub"},
		{"peer remove nobody --yes", "nobody"},
		{"peer list --network work", "there is no network work up on this machine"},
	} {
		m.refuses(exitFailed, []string{test.says}, strings.Fields(test.line)...)
	}
	if after := m.net.Book().Revision(); after != before {
		t.Errorf("revision is %d, was %d", after, before)
	}
}

// TestWhichNetwork: the network may be left out where there is one, and must
// be said where there are several.
func TestWhichNetwork(t *testing.T) {
	m := newAdmin(t)
	one := m.run("peer", "list")
	if named := m.run("peer", "list", "-n", "home"); one.status != exitOK || named != one {
		t.Errorf("%+v and %+v", one, named)
	}
	m.configure("work", config.Peer)
	m.status.Networks = append(m.status.Networks, local.Network{Name: "work"})
	several := []string{"several networks", "--network: home, work"}
	m.refuses(exitUsage, several, "peer", "list")
	m.refuses(exitUsage, several, "cidr", "remove", "lab")
	if named := m.run("peer", "list", "--network=home"); named != one {
		t.Errorf("%+v", named)
	}
	m.refuses(exitUsage, []string{"several networks: name the one that is meant: home, work"}, "leave", "--yes")
	must(t, os.Remove(m.env.paths.config)) // as good as unreadable, which it is to the group ginnel
	m.status.Networks = m.status.Networks[:1]
	if got := m.run("peer", "list"); got != one {
		t.Errorf("without the configuration: %+v", got)
	}
	none := newMachine(t)
	none.startDaemon()
	none.refuses(exitFailed, []string{"this machine is in no network", "`ginnel join`"}, "peer", "list")
}

// TestNoDaemon: commands that need the daemon say how to start it.
func TestNoDaemon(t *testing.T) {
	m := newMachine(t)
	m.configure("home", config.Peer)
	for _, line := range []string{"peer list", "cidr list", "status", "peer invite gus --cidr x", "association list"} {
		m.refuses(exitFailed, []string{"the daemon is not running: start it with"}, strings.Fields(line)...)
	}
}

// TestDamagedConfiguration: no command works on from a guess.
func TestDamagedConfiguration(t *testing.T) {
	m := newMachine(t)
	if err := os.MkdirAll(filepath.Dir(m.env.paths.config), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.env.paths.config, []byte("config network 'home'\n\toption colour 'red'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"network list", "up", "down home", "leave home --yes", "network remove home --yes", "network create x 10.0.0.0/8 --endpoint a:1"} {
		m.refuses(exitFailed, []string{"ginnel.conf:2", "colour"}, strings.Fields(line)...)
	}
}

// TestAddCIDRAsks: who loses sight of whom is shown first, and needs a yes.
func TestAddCIDRAsks(t *testing.T) {
	args := []string{"cidr", "add", "few", "10.42.1.0/31"} // ann alone leaves servers
	const lost = "ann and bob will not see each other any more\n"
	const question = "Make CIDR few around them?"
	m := newAdmin(t)
	m.refuses(exitUsage, []string{lost, question, "there is no terminal", "--yes"}, args...)
	for _, answer := range []string{"n\n", "\n", "", "no\n", "yess\n", "y"} {
		m.failed(m.runWith(answer, true, args...), exitFailed, []string{lost, question + " [y/N] ", "nothing was changed"}, args)
	}
	if _, exists := m.net.Book().CIDRNamed("few"); exists {
		t.Fatal("the CIDR was made without a yes")
	}
	for _, answer := range []string{"y\n", "YES\n"} {
		m := newAdmin(t)
		if r := m.runWith(answer, true, args...); r.status != exitOK || r.out != "made CIDR few (10.42.1.0/31) in servers\n" {
			t.Errorf("%q: %+v", answer, r)
		}
	}
	var change wire.CIDRChange
	m.json(&change, append(args, "--yes")...)
	if !reflect.DeepEqual(change.Lost, []wire.NamePair{{"ann", "bob"}}) || change.CIDR.Peers != 1 {
		t.Errorf("change is %+v", change)
	}
}

// TestAddCIDRAround: whom a CIDR takes in is said before, since it cannot be
// undone, also where nobody loses sight of anybody. A terminal is asked.
func TestAddCIDRAround(t *testing.T) {
	const moved = "desks has 3 peers from now on, and can be removed only when it has none: ann bob dan\n"
	args := []string{"cidr", "add", "desks", "10.42.1.0/28"}
	m := newAdmin(t)
	m.failed(m.runWith("\n", true, args...), exitFailed, []string{moved, "Make CIDR desks around them? [y/N] ", "nothing was changed"}, args)
	r := m.run(args...)
	if r.status != exitOK || r.err != moved {
		t.Errorf("%+v", r)
	}
	m.refuses(exitFailed, []string{"still has 3 peers"}, "cidr", "remove", "desks")
	if r := m.run("cidr", "add", "empty", "10.42.3.0/24"); r.status != exitOK || r.err != "" {
		t.Errorf("%+v", r)
	}
	for i := range 2 * mostPairs {
		m.net.Join(fmt.Sprintf("peer-%d", i), "phones")
	}
	r = m.run("cidr", "add", "half", "10.42.2.0/26")
	if r.status != exitOK || !strings.HasPrefix(r.err, "half has 42 peers from now on") || !strings.HasSuffix(r.err, " ...\n") || strings.Count(r.err, "peer-") != mostPairs-2 {
		t.Errorf("%+v", r)
	}
}

// TestManyPairs: a person is not shown thousands of lines.
func TestManyPairs(t *testing.T) {
	m := newAdmin(t)
	for i := range 50 {
		m.net.Join(fmt.Sprintf("peer-%d", i), "servers")
	}
	r := m.run("cidr", "add", "few", "10.42.1.0/31", "--yes")
	if lines := strings.Count(r.err, "\n"); r.status != exitOK || lines != mostPairs+2 || !strings.Contains(r.err, "and 31 pairs more will not see each other any more\n") {
		t.Errorf("%d lines: %s", lines, r.err)
	}
}

// TestDissociationAsks: as a CIDR that parts peers does.
func TestDissociationAsks(t *testing.T) {
	m := newAdmin(t)
	m.net.MustDo(network.Associate{A: "servers", B: "phones"})
	before := m.net.Book().Revision()
	m.refuses(exitUsage, []string{"bob and carl will not see each other any more", "--yes"}, "association", "remove", "servers", "phones")
	if m.net.Book().Revision() != before {
		t.Error("the association is gone")
	}
	m.does("servers and phones are not associated any more\n", "association", "remove", "servers", "phones", "--yes")
}

func TestRemovePeerAsks(t *testing.T) {
	m := newAdmin(t)
	address := m.net.Address("bob")
	m.refuses(exitUsage, []string{"Remove peer bob for good?", "--yes"}, "peer", "remove", "bob")
	m.failed(m.runWith("n\n", true, "peer", "remove", "bob"), exitFailed, []string{"nothing was changed"}, nil)
	r := m.runWith("y\n", true, "peer", "remove", "bob", "--free-address")
	if r.status != exitOK || r.out != "removed peer bob\n" || !strings.Contains(r.err, "until `ginnel pin forget` there") {
		t.Errorf("%+v", r)
	}
	m.does("removed peer ann\n", "peer", "remove", "ann", "-y")
	if r := m.run("peer", "invite", "new", "--address", address.String()); r.status != exitOK {
		t.Errorf("the freed address is refused: %s", r.err)
	}
	m.refuses(exitFailed, []string{"retired"}, "peer", "invite", "newer", "--address", "10.42.1.1")
}
