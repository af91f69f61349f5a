package core_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/core"
	"ginnel/key"
	"ginnel/platform"
	"ginnel/wire"
)

var errAway = errors.New("connection refused")

func TestFirstStart(t *testing.T) {
	s := newScript(t, annConfig())
	s.step(0, core.Started{}, "observe tunnel net underlay")
	s.step(0, core.NetObserved{State: &platform.NetState{}},
		"net up=true mtu=1280 +[10.9.0.3/32] -[] routes +[10.9.0.0/16] -[]")
	s.step(0, core.TunnelObserved{State: &platform.TunnelState{Backend: platform.Kernel}})
	s.step(0, underlay("192.168.1.3/24"), "tunnel set=3 +hub@198.51.100.1:51820k25")
	s.applied()
	s.tick("observe tunnel") // the look at the try after 250 ms
	s.observed()
	s.tick("observe tunnel", "fetch 0/0/0") // after 500 ms the fetch waits no longer
	s.shake("hub", hubEndpoint)
	s.observed("signal p to 10.9.0.1")
	s.step(0, core.Fetched{Err: errAway}, "fetch 0/0/0") // it began before the path was up
	s.step(0, core.Fetched{Update: whole(1, hubMember(), benMember(endpoints("203.0.113.2:1000")))},
		"save 1 with 2", "tunnel +ben@203.0.113.2:1000k25", "names hub.lab.wg ann.lab.wg ben.lab.wg",
		"report [192.168.1.3:51820]")
	if s.core.ListenPort() != 51820 || s.core.Backend() != platform.Kernel || !s.core.LastFetch().Equal(s.now) {
		t.Errorf("port %d, backend %s, fetched %v", s.core.ListenPort(), s.core.Backend(), s.core.LastFetch())
	}
}

func TestRestartLeavesLivePeersAlone(t *testing.T) {
	s := newScript(t, annConfig())
	saved := &core.Map{Self: annMember(), Members: []wire.Member{hubMember(), benMember(endpoints("203.0.113.2:1000"))}}
	s.tun.Peers = []platform.Peer{
		{PublicKey: benKey.Public(), Keepalive: 25, Endpoint: netip.MustParseAddrPort("203.0.113.2:999"),
			AllowedIPs: []netip.Prefix{netip.PrefixFrom(ben, 32)}, LastHandshake: s.now.Add(-time.Minute)},
		{PublicKey: hubKey.Public(), Keepalive: 25, Endpoint: netip.MustParseAddrPort("198.51.100.9:1"),
			AllowedIPs: []netip.Prefix{netip.PrefixFrom(hub, 32)}, LastHandshake: s.now.Add(-10 * time.Minute)},
	}
	if s.tun.Peers[0].PublicKey.Compare(s.tun.Peers[1].PublicKey) > 0 {
		s.tun.Peers[0], s.tun.Peers[1] = s.tun.Peers[1], s.tun.Peers[0]
	}
	s.step(0, core.Started{Map: saved}, "names hub.lab.wg ann.lab.wg ben.lab.wg", "observe tunnel net underlay")
	s.step(0, underlay("192.168.1.3/24"))
	s.observed("signal p to 10.9.0.4", "tunnel -hub +hub@198.51.100.9:1k25")
	s.applied()
	s.now = s.now.Add(2 * time.Second)
	s.step(0, core.Tick{}, "observe tunnel", "fetch 0/0/0")
	s.observed("tunnel -hub +hub@198.51.100.1:51820k25")
}

