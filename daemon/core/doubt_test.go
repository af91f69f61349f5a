package core_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"ginnel/daemon/core"
	"ginnel/wire"
)

func TestOwnAddressChangeIsDoubt(t *testing.T) {
	s := benUp(t)
	s.step(time.Second, core.Changed{}, "observe tunnel net underlay")
	s.step(0, linkUp)
	s.step(0, underlay("192.168.9.3/24"), "report [192.168.9.3:51820]")
	s.observed("tunnel ~hubk0 ~benk0", "tunnel ~hubk25 ~benk25", "signal p to 10.9.0.1", "signal p to 10.9.0.4")
	s.applied()
	answer := wire.Signal{Kind: wire.SignalAnswer}
	s.step(100*time.Millisecond, core.Signalled{From: hub, Signal: answer}, "fetch 1/1/1")
	s.do(0, core.Fetched{Update: s.patch(1, 1, cat, wire.Endpoints{})})
	if !s.isConnected(ben) {
		t.Error("ben counts as lost before there is evidence")
	}
	s.step(900*time.Millisecond, core.Tick{}, "observe tunnel")
	s.observed("tunnel ~ben@192.168.7.4:51820", "tunnel ~benk0", "tunnel ~benk25", "signal p to 10.9.0.4")
	s.applied()
	for at, guess := range map[string]bool{"192.168.7.4:51820": true, "203.0.113.2:1000": false} {
		if s.core.Guesses(ben, netip.MustParseAddrPort(at)) != guess {
			t.Errorf("that ben is at %s is a guess: want %t", at, guess)
		}
	}
	if s.isConnected(ben) {
		t.Error("ben counts as reached against the evidence")
	}
	s.step(time.Second, core.Tick{}, "observe tunnel")
	s.observed("tunnel -ben +ben@203.0.113.2:1000k25") // the session is given up: a new round
}

func TestGrowthEndsDoubt(t *testing.T) {
	s := benUp(t)
	s.step(time.Second, core.Changed{}, "observe tunnel net underlay")
	s.step(0, linkUp)
	s.do(0, underlay("192.168.9.3/24"))
	s.do(0, core.TunnelObserved{State: &s.tun})
	s.applied()
	s.step(250*time.Millisecond, core.Tick{}, "observe tunnel")
	for i := range s.tun.Peers {
		s.tun.Peers[i].Rx += 32
	}
	s.observed("fetch 1/1/1")
	if !s.isConnected(ben) || !s.isConnected(hub) {
		t.Error("not connected")
	}
}

func TestSeenMoved(t *testing.T) {
	s := benUp(t)
	s.news(2, endpoints("203.0.113.9:7", "192.168.7.4:51820"))
	s.observed("tunnel ~ben@203.0.113.9:7", "tunnel ~benk0", "tunnel ~benk25", "signal p to 10.9.0.4")
}

// TestMovedBeforeTheFirstLook: the session was made where ben is no longer, and
// he said so before we had seen that there is one.
func TestMovedBeforeTheFirstLook(t *testing.T) {
	s := ready(t, benMember(endpoints("203.0.113.2:1000")))
	s.shake("ben", "203.0.113.2:1000")
	s.news(2, endpoints("203.0.113.9:7"))
	s.observed("signal p to 10.9.0.4", "observe tunnel")
	s.observed("tunnel ~benk0", "tunnel ~benk25", "signal p to 10.9.0.4")
	s.applied()
	s.expect(s.changes(2*time.Second, s.keepHub)[:1], "1s tunnel ~ben@203.0.113.9:7")
}

func TestRoamedAlready(t *testing.T) {
	s := benUp(t)
	s.news(2, endpoints("203.0.113.9:7", "192.168.7.4:51820"))
	s.shake("ben", "203.0.113.9:7") // before the core looked
	s.observed("tunnel ~benk0", "tunnel ~benk25", "signal p to 10.9.0.4")
}

// TestSilenceIsDoubt: when two keepalives are missing the peer is probed, then
// looked for elsewhere, and given up as connected long before its session ends.
func TestSilenceIsDoubt(t *testing.T) {
	s := benUp(t)
	got := s.changes(65*time.Second, s.keepHub)
	want := []string{"59.5s tunnel ~benk0", "59.5s tunnel ~benk25", "1m0.5s tunnel ~ben@192.168.7.4:51820"}
	if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Fatalf("got %q, want %q first", got, want)
	}
	if s.isConnected(ben) {
		t.Error("ben counts as connected although nothing came for a minute")
	}
}
