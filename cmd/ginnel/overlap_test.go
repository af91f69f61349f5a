package main

import (
	"net/netip"
	"os"
	"testing"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
)

// TestOverlap: a range that another network of this machine has, or a link of
// it, is refused, and nothing is left behind.
func TestOverlap(t *testing.T) {
	m := peerOf(t) // of 10.42.0.0/16
	m.os.SetLink("eth0", netip.MustParsePrefix("192.168.1.7/24"))
	create := func(root string) []string {
		return []string{"network", "create", "work", root, "--endpoint", "a:1"}
	}
	overlaps := []string{"overlaps network home (10.42.0.0/16) of this machine"}
	m.refuses(exitFailed, append(overlaps, "10.42.7.0/24"), create("10.42.7.0/24")...)
	m.refuses(exitFailed, append(overlaps, "10.0.0.0/8"), create("10.0.0.0/8")...)
	m.refuses(exitFailed, []string{"192.168.0.0/16 overlaps 192.168.1.0/24", "eth0"}, create("192.168.0.0/16")...)
	if files := withoutDirectories(m); len(files) != 2 {
		t.Errorf("files are %q", files)
	}
	m.succeeds(create("10.43.0.0/16")...)
}

// TestOverlapRunning: a network that the daemon runs has its state open.
func TestOverlapRunning(t *testing.T) {
	m := peerOf(t)
	s, err := state.Open(state.Path(m.env.paths.state, "home"))
	must(t, err)
	defer s.Close()
	m.startDaemon()
	m.status.Networks = []local.Network{{Name: "home", State: local.Up, Root: netip.MustParsePrefix("10.42.0.0/16")}}
	m.refuses(exitFailed, []string{"overlaps network home"}, "network", "create", "work", "10.42.0.0/16", "--endpoint", "a:1")
}

// TestOverlapJoin: joining is refused likewise, before the invitation is used.
func TestOverlapJoin(t *testing.T) {
	m, token := newJoiner(t, nil)
	m.os.SetLink("eth1", netip.MustParsePrefix("10.42.200.1/24"))
	m.refuses(exitFailed, []string{"10.42.0.0/16 overlaps 10.42.200.0/24", "eth1"}, "join", token)
	must(t, m.os.RemoveLink("eth1"))
	m.configure("work", config.Peer) // without a state: there is nothing to compare with
	must(t, os.MkdirAll(m.env.paths.state, 0o700))
	if err := os.WriteFile(state.Path(m.env.paths.state, "work"), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.refuses(exitFailed, []string{"compare 10.42.0.0/16 with network work"}, "join", token)
	must(t, os.Remove(state.Path(m.env.paths.state, "work")))
	m.does("joined home as fay, 10.42.1.4\n", "join", token)
}