func TestFetchPolicy(t *testing.T) {
	s := ready(t)
	at := func(d time.Duration) {
		t.Helper()
		if got := s.core.Deadline().Sub(s.now); got != d {
			t.Fatalf("deadline in %v, want %v", got, d)
		}
	}
	nudge := func(from netip.Addr, v uint64) core.Signalled {
		return core.Signalled{From: from, Signal: wire.Signal{Kind: wire.SignalNudge, Value: v}}
	}
	s.step(0, nudge(ben, 2))                                              // not the coordinator
	s.step(0, nudge(hub, 2), "fetch 1/1/1")                               // it is
	s.step(0, nudge(hub, 3))                                              // one in flight
	s.step(0, core.Fetched{Update: s.patch(3, 3, ben, wire.Endpoints{})}) // strangers' changes are not saved
	s.step(0, nudge(hub, 3), "fetch 3/1/3")                               // endpoint news
	s.step(0, nudge(hub, 3))                                              // and again, perhaps after the answer was made
	s.step(0, core.Fetched{Update: s.patch(3, 4, ben, wire.Endpoints{})}, "fetch 3/1/4")
	s.step(0, core.Fetched{Err: errAway})
	at(500 * time.Millisecond)
	s.tick("fetch 3/1/4")
	s.step(0, core.Fetched{Err: errAway})
	at(time.Second)
	s.tick("fetch 3/1/4")
	s.step(0, core.Fetched{Err: wire.Errorf(wire.StatusForbidden, "ann is disabled")}, "say refused")
	s.step(29*time.Second, core.Tick{}, "observe tunnel")
	s.observed()
	s.step(time.Second, core.Tick{}, "fetch 3/1/4")
	s.step(0, core.Fetched{Err: wire.Errorf(wire.StatusForbidden, "ann is disabled")})
	if n := len(s.core.Map().Members); n != 1 {
		t.Errorf("%d members after a refusal", n)
	}
	s.step(0, nudge(hub, 4), "fetch 3/1/4")
	s.step(0, core.Fetched{Update: whole(3, hubMember())}, "over refused")
}

func TestPollIsSpread(t *testing.T) {
	for _, c := range []struct {
		jitter float64
		want   time.Duration
	}{{0, 270 * time.Second}, {0.5, 300 * time.Second}, {0.999, 329940 * time.Millisecond}} {
		cfg := annConfig()
		cfg.Coordinator.Address, cfg.Coordinator.PublicKey = ann, annKey.Public()
		cfg.Jitter = c.jitter
		s := newScript(t, cfg)
		s.do(0, core.Started{})
		s.do(0, core.Fetched{Update: whole(1)})
		for fetched := false; !fetched; {
			for _, l := range s.do(s.core.Deadline().Sub(s.now), core.Tick{}) {
				fetched = fetched || strings.HasPrefix(l, "fetch")
				if strings.Contains(l, "tunnel") {
					s.do(0, linkUp)
					s.do(0, underlay())
					s.do(0, core.TunnelObserved{State: &s.tun})
					s.applied()
				}
			}
			s.do(0, core.Reported{})
		}
		if got := s.now.Sub(simStart); got != c.want {
			t.Errorf("jitter %v: polled after %v, want %v", c.jitter, got, c.want)
		}
	}
}

func TestUnreachedIsSaidOnce(t *testing.T) {
	s := ready(t)
	var lines []string
	s.step(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 9}}, "fetch 1/1/1")
	begin := s.now
	s.do(0, core.Fetched{Err: errAway})
	for s.now.Sub(begin) < 10*time.Minute {
		for _, l := range s.do(s.core.Deadline().Sub(s.now), core.Tick{}) {
			switch {
			case strings.HasPrefix(l, "fetch"):
				lines = append(lines, s.do(0, core.Fetched{Err: errAway})...)
			case strings.HasPrefix(l, "observe"):
				s.shake("hub", hubEndpoint)
				s.do(0, linkUp)
				s.do(0, underlay("192.168.1.3/24"))
				s.do(0, core.TunnelObserved{State: &s.tun})
			case strings.HasPrefix(l, "say"):
				if d := s.now.Sub(begin); d != 30*time.Second {
					t.Errorf("said after %v", d)
				}
				lines = append(lines, l)
			}
		}
	}
	if len(lines) != 1 || lines[0] != "say coordinator" {
		t.Fatalf("said %q", lines)
	}
	if ps := s.core.Problems(); len(ps) != 1 || ps[0].Text != "cannot reach the coordinator since 2026-01-02 03:04:05: connection refused" {
		t.Errorf("problems: %+v", ps)
	}
	s.now = s.now.Add(time.Minute)
	for _, l := range s.do(0, core.Tick{}) {
		if strings.HasPrefix(l, "fetch") {
			s.step(0, core.Fetched{Update: whole(1, hubMember())}, "over coordinator")
		}
	}
	if ps := s.core.Problems(); len(ps) != 0 {
		t.Errorf("problems: %+v", ps)
	}
}

