package core_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/core"
	"ginnel/key"
	"ginnel/platform"
	"ginnel/wire"
)

// changes lets d pass, with the tunnel observed whenever it is asked for, and
// returns the changes asked for, with their times since the beginning.
func (s *script) changes(d time.Duration, during func()) (lines []string) {
	begin := s.now
	for {
		next := s.core.Deadline()
		if next.IsZero() || next.Sub(begin) > d {
			s.now = begin.Add(d)
			return lines
		}
		s.answerAll(max(0, next.Sub(s.now)), core.Tick{}, func(l string) {
			if strings.HasPrefix(l, "tunnel") {
				lines = append(lines, fmt.Sprintf("%v %s", s.now.Sub(begin), l))
			}
		})
		if during != nil {
			during()
		}
	}
}

// answerAll does a step and answers what it asks for, until nothing is asked.
func (s *script) answerAll(d time.Duration, ev core.Event, line func(string)) {
	for _, l := range s.do(d, ev) {
		line(l)
	}
	for _, a := range s.last {
		switch a := a.(type) {
		case core.ApplyTunnel:
			s.tun.Apply(&a.Change)
			for _, k := range a.Change.Remove {
				if i := slices.IndexFunc(s.tun.Peers, func(p platform.Peer) bool { return p.PublicKey == k }); i >= 0 {
					s.tun.Peers[i].LastHandshake, s.tun.Peers[i].Rx = time.Time{}, 0
				}
			}
			s.answerAll(0, core.Applied{Action: a}, line)
		case core.Observe:
			if a.Net {
				s.answerAll(0, linkUp, line)
			}
			if a.Underlay {
				s.answerAll(0, underlay("192.168.1.3/24"), line)
			}
			if a.Tunnel {
				s.answerAll(0, core.TunnelObserved{State: &s.tun}, line)
			}
		case core.Fetch:
			s.answerAll(0, core.Fetched{Update: &wire.Update{From: a.Position, Position: a.Position, Network: "lab", Root: root, Self: annMember()}}, line)
		case core.Report:
			s.answerAll(0, core.Reported{}, line)
		}
	}
}

func (s *script) expect(got []string, want ...string) {
	s.t.Helper()
	if !slices.Equal(got, want) {
		s.t.Fatalf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func (s *script) news(seq uint64, e wire.Endpoints) {
	s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 1}})
	s.do(0, core.Fetched{Update: s.patch(1, seq, ben, e)})
}

// TestFirstEndpointsAreSaved once, for a restart without the coordinator; one
// that has forgotten them does not take them away.
func TestFirstEndpointsAreSaved(t *testing.T) {
	s := ready(t, benMember(wire.Endpoints{}))
	saved := func(seq uint64, e wire.Endpoints) bool {
		s.news(seq, e)
		return slices.ContainsFunc(s.last, func(a core.Action) bool { _, ok := a.(core.Save); return ok })
	}
	if !saved(2, endpoints("203.0.113.2:1000")) {
		t.Error("ben's first endpoint is not saved")
	}
	if saved(3, endpoints("203.0.113.2:2000")) {
		t.Error("ben's next endpoint is saved")
	}
	s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 1}})
	forgot := s.delta(1, 4, nil)
	forgot.Ranges, forgot.Members = []netip.Prefix{netip.PrefixFrom(ben, 32)}, []wire.Member{benMember(wire.Endpoints{})}
	s.do(0, core.Fetched{Update: forgot})
	m := s.core.Map().Members
	i := slices.IndexFunc(m, func(m wire.Member) bool { return m.Address == ben })
	if got := m[i].Endpoints.Seen.String(); got != "203.0.113.2:2000" {
		t.Errorf("ben is at %s after the coordinator forgot him, want where he was", got)
	}
}

// keepHub lets the hub's session live.
func (s *script) keepHub() { s.shake("hub", hubEndpoint) }

func TestRoundsAndRests(t *testing.T) {
	s := ready(t, benMember(endpoints("203.0.113.2:1000", "192.0.2.4:51820")))
	s.applied()
	got := s.changes(80*time.Second, s.keepHub)
	s.expect(got,
		"2s tunnel -ben +ben@192.0.2.4:51820k25",
		"4s tunnel -ben +ben@203.0.113.2:1000k25", // the second round
		"9s tunnel -ben +ben@192.0.2.4:51820k25",
		"14s tunnel ~benk0",
		"24.75s tunnel -ben +ben@203.0.113.2:1000k25", // the third, on the grid of 5 s
		"29.75s tunnel -ben +ben@192.0.2.4:51820k25",
		"34.75s tunnel ~benk0",
		"54.75s tunnel -ben +ben@203.0.113.2:1000k25",
		"59.75s tunnel -ben +ben@192.0.2.4:51820k25",
		"1m4.75s tunnel ~benk0",
	)
	s.news(2, endpoints("203.0.113.2:1001", "192.0.2.4:51820"))
	s.observed("tunnel -ben +ben@203.0.113.2:1001k25")
}

