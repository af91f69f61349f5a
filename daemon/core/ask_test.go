package core_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"ginnel/daemon/core"
	"ginnel/platform"
	"ginnel/wire"
)

// hubConfig is the coordinator's own machine's.
func hubConfig() core.Config {
	cfg := annConfig()
	cfg.Address, cfg.PrivateKey = hub, hubKey
	cfg.Coordinator.Endpoints = nil
	return cfg
}

// TestStrangersChangesAreNotSaved follows a book of which nothing concerns us:
// flash is written when a restart would otherwise need the whole map soon, and
// when the book is another.
func TestStrangersChangesAreNotSaved(t *testing.T) {
	s := ready(t) // at revision 1, saved
	for _, c := range []struct {
		revision uint64
		save     bool
	}{{2, false}, {501, false}, {502, true}, {503, false}, {1002, false}, {1003, true}} {
		s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: c.revision}})
		var want []string
		if c.save {
			want = []string{fmt.Sprintf("save %d with 1", c.revision)}
		}
		s.step(0, core.Fetched{Update: s.delta(c.revision, 1, nil)}, want...)
	}
	s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 2000}})
	s.step(0, core.Fetched{Update: whole(7, hubMember())}, "save 7 with 1") // an older book was put back
}

// TestRestoredMapIsNotSavedAgain counts from the map that was there at the
// start.
func TestRestoredMapIsNotSavedAgain(t *testing.T) {
	cfg := annConfig()
	cfg.Names = false
	s := newScript(t, cfg)
	u := whole(7, hubMember())
	s.do(0, core.Started{Map: &core.Map{Position: u.Position, Self: u.Self, Members: u.Members}})
	s.step(time.Second, core.Tick{}, "fetch 7/1/7")
	s.step(0, core.Fetched{Update: s.delta(507, 1, nil)})
	s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 508}})
	s.step(0, core.Fetched{Update: s.delta(508, 1, nil)}, "save 508 with 1")
}

// TestBusyCoordinator tells one that has no room for us at the moment from one
// that refuses us: it is asked again soon, and people hear of it after a while.
func TestBusyCoordinator(t *testing.T) {
	for _, status := range []int{wire.StatusTooMany, wire.StatusUnavailable} {
		s := ready(t)
		s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 2}})
		busy := core.Fetched{Err: wire.Errorf(status, "too many connections are open")}
		began, wait := s.now, 500*time.Millisecond
		for s.now.Sub(began) < 15*time.Second {
			s.step(0, busy)
			if got := s.core.Problems(); len(got) > 0 {
				t.Fatalf("%d: problems %+v after %s", status, got, s.now.Sub(began))
			}
			s.advance(wait, "fetch 1/1/1")
			wait *= 2
		}
		s.step(0, busy)
		s.advance(wait, "say coordinator")
		s.do(0, core.Fetched{Update: s.delta(2, 2, nil)})
		if got := s.core.Problems(); len(got) > 0 {
			t.Errorf("%d: problems %+v after an answer", status, got)
		}
	}
}

// advance lets d pass, answers looks as they come, and checks that line is
// among what the core wanted meanwhile.
func (s *script) advance(d time.Duration, line string) {
	s.t.Helper()
	end, found := s.now.Add(d), false
	for at := s.core.Deadline(); !at.After(end); at = s.core.Deadline() {
		for _, l := range s.do(max(0, at.Sub(s.now)), core.Tick{}) {
			found = found || l == line
			switch l {
			case "observe tunnel":
				s.do(0, core.TunnelObserved{State: &s.tun})
			case "observe tunnel net underlay":
				s.do(0, core.TunnelObserved{State: &s.tun})
				s.do(0, linkUp)
				s.do(0, underlay("192.168.1.3/24"))
			}
		}
	}
	s.now = end
	if !found {
		s.t.Errorf("%s: no %q in %s", s.now.Sub(simStart), line, d)
	}
}

