package main

import (
	"strings"
	"testing"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/wire"
)

// TestBehaviour50FetchAll: without an argument all networks that are up are
// fetched; one that fails does not keep the others from it, and is told.
func TestBehaviour50FetchAll(t *testing.T) {
	m := pinned(t)
	m.peers["home"].err = wire.Errorf(wire.StatusBadGateway, "cannot fetch the map of home: it does not answer")
	m.peers["work"].fetched = local.Network{Revision: 7, Peers: []local.Peer{{}}, Problems: []string{"p"}}
	r := m.run("fetch")
	if r.status != exitFailed || r.out != "fetched work: revision 7, 1 peer\n" {
		t.Errorf("%+v", r)
	}
	for _, says := range []string{"ginnel: cannot fetch the map of home: it does not answer", "network old is down\n", "network work: problem: p\n"} {
		if !strings.Contains(r.err, says) {
			t.Errorf("it does not say %q: %q", says, r.err)
		}
	}
	m.does("fetched work: revision 7, 1 peer\n", "fetch", "work")
	m.refuses(exitFailed, []string{"network old is down: `ginnel up old` switches it on"}, "fetch", "old")
	m.refuses(exitFailed, []string{"there is no network away"}, "fetch", "away")
	m.status.Networks = m.status.Networks[2:]
	m.refuses(exitFailed, []string{"no network of this machine is up"}, "fetch")
	m.status.Networks = nil
	m.refuses(exitFailed, []string{"this machine is in no network"}, "fetch")
}

// TestBehaviour50UpDownAll: without an argument all networks are switched.
func TestBehaviour50UpDownAll(t *testing.T) {
	m := newMachine(t)
	m.refuses(exitFailed, []string{"this machine is in no network"}, "up")
	m.refuses(exitFailed, []string{"this machine is in no network"}, "down")
	m.configure("home", config.Peer)
	m.configure("work", config.Peer)
	enabled := func(want bool) {
		t.Helper()
		cfg, err := m.env.paths.readConfig()
		must(t, err)
		for _, n := range cfg.Networks {
			if n.Enabled != want {
				t.Errorf("%s: enabled %v, want %v", n.Name, n.Enabled, want)
			}
		}
	}
	m.does("switched home off\nswitched work off\n", "down")
	enabled(false)
	if r := m.run("up"); r.status != exitOK || r.out != "switched home on\nswitched work on\n" {
		t.Errorf("%+v", r)
	}
	enabled(true)
}