func TestSuccessIsNoticedSoon(t *testing.T) {
	s := ready(t, benMember(endpoints("203.0.113.2:1000", "192.0.2.4:51820")))
	s.tick("observe tunnel")
	s.shake("ben", "203.0.113.2:1000")
	s.observed("signal p to 10.9.0.4")
	if got := s.now.Sub(simStart); got != 500*time.Millisecond {
		t.Errorf("noticed after %v, want at the first look", got)
	}
	var st core.PeerStatus
	for _, p := range s.core.AppendPeers(nil) {
		if p.Member.Address == ben {
			st = p
		}
	}
	if !st.Connected || st.Endpoint.String() != "203.0.113.2:1000" || st.LastHandshake.IsZero() {
		t.Errorf("status %+v", st)
	}
	if d := s.core.Desired(); slices.ContainsFunc(d.Peers, func(p platform.Peer) bool { return p.Endpoint.IsValid() }) {
		t.Error("endpoints of connected peers are desired")
	}
	got := s.changes(time.Hour, func() { s.keepHub(); s.shake("ben", "203.0.113.2:1000") })
	s.expect(got)
}

// benUp is a script whose ben is connected at his Seen.
func benUp(t *testing.T) *script {
	s := ready(t, benMember(endpoints("203.0.113.2:1000", "192.168.7.4:51820")))
	s.do(s.core.Deadline().Sub(s.now), core.Tick{})
	s.shake("ben", "203.0.113.2:1000")
	s.observed("signal p to 10.9.0.4")
	return s
}

func (s *script) isConnected(a netip.Addr) bool {
	for _, p := range s.core.AppendPeers(nil) {
		if p.Member.Address == a {
			return p.Connected
		}
	}
	return false
}

func TestHandshakeBeforeTheTryWins(t *testing.T) {
	s := ready(t, benMember(endpoints("203.0.113.2:1000", "192.0.2.4:51820")))
	s.now = s.now.Add(2 * time.Second)
	s.step(0, core.Tick{}, "observe tunnel") // the next candidate's turn
	s.shake("ben", "203.0.113.2:4444")       // but he was here first
	s.observed("signal p to 10.9.0.4")
}

func TestArrivalPostponesTheTry(t *testing.T) {
	s := ready(t, benMember(endpoints("203.0.113.2:1000", "192.0.2.4:51820")))
	s.now = s.now.Add(2 * time.Second)
	s.step(0, core.Tick{}, "observe tunnel")
	for i := range s.tun.Peers {
		s.tun.Peers[i].Rx += 148 // his initiation
	}
	s.observed()
	s.now = s.now.Add(time.Second)
	s.step(0, core.Tick{}, "observe tunnel")
	s.observed("tunnel -ben +ben@192.0.2.4:51820k25")
}

func TestCandidateNewsOfALivePath(t *testing.T) {
	s := benUp(t)
	s.news(2, endpoints("203.0.113.2:1000")) // what is in use is still known
	s.step(0, core.Tick{})
	s.news(3, endpoints("203.0.113.2:1000", "192.0.2.4:1"))
	s.step(0, core.Tick{})
	s.expect(s.changes(10*time.Second, s.keepHub))
}

// TestSessionEnds: a session that only one side renews ends while its packets
// still arrive.
func TestSessionEnds(t *testing.T) {
	s := benUp(t)
	got := s.changes(3*time.Minute+35*time.Second, func() { s.keepHub(); s.grow("ben") })
	if len(got) < 3 || !strings.HasSuffix(got[0], "tunnel ~ben@203.0.113.2:1000") && !strings.HasSuffix(got[0], "tunnel ~benk0") {
		t.Fatalf("got %q, want a kick first", got)
	}
	if last := got[len(got)-1]; !strings.Contains(last, "-ben +ben@192.168.7.4:51820") && !strings.Contains(last, "-ben +ben@203") {
		t.Fatalf("got %q, want ben added again", got)
	}
}

func TestClockJumps(t *testing.T) {
	begin := time.Now() // with a monotonic reading, as the shell's are
	s := newScript(t, annConfig())
	s.now = begin
	s.do(0, core.Started{})
	s.do(0, underlay("192.168.1.3/24"))
	s.do(0, core.TunnelObserved{State: &s.tun})
	s.applied()
	s.now = s.now.Add(time.Minute)
	for i := range s.tun.Peers { // as if the wall clock had been set back and forth meanwhile
		s.tun.Peers[i].LastHandshake = begin.Add(-50 * 365 * 24 * time.Hour)
	}
	s.do(0, core.TunnelObserved{State: &s.tun})
	if !s.isConnected(hub) {
		t.Error("a handshake that the last look did not show is new, whatever its time says")
	}
}

