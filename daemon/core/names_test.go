package core_test

import (
	"slices"
	"testing"

	"ginnel/daemon/core"
	"ginnel/wire"
)

// TestBehaviour113Suffix: names end in the suffix that is configured, and
// without one in the network's name.
func TestBehaviour113Suffix(t *testing.T) {
	for suffix, want := range map[string]string{
		"wg": "names ann.lab.wg ben.lab.wg", "vpn.example.org": "names ann.lab.vpn.example.org ben.lab.vpn.example.org", "": "names ann.lab ben.lab",
	} {
		cfg := annConfig()
		cfg.Suffix = suffix
		s := newScript(t, cfg)
		saved := core.Map{Position: wire.Position{Revision: 1}, Self: wire.Member{Address: ann, Name: "ann", PublicKey: annKey.Public()},
			Members: []wire.Member{{Address: ben, Name: "ben", PublicKey: benKey.Public()}}}
		if got := s.do(0, core.Started{Map: &saved}); !slices.Contains(got, want) {
			t.Errorf("suffix %q: %q, want %s", suffix, got, want)
		}
	}
}
