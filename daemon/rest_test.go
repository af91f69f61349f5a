package daemon_test

import (
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"ginnel/network"
)

// TestRest: a daemon is told that it is at rest soon after work, once, and not
// while nothing happens.
func TestRest(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		var rests atomic.Int32
		ann := r.machine("ann")
		ann.rest = func() { rests.Add(1) }
		r.join(ann, "home", "servers")
		for _, m := range r.machines {
			m.start()
		}
		r.within(5*time.Second, "a session", ann.sees("hub"))
		r.within(time.Minute, "rest after the start", func() bool { return rests.Load() > 0 })
		r.pass(time.Minute)
		rests.Store(0)
		r.pass(20 * time.Minute)
		if n := rests.Load(); n != 0 {
			t.Errorf("told %d times in twenty minutes in which nothing happened", n)
		}
		r.do("home", network.AddCIDR{Name: "cameras", Prefix: netip.MustParsePrefix("10.42.3.0/24")})
		r.do("home", network.RenamePeer{Name: "ann", NewName: "anna"})
		r.pass(time.Minute)
		if n := rests.Load(); n < 1 || n > 2 {
			t.Errorf("told %d times after a change, want once, or twice", n)
		}
	})
}