// TestCoordinatorLooksWhenNudged: on the coordinator's machine what made the
// role speak may be a peer that moved, and the role learns where to by a look
// at the tunnel. Looks keep their distance.
func TestCoordinatorLooksWhenNudged(t *testing.T) {
	s := newScript(t, hubConfig())
	s.tun.PrivateKey = hubKey
	nudge := core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 1}}
	s.do(0, core.Started{})
	s.do(0, underlay("192.168.1.3/24"))
	s.do(0, core.NetObserved{State: &platform.NetState{Up: true, MTU: 1280,
		Addresses: []netip.Prefix{netip.PrefixFrom(hub, 32)}, Routes: []netip.Prefix{root}}})
	s.observed()
	self := hubMember()
	s.do(0, core.Fetched{Update: &wire.Update{Position: wire.Position{Revision: 1, Epoch: 1, Seq: 1}, Network: "lab", Root: root,
		Self: self, Ranges: []netip.Prefix{root}, Members: []wire.Member{benMember(wire.Endpoints{})}}})
	s.applied()
	s.do(0, core.TunnelObserved{State: &s.tun})
	s.now = s.now.Add(300 * time.Millisecond)
	got := s.do(0, nudge)
	if !slices.Equal(got, []string{"observe tunnel", "fetch 1/1/1"}) {
		t.Fatalf("a nudge leads to %v", got)
	}
	s.observed()
	s.step(50*time.Millisecond, nudge) // a fetch is under way, and the last look just over
	if wait := s.core.Deadline().Sub(s.now); wait > 150*time.Millisecond {
		t.Fatalf("the next look is in %s", wait)
	}
	s.tick("observe tunnel")
}

// TestPeerDoesNotLookWhenNudged: elsewhere a nudge is no reason for it.
func TestPeerDoesNotLookWhenNudged(t *testing.T) {
	s := ready(t)
	s.step(time.Second, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 2}}, "fetch 1/1/1")
}

// TestNameIsLookedUpOnce: at a start the address that was found begins the
// first round, which need not look for it again; later rounds do.
func TestNameIsLookedUpOnce(t *testing.T) {
	cfg := annConfig()
	cfg.Coordinator.Endpoints = []string{"hub.example.org:51820"}
	s := newScript(t, cfg)
	s.step(0, core.Started{}, "observe tunnel net underlay", "resolve hub.example.org")
	s.step(0, linkUp)
	s.step(0, underlay("192.168.1.3/24"))
	s.observed("tunnel +hubk0") // nowhere to go yet
	s.applied()
	found := core.Resolved{Host: "hub.example.org", Addrs: []netip.Addr{netip.MustParseAddr("198.51.100.1")}}
	s.step(100*time.Millisecond, found, "observe tunnel")
	s.observed("tunnel -hub +hub@198.51.100.1:51820k25")
	s.applied()
	var lookups []time.Duration
	for s.now.Sub(simStart) < time.Minute {
		was := len(lookups)
		s.answerAll(max(0, s.core.Deadline().Sub(s.now)), core.Tick{}, func(l string) {
			if l == "resolve hub.example.org" {
				lookups = append(lookups, s.now.Sub(simStart))
			}
		})
		if len(lookups) > was {
			s.do(0, found)
		}
	}
	if len(lookups) == 0 || lookups[0] < 10*time.Second {
		t.Errorf("looked up again after %v, though nothing answers there", lookups)
	}
}

// TestNoReportBetweenUnderlays moves a machine from one LAN to another: that it
// is nowhere for a moment is no news for anybody.
func TestNoReportBetweenUnderlays(t *testing.T) {
	s := ready(t)
	for _, c := range []struct {
		at   core.UnderlayObserved
		want string
	}{{underlay(), ""}, {underlay("192.168.7.9/24"), "report [192.168.7.9:51820]"}} {
		s.do(time.Second, core.Changed{})
		s.do(0, core.TunnelObserved{State: &s.tun})
		s.do(0, linkUp)
		reports := slices.DeleteFunc(s.do(0, c.at), func(l string) bool { return l[:6] != "report" })
		if c.want == "" && len(reports) > 0 || c.want != "" && !slices.Equal(reports, []string{c.want}) {
			t.Errorf("at %v it reports %q, want %q", c.at.Addresses, reports, c.want)
		}
	}
}
