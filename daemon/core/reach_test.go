package core_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"ginnel/daemon/core"
	"ginnel/wire"
)

func (s *script) reaches(a netip.Addr, want string) {
	s.t.Helper()
	if got := s.reachOf(a); got != want {
		s.t.Errorf("%s is reached %q, want %q", a, got, want)
	}
}

func (s *script) reachOf(a netip.Addr) string {
	for _, p := range s.core.AppendPeers(nil) {
		if p.Member.Address == a && p.Why != "" {
			return string(p.Reach) + ": " + p.Why
		} else if p.Member.Address == a {
			return string(p.Reach)
		}
	}
	return "there is no such peer"
}

// TestBehaviour65Reach: what people are told of a path from the first try to
// the last.
func TestBehaviour65Reach(t *testing.T) {
	s := ready(t, benMember(endpoints("203.0.113.2:1000", "192.0.2.4:51820")), catMember(wire.Endpoints{}))
	s.reaches(hub, "direct")
	s.reaches(ben, "connecting")
	s.reaches(cat, "none: no endpoint of it is known")
	s.applied()
	s.changes(13*time.Second, s.keepHub)
	s.reaches(ben, "connecting") // the second round
	s.changes(7*time.Second, s.keepHub)
	s.reaches(ben, "none: none of its 2 known endpoints answers")
	s.changes(6*time.Second, s.keepHub) // the third round is no news
	s.reaches(ben, "none: none of its 2 known endpoints answers")
	s.news(2, endpoints("203.0.113.2:1000", "192.168.1.4:51820"))
	s.reaches(ben, "connecting")
	s.do(0, core.TunnelObserved{State: &s.tun})
	s.applied()
	s.shake("ben", "192.168.1.4:51820")
	s.observed("signal p to 10.9.0.4")
	s.reaches(ben, "lan")
	var told []string // while ben is silent
	s.changes(90*time.Second, func() {
		s.keepHub()
		if line := s.reachOf(ben); !slices.Contains(told, line) {
			told = append(told, line)
		}
	})
	s.expect(told, "lan", "connecting: it has fallen silent", "connecting", "none: none of its 2 known endpoints answers")
}

// TestBehaviour65ReachOfOneEndpoint: the words are right for one.
func TestBehaviour65ReachOfOneEndpoint(t *testing.T) {
	s := ready(t, benMember(endpoints("203.0.113.2:1000")))
	s.applied()
	s.changes(20*time.Second, s.keepHub)
	s.reaches(ben, "none: its only known endpoint does not answer")
}

// TestBehaviour65ReachWithoutKeepalives: silence is no fault then.
func TestBehaviour65ReachWithoutKeepalives(t *testing.T) {
	cfg := annConfig()
	cfg.Keepalive = 0
	s := newScript(t, cfg)
	s.do(0, core.Started{})
	s.do(0, linkUp)
	s.do(0, underlay("192.168.1.3/24"))
	s.observed("tunnel +hub@" + hubEndpoint + "k25")
	s.applied()
	s.shake("hub", hubEndpoint)
	s.do(time.Second, core.TunnelObserved{State: &s.tun})
	s.applied()
	s.reaches(hub, "direct")
	s.do(3*time.Minute, core.TunnelObserved{State: &s.tun})
	s.reaches(hub, "idle")
}

// TestBehaviour65ReachOfAnInvitee: nobody is at fault before he joins.
func TestBehaviour65ReachOfAnInvitee(t *testing.T) {
	m := benMember(wire.Endpoints{})
	m.Role = wire.RoleInvitee
	s := ready(t, m)
	s.reaches(ben, "waiting")
}