func TestStrangersChangesAreUndone(t *testing.T) {
	s := benUp(t)
	s.tun.Peers = append(s.tun.Peers, platform.Peer{PublicKey: key.PublicKey{255, 255}})
	for i := range s.tun.Peers {
		if s.who[s.tun.Peers[i].PublicKey] == "ben" {
			s.tun.Peers[i].Keepalive = 0
		}
	}
	slices.SortFunc(s.tun.Peers, func(a, b platform.Peer) int { return a.PublicKey.Compare(b.PublicKey) })
	s.step(30*time.Second, core.Tick{}, "observe tunnel")
	s.observed("tunnel - ~benk25") // a key without a name goes
	s.applied()
	// And a live peer that was removed comes back at the endpoint it had.
	s.tun.Peers = slices.DeleteFunc(s.tun.Peers, func(p platform.Peer) bool { return s.who[p.PublicKey] == "ben" })
	s.do(30*time.Second, core.Tick{})
	s.do(0, linkUp)
	s.do(0, underlay("192.168.1.3/24"))
	s.observed("tunnel +ben@203.0.113.2:1000k25")
}

// TestTheHigherAddressYields: two that learn of each other at one moment do not
// greet each other at one moment, again and again.
func TestTheHigherAddressYields(t *testing.T) {
	dan := netip.MustParseAddr("10.9.0.2")
	m := benMember(endpoints("203.0.113.2:1000", "192.0.2.4:51820"))
	m.Address, m.Name = dan, "dan"
	s := ready(t, m)
	s.applied()
	s.expect(s.changes(7*time.Second, s.keepHub),
		"300ms tunnel -ben +ben@203.0.113.2:1000k25",
		"2.6s tunnel -ben +ben@192.0.2.4:51820k25",
		"4.9s tunnel -ben +ben@203.0.113.2:1000k25")
}

func TestCoordinatorsMachine(t *testing.T) {
	cfg := annConfig()
	cfg.Coordinator = core.Coordinator{Address: ann, PublicKey: annKey.Public()}
	s := newScript(t, cfg)
	s.step(0, core.Started{}, "observe tunnel net underlay", "fetch 0/0/0")
	s.step(0, linkUp)
	s.step(0, underlay("198.51.100.3/24"))
	s.observed()
	guest := catMember(endpoints("203.0.113.5:1"))
	guest.Role = wire.RoleInvitee
	self := annMember()
	self.Role = wire.RoleCoordinator
	u := whole(1, benMember(endpoints("203.0.113.2:1000")), guest)
	u.Self = self
	s.step(0, core.Fetched{Update: u}, "save 1 with 2", "tunnel +catk0 +benk0", // peers go first
		"names ann.lab.wg ben.lab.wg", "report [198.51.100.3:51820]")
	s.applied()
	s.observed()
	s.step(0, core.Reported{})
	s.shake("ben", "203.0.113.2:1000")
	s.shake("cat", "203.0.113.5:9")
	looks := 0
	s.changes(time.Minute, func() { looks++; s.shake("ben", "203.0.113.2:1000") })
	if looks < 12 {
		t.Errorf("%d looks at the tunnel in a minute, the role needs one every 5 s", looks)
	}
	// The role's word reaches us under our own address.
	s.step(0, core.Signalled{From: ann, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 2}}, "fetch 1/1/1")
	// A probe may come from a new endpoint: the role must see it at once.
	s.step(time.Second, core.Signalled{From: ben, Signal: wire.Signal{Kind: wire.SignalProbe}}, "signal a to 10.9.0.4", "observe tunnel")
}

func TestIdlePeerSleeps(t *testing.T) {
	var members []wire.Member
	for i := range 100 {
		k := key.NewPrivate([key.Size]byte{1: byte(i), 3: 9})
		ep := fmt.Sprintf("203.0.%d.2:1000", i)
		members = append(members, wire.Member{Address: netip.AddrFrom4([4]byte{10, 9, 1, byte(i)}), CIDR: "all", PublicKey: k.Public(),
			Name: fmt.Sprintf("m%d", i), Endpoints: endpoints(ep)})
	}
	for name, live := range map[string]int{"all reached": 100, "half reached": 50} {
		t.Run(name, func(t *testing.T) {
			s := ready(t, members...)
			s.applied()
			wakes := 0
			shake := func() {
				wakes++
				s.keepHub()
				for i := range s.tun.Peers {
					p := &s.tun.Peers[i]
					if len(p.AllowedIPs) == 1 && p.AllowedIPs[0].Addr().As4()[2] == 1 && int(p.AllowedIPs[0].Addr().As4()[3]) < live && s.now.Sub(p.LastHandshake) > 2*time.Minute {
						p.LastHandshake = s.now
						p.Rx += 100
					}
				}
			}
			shake()
			s.changes(20*time.Minute, shake) // until only the long rests are left
			wakes = 0
			s.changes(time.Hour, shake)
			t.Logf("%d wake-ups in an hour", wakes)
			if wakes > 60*15 {
				t.Errorf("%d wake-ups in an idle hour", wakes)
			}
		})
	}
}