func TestUpdatesThatCannotBeRight(t *testing.T) {
	impostor := hubMember()
	impostor.PublicKey = simKey(99).Public()
	second := benMember(wire.Endpoints{})
	second.Role = wire.RoleCoordinator
	cases := map[string]func(u *wire.Update){
		"malformed":               func(u *wire.Update) { u.Network = "Not A Label" },
		"another network":         func(u *wire.Update) { u.Network = "bal" },
		"of another key of ours":  func(u *wire.Update) { u.Self.PublicKey = catKey.Public() },
		"from elsewhere":          func(u *wire.Update) { u.From = wire.Position{Revision: 1, Epoch: 1, Seq: 2} },
		"another root":            func(u *wire.Update) { u.Root = netip.MustParsePrefix("10.0.0.0/8"); u.Ranges[0] = u.Root },
		"for somebody else":       func(u *wire.Update) { u.Self.Address = cat },
		"another coordinator key": func(u *wire.Update) { u.Members[0] = impostor },
		"a second coordinator":    func(u *wire.Update) { u.Members[1] = second },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			s := ready(t, benMember(wire.Endpoints{}))
			s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 2}})
			u := whole(2, hubMember(), benMember(wire.Endpoints{}))
			spoil(u)
			s.step(0, core.Fetched{Update: u}, "say map")
			if m := s.core.Map(); m.Position.Revision != 1 || len(m.Members) != 2 {
				t.Errorf("the map is at %d with %d members", m.Position.Revision, len(m.Members))
			}
			s.tick("fetch 1/1/1")
			s.step(0, core.Fetched{Update: whole(2, hubMember(), benMember(wire.Endpoints{}))}, "over map")
		})
	}
}

func TestMembersLeftOut(t *testing.T) {
	s := ready(t, benMember(wire.Endpoints{}))
	twin := catMember(wire.Endpoints{})
	twin.PublicKey = benKey.Public()
	s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 2}})
	s.do(0, core.Fetched{Update: s.delta(2, 2, []netip.Prefix{netip.PrefixFrom(cat, 32)}, twin)})
	if ps := s.core.Problems(); len(ps) != 1 || ps[0].Topic != "member 10.9.0.5" || len(s.core.Map().Members) != 2 {
		t.Errorf("problems %+v, map %+v", ps, s.core.Map())
	}
	s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 3}})
	if got := s.render(s.last[0]); got != "fetch 0/0/0" {
		t.Errorf("while somebody is left out: %s, want the whole map asked for", got)
	}
	s.do(0, core.Fetched{Update: whole(3, hubMember(), benMember(wire.Endpoints{}), catMember(wire.Endpoints{}))})
	if ps := s.core.Problems(); len(ps) != 0 || len(s.core.Map().Members) != 3 {
		t.Errorf("problems %+v, map %+v", ps, s.core.Map())
	}
}

