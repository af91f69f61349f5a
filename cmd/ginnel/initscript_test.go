package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
)

// TestScriptIsTold: where the service's script has to know of the configuration,
// it hears of every change that the daemon has taken, and of none that nobody
// did. That it fails is no reason to fail.
func TestScriptIsTold(t *testing.T) {
	m := newMachine(t)
	m.configure("home", config.Peer)
	called := filepath.Join(t.TempDir(), "called")
	script := filepath.Join(t.TempDir(), "script")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(script, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	times := func(want int) {
		t.Helper()
		text, _ := os.ReadFile(called) // not there: never
		if got := strings.Count(string(text), "reload\n"); got != want || len(text) != got*len("reload\n") {
			t.Errorf("the script was called with %q, want reload %d times", text, want)
		}
	}
	write(`echo "$@" >>` + called)
	m.env.paths.script = script
	m.run("down")
	times(0) // no daemon runs
	m.status.Networks = []local.Network{{Name: "home", State: local.Up, Role: "peer", Peers: []local.Peer{}}}
	m.startDaemon()
	m.run("up")
	times(1)
	m.does("switched home off\n", "down")
	times(2)
	for _, broken := range []string{"exit 3\n", ""} {
		if write(broken); broken == "" {
			m.env.paths.script += ".missing"
		}
		r := m.run("up")
		if r.status != exitOK || !strings.Contains(r.err, "the firewall is as it was before") {
			t.Errorf("script %q: status %d, %s", broken, r.status, r.err)
		}
	}
}
