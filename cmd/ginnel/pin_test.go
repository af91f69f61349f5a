package main

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"ginnel/daemon/local"
	"ginnel/key"
)

func pinKey(b byte) key.PublicKey { return key.NewPrivate([32]byte{1: b}).Public() }

// pinned returns a machine in two networks that are up and one that is down.
// In home bob's key is contradicted and somebody is gone; hub is in both.
func pinned(t *testing.T) *machine {
	m := newMachine(t)
	m.startDaemon()
	pin := func(address, name string, k byte) local.Pin {
		return local.Pin{Address: netip.MustParseAddr(address), Name: name, PublicKey: pinKey(k), InMap: name != ""}
	}
	bob := pin("10.42.1.2", "bob", 3)
	bob.Presented = pinKey(9)
	m.peers = map[string]*running{
		"home": {pins: []local.Pin{pin("10.42.0.1", "hub", 1), bob, pin("10.42.1.3", "", 4)}},
		"work": {pins: []local.Pin{pin("10.43.0.1", "hub", 5), pin("10.42.1.3", "dora", 6)}},
	}
	m.status.Networks = []local.Network{
		{Name: "home", State: local.Up, Peers: []local.Peer{}}, {Name: "work", State: local.Up, Peers: []local.Peer{}},
		{Name: "old", State: local.Down, Peers: []local.Peer{}},
	}
	return m
}

func TestPinList(t *testing.T) {
	m := pinned(t)
	r := m.run("pin", "list")
	if r.status != exitOK || r.err != "network old is down\n" {
		t.Errorf("%+v", r)
	}
	golden(t, "pins.golden", r.out)
	var got []networkPins
	m.json(&got, "pin", "list", "--network", "home")
	if len(got) != 1 || got[0].Network != "home" || !slices.Equal(got[0].Pins, m.peers["home"].pins) {
		t.Errorf("JSON is %+v", got)
	}
	m.peers["home"].pins = []local.Pin{}
	m.does("network home\n  no key is pinned: this machine keeps the book, which is the authority\n", "pin", "list", "-n", "home")
	m.refuses(exitFailed, []string{"network old is down: `ginnel up old` switches it on"}, "pin", "list", "-n", "old")
	m.refuses(exitFailed, []string{"there is no network away"}, "pin", "list", "-n", "away")
}

func TestPinForget(t *testing.T) {
	m := pinned(t)
	left := func(network string, want ...string) {
		t.Helper()
		var got []string
		for _, p := range m.peers[network].pins {
			got = append(got, p.Address.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has the pins of %q left, want %q", network, got, want)
		}
	}
	m.refuses(exitUsage, []string{"is pinned to the key " + pinKey(3).String(), "the coordinator presents " + pinKey(9).String(), "--yes"}, "pin", "forget", "bob")
	m.failed(m.runWith("n\n", true, "pin", "forget", "bob"), exitFailed, []string{"nothing was changed"}, []string{"pin forget"})
	left("home", "10.42.0.1", "10.42.1.2", "10.42.1.3")
	r := m.runWith("y\n", true, "pin", "forget", "10.42.1.2")
	if r.status != exitOK || r.out != "forgot the key of 10.42.1.2 (bob) in home: it is pinned to "+pinKey(9).String()+"\n" || m.peers["home"].taken != pinKey(9) {
		t.Errorf("%+v", r)
	}
	left("home", "10.42.0.1", "10.42.1.3")
	for _, word := range []string{"bob", "10.42.1.2", "10.9.9.9", "10.42.01.3"} {
		m.refuses(exitFailed, []string{"no key is pinned for " + word + ": `ginnel pin list`"}, "pin", "forget", word, "--yes")
	}
	m.refuses(exitUsage, []string{"there are 2 such pins", "10.42.0.1 (hub) in home, 10.43.0.1 (hub) in work"}, "pin", "forget", "hub", "--yes")
	m.refuses(exitUsage, []string{"10.42.1.3 in home, 10.42.1.3 (dora) in work"}, "pin", "forget", "10.42.1.3", "--yes")
	if r := m.run("pin", "forget", "10.42.1.3", "--yes", "--network", "work"); r.status != exitOK {
		t.Errorf("%+v", r)
	}
	left("home", "10.42.0.1", "10.42.1.3")
	left("work", "10.43.0.1")
	if k := m.peers["work"].taken; !k.IsZero() {
		t.Errorf("%s alone is taken where the coordinator presented nothing", k)
	}
}

// TestPinForgetAsks offers the pins, conflicts first.
func TestPinForgetAsks(t *testing.T) {
	m := pinned(t)
	r := m.runWith("1\ny\n", true, "pin", "forget")
	if r.status != exitOK || !strings.Contains(r.out, "10.42.1.2 (bob) in home") || !strings.Contains(r.err, "bob in home, conflict") {
		t.Errorf("%+v", r)
	}
}
