package core_test

import (
	"slices"
	"testing"
	"time"

	"ginnel/daemon/core"
	"ginnel/platform"
)

// TestNewsShortenTheWait: an interface that could not be opened for a long time
// is looked at again soon after the kernel told of something, and not only at
// once: a program answers for it a moment after it made it.
func TestNewsShortenTheWait(t *testing.T) {
	s := newScript(t, annConfig())
	s.do(0, core.Started{})
	absent := core.TunnelObserved{Err: platform.ErrNotExist}
	fail := func() time.Duration {
		s.do(0, absent)
		s.do(0, core.NetObserved{Err: platform.ErrNotExist})
		s.do(0, underlay("192.168.1.3/24"))
		return s.core.Deadline().Sub(s.now)
	}
	for range 10 {
		fail()
		s.do(40*time.Second, core.Tick{})
	}
	if d := fail(); d < 10*time.Second {
		t.Fatalf("after many failures it is looked at in %v", d)
	}
	if asked := s.do(time.Second, core.Changed{}); !slices.Contains(asked, "observe tunnel net underlay") {
		t.Fatalf("news bring about %q", asked)
	}
	if d := fail(); d > time.Second {
		t.Errorf("after news it is looked at in %v", d)
	}
}

// TestUnreadableTunnelHasItsOwnPace: while the tunnel cannot be read, or only in
// parts, no path that is due and nobody who asks has it looked at sooner, and
// nothing is done to one that may be another by now.
func TestUnreadableTunnelHasItsOwnPace(t *testing.T) {
	for what, bad := range map[string]core.TunnelObserved{
		"absent": {Err: platform.ErrNotExist}, "torn": {State: &platform.TunnelState{ListenPort: 51820, PrivateKey: annKey}, Err: platform.ErrTorn},
	} {
		s := ready(t, benMember(endpoints("203.0.113.2:1000")))
		s.applied()
		s.tick("observe tunnel") // ben is being tried
		for _, wait := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second} {
			if asked := s.do(0, bad); slices.Contains(asked, "observe tunnel") {
				t.Fatalf("%s: failed looks bring about %q", what, asked)
			}
			if got := s.core.Deadline().Sub(s.now); got != wait {
				t.Fatalf("%s: the next look is in %v, want %v", what, got, wait)
			}
			if what == "absent" {
				s.step(wait/2, core.Asked{})
				s.step(0, core.Configured{Settings: core.Settings{ListenPort: 4000}})
			}
			s.tick("observe tunnel")
		}
		if got := s.do(0, core.TunnelObserved{State: &s.tun}); len(got) == 0 || len(s.core.Problems()) > 0 {
			t.Errorf("%s: once it is read there is nothing to do, and the problems are %v", what, s.core.Problems())
		}
	}
}

// TestPortThatIsNotTaken: a tunnel that takes the port it is told and shows
// another one all the same is told ever more rarely.
func TestPortThatIsNotTaken(t *testing.T) {
	s := benUp(t)
	s.do(time.Second, core.Configured{Settings: core.Settings{ListenPort: 4000}})
	var waits []time.Duration
	for range 5 {
		s.tun.ListenPort = 51820
		if asked := s.do(0, core.Applied{Action: s.last[0]}); len(waits) == 0 && !slices.Contains(asked, "observe tunnel") {
			t.Fatalf("the port is not looked at when it was changed: %q", asked)
		} else if len(waits) > 0 {
			s.tick("observe tunnel")
		}
		waits = append(waits, s.now.Sub(simStart))
		s.observed("tunnel set=2")
	}
	for i := 2; i < len(waits); i++ {
		if waits[i]-waits[i-1] <= waits[i-1]-waits[i-2] {
			t.Errorf("looked at %v after the start", waits)
		}
	}
}
