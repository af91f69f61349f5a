package core_test

import (
	"slices"
	"testing"
	"time"

	"ginnel/daemon/core"
)

// TestRest: it is told once after work, not before ten seconds, and not again
// for looks and signals.
func TestRest(t *testing.T) {
	s := ready(t)
	rests := func(d time.Duration, ev core.Event) bool {
		s.do(d, ev)
		return slices.Contains(s.last, core.Action(core.Rest{}))
	}
	for range 2 {
		if rests(9*time.Second, core.Tick{}) {
			t.Error("told too early")
		}
		s.do(0, core.Forget{Address: ben}) // not pinned: nothing is done
		if !rests(2*time.Second, core.Changed{}) {
			t.Error("not told")
		}
		for range 10 {
			s.shake("hub", hubEndpoint)
			s.do(0, core.TunnelObserved{State: &s.tun})
			s.do(0, linkUp)
			s.do(0, underlay("192.168.1.3/24"))
			if rests(11*time.Second, core.Changed{}) {
				t.Error("told again, for looks")
			}
		}
		s.nudge(2) // a fetch is work
		s.do(0, core.Fetched{Update: s.delta(2, 2, nil)})
	}
}
