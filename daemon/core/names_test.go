package core_test

import (
	"slices"
	"testing"
	"time"

	"ginnel/daemon/core"
	"ginnel/platform"
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

// TestNamesOthersEdited: the names are written again with the slow look, and no
// more often.
func TestNamesOthersEdited(t *testing.T) {
	s := ready(t)
	written := core.SetNames{Entries: []platform.HostEntry{
		{Address: hubMember().Address, Names: []string{"hub.lab.wg"}}, {Address: annConfig().Address, Names: []string{"ann.lab.wg"}},
	}}
	s.do(0, core.Applied{Action: written})
	for i, want := range []bool{false, true, false, true} {
		got := s.do(30*time.Second, core.Tick{})
		if has := slices.Contains(got, "names hub.lab.wg ann.lab.wg"); has != want {
			t.Errorf("tick %d: %q, names wanted: %v", i, got, want)
		}
		s.do(0, linkUp)
		s.do(0, underlay("192.168.1.3/24"))
		s.do(0, core.TunnelObserved{State: &s.tun})
		s.do(0, core.Applied{Action: written})
	}
}
