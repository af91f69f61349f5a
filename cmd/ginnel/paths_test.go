package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"ginnel/daemon/config"
)

// TestConfigurationKeepsItsMode: a new one is its owner's alone; one that a daemon
// without root may read stays so.
func TestConfigurationKeepsItsMode(t *testing.T) {
	p := paths{config: filepath.Join(t.TempDir(), "ginnel.conf")}
	n := config.New("home", config.Peer)
	n.Endpoints = []string{"vpn.example.org:51820"}
	for _, want := range []fs.FileMode{0o600, 0o644, 0o640} {
		if want != 0o600 {
			if err := os.Chmod(p.config, want); err != nil {
				t.Fatal(err)
			}
		}
		n.MTU++
		if err := p.setNetwork(n); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(p.config)
		if err != nil || info.Mode() != want {
			t.Errorf("the configuration has mode %v (%v), want %v", info.Mode(), err, want)
		}
	}
}