func TestDeltas(t *testing.T) {
	s := ready(t, benMember(endpoints("203.0.113.2:1000")))
	nudge := core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 2}}
	s.do(0, nudge)
	s.step(0, core.Fetched{Update: s.patch(1, 2, ben, endpoints("203.0.113.2:1001"))}, "observe tunnel") // not saved
	s.do(0, nudge)
	both := []netip.Prefix{netip.PrefixFrom(ben, 32), netip.PrefixFrom(cat, 32)}
	s.step(0, core.Fetched{Update: s.delta(2, 2, both, catMember(wire.Endpoints{}))},
		"save 2 with 2", "tunnel -ben +catk0", "names hub.lab.wg ann.lab.wg cat.lab.wg")
	if s.core.Map().Members[1].Address != cat {
		t.Errorf("map: %+v", s.core.Map())
	}
	if d := s.core.Desired(); len(d.Peers) != 2 {
		t.Errorf("desired: %+v", d.Peers)
	}
	s.applied()
	// Without its record the coordinator stays.
	s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 3}})
	s.step(0, core.Fetched{Update: whole(3)}, "save 3 with 0", "tunnel -cat", "names ann.lab.wg")
	if d := s.core.Desired(); len(d.Peers) != 1 || d.Peers[0].PublicKey != hubKey.Public() {
		t.Errorf("desired: %+v", d.Peers)
	}
}

func TestReports(t *testing.T) {
	s := ready(t)
	s.step(time.Second, core.Changed{}, "observe tunnel net underlay")
	s.observed()
	s.step(0, linkUp)
	s.step(0, underlay("192.168.1.3/24")) // nothing new
	s.step(time.Second, core.Changed{}, "observe tunnel net underlay")
	s.observed()
	s.step(0, linkUp)
	s.step(0, underlay("192.168.1.3/24", "2001:db8::3/64", "10.9.7.7/24", "fd00::3/64"),
		"observe tunnel", "report [192.168.1.3:51820 [2001:db8::3]:51820 [fd00::3]:51820]")
	s.step(0, core.Reported{Err: errAway}, "say report")
	s.step(500*time.Millisecond, core.Tick{}, "report [192.168.1.3:51820 [2001:db8::3]:51820 [fd00::3]:51820]")
	s.step(0, core.Reported{}, "over report")
	// A new epoch: the coordinator has forgotten.
	s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 1}})
	u := whole(1, hubMember())
	u.Position.Epoch = 2
	s.step(0, core.Fetched{Update: u}, "report [192.168.1.3:51820 [2001:db8::3]:51820 [fd00::3]:51820]")
}

func TestExcluded(t *testing.T) {
	cfg := annConfig()
	cfg.Exclude = []netip.Prefix{netip.MustParsePrefix("172.17.0.0/16")}
	s := newScript(t, cfg)
	s.do(0, core.Started{})
	s.do(0, core.TunnelObserved{State: &s.tun})
	s.do(0, underlay("172.17.0.1/16", "192.168.1.3/24"))
	s.do(time.Second, core.Tick{})
	s.step(0, core.Fetched{Update: whole(1, hubMember())},
		"save 1 with 1", "names hub.lab.wg ann.lab.wg", "report [192.168.1.3:51820]")
}

func TestApplyFails(t *testing.T) {
	s := ready(t)
	s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 2}})
	s.step(0, core.Fetched{Update: whole(2, hubMember(), benMember(wire.Endpoints{}))},
		"save 2 with 2", "tunnel +benk0", "names hub.lab.wg ann.lab.wg ben.lab.wg")
	for i, wait := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second} {
		var say []string
		if i == 0 {
			say = []string{"say tunnel"}
		}
		s.step(0, core.Applied{Action: core.ApplyTunnel{}, Err: platform.ErrPermission}, say...)
		if got := s.core.Deadline().Sub(s.now); got != wait {
			t.Fatalf("failure %d: next look in %v, want %v", i, got, wait)
		}
		s.tick("observe tunnel")
		s.observed("tunnel +benk0")
	}
	s.applied()
	if ps := s.core.Problems(); len(ps) != 0 {
		t.Errorf("problems: %+v", ps)
	}
}

func TestTornObservationRemovesNothing(t *testing.T) {
	s := ready(t, benMember(endpoints("203.0.113.2:1000")))
	s.now = s.now.Add(10 * time.Second) // the try is over
	s.step(0, core.Tick{}, "observe tunnel")
	s.step(0, core.TunnelObserved{State: &platform.TunnelState{ListenPort: 51820, PrivateKey: annKey}, Err: platform.ErrTorn})
	s.tick("observe tunnel")
	s.observed("tunnel -ben +ben@203.0.113.2:1000k25")
}

