package core_test

import (
	"slices"
	"testing"

	"ginnel/daemon/core"
)

// TestBehaviour113Suffix: names end in the suffix that is configured, and
// without one in the network's name.
func TestBehaviour113Suffix(t *testing.T) {
	for suffix, want := range map[string]string{
		"wg": "names hub.lab.wg ann.lab.wg", "vpn.example.org": "names hub.lab.vpn.example.org ann.lab.vpn.example.org", "": "names hub.lab ann.lab",
	} {
		cfg := annConfig()
		cfg.Suffix = suffix
		s := newScript(t, cfg)
		s.do(0, core.Started{})
		if got := s.do(0, core.Fetched{Update: whole(1, hubMember())}); !slices.Contains(got, want) {
			t.Errorf("suffix %q: %q, want %s", suffix, got, want)
		}
	}
}