func TestManyMembersComeInSlices(t *testing.T) {
	s := ready(t)
	s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 2}})
	u := whole(2, hubMember())
	for i := range 120 {
		k := key.NewPrivate([key.Size]byte{1: byte(i), 3: 9})
		u.Members = append(u.Members, wire.Member{Address: netip.AddrFrom4([4]byte{10, 9, 1, byte(i)}), Name: "m" + string(rune('a'+i/26)) + string(rune('a'+i%26)),
			CIDR: "all", PublicKey: k.Public()})
	}
	s.do(0, core.Fetched{Update: u})
	var sizes []int
	for _, a := range s.last {
		if a, ok := a.(core.ApplyTunnel); ok {
			sizes = append(sizes, len(a.Change.Peers))
		}
	}
	if len(sizes) != 3 || sizes[0] != 50 || sizes[1] != 50 || sizes[2] != 20 {
		t.Errorf("slices of %v", sizes)
	}
}

func TestSignals(t *testing.T) {
	s := ready(t, benMember(wire.Endpoints{}))
	probe := wire.Signal{Kind: wire.SignalProbe, Value: 7}
	s.step(0, core.Signalled{From: cat, Signal: probe})
	s.step(0, core.Signalled{From: hub, Signal: probe}, "signal a to 10.9.0.1")
	s.step(0, core.Signalled{From: ben, Signal: probe}, "signal a to 10.9.0.4", "observe tunnel") // ben is there, it seems
}

func TestChangesAreRateLimited(t *testing.T) {
	s := ready(t)
	answer := func() {
		s.observed()
		s.step(0, linkUp)
		s.step(0, underlay("192.168.1.3/24"))
	}
	s.step(time.Second, core.Changed{}, "observe tunnel net underlay")
	s.step(0, core.Changed{}) // under way
	answer()
	s.step(50*time.Millisecond, core.Changed{})
	if got := s.core.Deadline().Sub(s.now); got != 150*time.Millisecond {
		t.Errorf("next look in %v", got)
	}
	s.tick("observe tunnel net underlay")
	answer()
	s.step(10*time.Second, core.Changed{}, "observe tunnel net underlay")
}

func TestResolve(t *testing.T) {
	cfg := annConfig()
	cfg.Coordinator.Endpoints = []string{"hub.example.org:51820", "hub.example.org:443", "[2001:db8::1]:51820"}
	s := newScript(t, cfg)
	s.step(0, core.Started{}, "observe tunnel net underlay", "resolve hub.example.org")
	s.step(0, linkUp)
	s.step(0, underlay("192.168.1.3/24"))
	s.observed("tunnel +hub@[2001:db8::1]:51820k25")
	s.applied()
	s.step(0, core.Resolved{Host: "hub.example.org", Err: errAway}, "say resolve hub.example.org")
	s.step(500*time.Millisecond, core.Tick{}, "observe tunnel", "fetch 0/0/0", "resolve hub.example.org")
	s.observed()
	s.step(0, core.Resolved{Host: "hub.example.org", Addrs: []netip.Addr{netip.MustParseAddr("198.51.100.1")}},
		"over resolve hub.example.org", "observe tunnel")
	s.observed("tunnel -hub +hub@198.51.100.1:51820k25")
	s.applied()
	s.now = s.now.Add(2 * time.Second)
	s.step(0, core.Tick{}, "observe tunnel")
	s.observed("tunnel -hub +hub@198.51.100.1:443k25")
}

func TestNamesAreRepeatedAfterAFailure(t *testing.T) {
	s := ready(t)
	s.step(0, core.Applied{Action: core.SetNames{}, Err: errAway}, "say names")
	s.step(500*time.Millisecond, core.Tick{}, "names hub.lab.wg ann.lab.wg")
	s.step(0, core.Applied{Action: core.SetNames{}}, "over names")
}
