package core_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/core"
	"ginnel/platform"
	"ginnel/wire"
)

// announced is where a member is, with what it announces.
func announced(e wire.Endpoints, texts ...string) wire.Endpoints {
	e.Announced = texts
	return e
}

// resolved answers the lookup of a name.
func resolved(name string, addrs ...string) core.Resolved {
	ev := core.Resolved{Host: name}
	for _, a := range addrs {
		ev.Addrs = append(ev.Addrs, netip.MustParseAddr(a))
	}
	if len(addrs) == 0 {
		ev.Err = errAway
	}
	return ev
}

// reports returns what the last step told the coordinator; nil: nothing.
func (s *script) reports() *wire.Report {
	for _, a := range s.last {
		if a, ok := a.(core.Report); ok {
			return &a.Report
		}
	}
	return nil
}

func (s *script) status(a netip.Addr) (st core.PeerStatus) {
	for _, p := range s.core.AppendPeers(nil) {
		if p.Member.Address == a {
			st = p
		}
	}
	return st
}

func TestBehaviour63OwnEndpointIsReported(t *testing.T) {
	s := ready(t)
	for _, list := range [][]string{{":4000", "ann.example.org:51820"}, {":4001"}, nil} {
		s.do(0, core.Configured{Settings: core.Settings{ListenPort: 51820, Announced: list}})
		if r := s.reports(); r == nil || !slices.Equal(r.Announced, list) || len(r.Candidates) != 1 {
			t.Fatalf("announcing %v the report is %+v", list, r)
		}
		s.do(0, core.Reported{})
		s.do(0, core.Configured{Settings: core.Settings{ListenPort: 51820, Announced: list}})
		if r := s.reports(); r != nil {
			t.Errorf("the same settings are reported again: %+v", r)
		}
	}
}

// TestBehaviour76And84AnnouncedAreTriedFirst: before the seen endpoint and the
// candidates, which stay; names are looked up while there is no path, and again
// when there is none any more.
func TestBehaviour76And84AnnouncedAreTriedFirst(t *testing.T) {
	s := ready(t)
	s.applied()
	s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 2}})
	e := announced(endpoints("203.0.113.2:1000", "192.168.7.4:51820"), "ben.example.org:4000", "198.51.100.7:5000", "gone.example.org:1")
	got := s.do(0, core.Fetched{Update: whole(2, hubMember(), benMember(e))})
	if !slices.Contains(got, "resolve ben.example.org") {
		t.Fatalf("got %q, want ben's name looked up", got)
	}
	s.applied()
	s.do(0, resolved("ben.example.org", "198.51.100.6"))
	s.answerAll(0, core.TunnelObserved{State: &s.tun}, func(string) {})
	s.expect(s.changes(9*time.Second, s.keepHub),
		"2s tunnel -ben +ben@198.51.100.7:5000k25",
		"4s tunnel -ben +ben@203.0.113.2:1000k25",
		"6s tunnel -ben +ben@192.168.7.4:51820k25",
		"8s tunnel -ben +ben@198.51.100.6:4000k25")
	s.shake("ben", "198.51.100.6:4000")
	s.do(0, core.TunnelObserved{State: &s.tun})
	s.do(0, resolved("gone.example.org"))
	looked := false
	s.watch(40*time.Second, func(l string) { looked = looked || strings.HasPrefix(l, "resolve") })
	if looked {
		t.Error("the name of a connected member is looked up")
	}
	givenUp := false
	s.watch(70*time.Second, func(l string) {
		givenUp = givenUp || strings.Contains(l, "-ben")
		looked = looked || l == "resolve ben.example.org" && !givenUp
	})
	if !looked {
		t.Error("ben has fallen silent, and his name is not looked up again before he is given up")
	}
}

// watch lets d pass with the hub alive and tells every action.
func (s *script) watch(d time.Duration, line func(string)) {
	for end := s.now.Add(d); ; {
		next := s.core.Deadline()
		if next.IsZero() || next.After(end) {
			s.now = end
			return
		}
		s.answerAll(max(0, next.Sub(s.now)), core.Tick{}, line)
		s.keepHub()
	}
}

// TestHostileNames: a member that announces new names as fast as it may, none of
// which is found, makes others look few of them up, and be no noise to people.
func TestHostileNames(t *testing.T) {
	s := ready(t, benMember(wire.Endpoints{}), catMember(wire.Endpoints{}))
	s.applied()
	lookups, most := 0, 0
	var open []string
	note := func(l string) {
		if name, ok := strings.CutPrefix(l, "resolve "); ok {
			lookups++
			open = append(open, name)
			most = max(most, len(open))
		}
		if strings.Contains(l, "resolve") && strings.HasPrefix(l, "say") {
			t.Errorf("people are told: %s", l)
		}
	}
	for i := range 60 {
		for k, a := range []netip.Addr{ben, cat} {
			var names []string
			for n := range wire.MaxAnnounced {
				names = append(names, fmt.Sprintf("n%d-%d-%d.example.org:1", i, k, n))
			}
			s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 1}})
			for _, l := range s.do(0, core.Fetched{Update: s.patch(1, uint64(2*i+k), a, announced(wire.Endpoints{}, names...))}) {
				note(l)
			}
		}
		s.watch(5*time.Second, note)
		for len(open) > 0 {
			name := open[0]
			open = open[1:]
			for _, l := range s.do(0, resolved(name)) {
				note(l)
			}
		}
	}
	t.Logf("%d lookups in 5 minutes, %d at the same time", lookups, most)
	if lookups > 2*wire.MaxAnnounced*40 || most > 8 {
		t.Errorf("%d lookups in 5 minutes, %d at the same time", lookups, most)
	}
}

// TestBehaviour71MovedCoordinator: where the coordinator's book says it is found
// is saved, and tried first by a start that knows nothing else that is right.
func TestBehaviour71MovedCoordinator(t *testing.T) {
	s := ready(t)
	s.applied()
	s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 2}})
	m := hubMember()
	m.Endpoints.Announced = []string{"198.51.100.77:51820", "hub.example.org:443"}
	s.do(0, core.Fetched{Update: s.delta(2, 2, []netip.Prefix{netip.PrefixFrom(hub, 32)}, m)})
	i := slices.IndexFunc(s.last, func(a core.Action) bool { _, ok := a.(core.Save); return ok })
	if i < 0 {
		t.Fatal("the coordinator's new endpoints are not saved")
	}
	if !s.isConnected(hub) || slices.ContainsFunc(s.last, func(a core.Action) bool { _, ok := a.(core.ApplyTunnel); return ok }) {
		t.Error("the live path to the coordinator is touched")
	}
	saved := s.last[i].(core.Save).Map

	restarted := newScript(t, annConfig())
	restarted.step(0, core.Started{Map: saved}, "names hub.lab.wg ann.lab.wg", "observe tunnel net underlay", "resolve hub.example.org")
	restarted.do(0, linkUp)
	restarted.do(0, underlay("192.168.1.3/24"))
	restarted.observed("tunnel +hub@198.51.100.77:51820k25")

	// A coordinator that forgot all but its book does not take away what else is known.
	m.Endpoints.Candidates = endpoints("", "192.168.1.1:51820").Candidates
	s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 3}})
	s.do(0, core.Fetched{Update: s.delta(3, 3, []netip.Prefix{netip.PrefixFrom(hub, 32)}, m)})
	m.Endpoints.Candidates, m.Endpoints.Announced = nil, []string{"hub.example.org:443"}
	s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 4}})
	s.do(0, core.Fetched{Update: s.delta(4, 4, []netip.Prefix{netip.PrefixFrom(hub, 32)}, m)})
	if !slices.ContainsFunc(s.last, func(a core.Action) bool { _, ok := a.(core.Save); return ok }) {
		t.Error("the coordinator's endpoints are not saved when they change again")
	}
	if e := s.status(hub).Member.Endpoints; len(e.Candidates) != 1 || !slices.Equal(e.Announced, m.Endpoints.Announced) {
		t.Errorf("the coordinator is at %+v", e)
	}
}

// TestBehaviour71SilentCoordinatorIsFoundByItsBook: it moved after it said where
// to.
func TestBehaviour71SilentCoordinatorIsFoundByItsBook(t *testing.T) {
	s := ready(t)
	s.applied()
	s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 2}})
	m := hubMember()
	m.Endpoints.Announced = []string{"198.51.100.77:51820"}
	s.do(0, core.Fetched{Update: s.delta(2, 2, []netip.Prefix{netip.PrefixFrom(hub, 32)}, m)})
	got := s.changes(65*time.Second, nil)
	if !slices.ContainsFunc(got, func(l string) bool { return strings.Contains(l, "~hub@198.51.100.77:51820") }) {
		t.Errorf("got %q, want the new endpoint tried with the session", got)
	}
}

func overriding(a netip.Addr, endpoint string) core.Configured {
	return core.Configured{Settings: core.Settings{ListenPort: 51820, Overrides: map[netip.Addr]string{a: endpoint}}}
}

// TestBehaviour64OnlyTheOverrideIsTried: not the seen endpoint, nor candidates,
// nor announced ones; its name is looked up, and told of when it is not found.
func TestBehaviour64OnlyTheOverrideIsTried(t *testing.T) {
	cfg := annConfig()
	cfg.Overrides = map[netip.Addr]string{ben: "ben.lan:7000"}
	s := newScript(t, cfg)
	s.do(0, core.Started{})
	s.do(0, linkUp)
	s.do(0, underlay("192.168.1.3/24"))
	s.do(0, core.TunnelObserved{State: &s.tun})
	s.applied()
	s.shake("hub", hubEndpoint)
	s.do(0, core.TunnelObserved{State: &s.tun})
	e := announced(endpoints("203.0.113.2:1000", "192.168.7.4:51820"), "198.51.100.7:5000")
	got := s.do(0, core.Fetched{Update: whole(1, hubMember(), benMember(e))})
	if !slices.Contains(got, "resolve ben.lan") {
		t.Fatalf("got %q, want the override's name looked up", got)
	}
	s.applied()
	if got := s.do(0, resolved("ben.lan")); !slices.Contains(got, "say resolve ben.lan") {
		t.Errorf("got %q, want people told", got)
	}
	s.do(time.Second, core.Tick{})
	s.do(0, resolved("ben.lan", "192.168.9.9"))
	var tried []string
	for _, l := range append(s.do(0, core.TunnelObserved{State: &s.tun}), s.changes(10*time.Minute, s.keepHub)...) {
		if _, to, ok := strings.Cut(l, "+ben@"); ok {
			tried = append(tried, to)
		}
	}
	if tried = slices.Compact(tried); !slices.Equal(tried, []string{"192.168.9.9:7000k25"}) {
		t.Errorf("tried %v, want the override alone", tried)
	}
	if st := s.status(ben); !st.Overridden || s.status(hub).Overridden {
		t.Errorf("status is %+v", st)
	}
}

// TestBehaviour64OverrideOfALivePath: the session goes to the override and is
// kept, though it may roam; without the override it stays where it is.
func TestBehaviour64OverrideOfALivePath(t *testing.T) {
	s := benUp(t)
	s.step(0, overriding(ben, "192.0.2.99:9"), "observe tunnel")
	s.observed("tunnel ~ben@192.0.2.99:9", "tunnel ~benk0", "tunnel ~benk25", "signal p to 10.9.0.4")
	s.applied()
	s.do(100*time.Millisecond, core.Signalled{From: ben, Signal: wire.Signal{Kind: wire.SignalAnswer}})
	s.reaches(ben, "direct")
	s.shake("ben", "203.0.113.2:4444") // he roams
	s.do(time.Second, core.TunnelObserved{State: &s.tun})
	s.reaches(ben, "direct: it answers from elsewhere than the override says")
	s.news(2, announced(endpoints("203.0.113.9:7"), "198.51.100.7:5000")) // and what others say does not count
	s.expect(s.changes(20*time.Second, func() { s.keepHub(); s.grow("ben") }))
	if !s.isConnected(ben) {
		t.Error("ben is lost")
	}
	s.do(0, core.Configured{Settings: core.Settings{ListenPort: 51820}})
	for _, l := range s.changes(20*time.Second, func() { s.keepHub(); s.grow("ben") }) {
		if strings.Contains(l, "-ben") || strings.Contains(l, "@") {
			t.Errorf("without the override: %s", l)
		}
	}
	if st := s.status(ben); st.Overridden || !st.Connected || st.Why != "" {
		t.Errorf("status is %+v", st)
	}
}

// TestBehaviour64DeadOverride: what does not answer is not replaced by what
// would.
func TestBehaviour64DeadOverride(t *testing.T) {
	s := benUp(t)
	s.do(0, overriding(ben, "192.0.2.99:9"))
	lines := s.do(0, core.TunnelObserved{State: &s.tun})
	s.applied()
	lines = append(lines, s.changes(10*time.Minute, s.keepHub)...)
	for _, l := range lines {
		if _, to, ok := strings.Cut(l, "ben@"); ok && !strings.HasPrefix(to, "192.0.2.99:9") {
			t.Errorf("tried another endpoint: %s", l)
		}
	}
	if s.isConnected(ben) {
		t.Error("ben is connected")
	}
}

// TestBehaviour62ListenPortIsSetLive: no peer is touched, those who are
// connected are told at once by a packet, and the coordinator by a report.
func TestBehaviour62ListenPortIsSetLive(t *testing.T) {
	s := benUp(t)
	s.step(0, core.Configured{Settings: core.Settings{ListenPort: 4000}}, fmt.Sprintf("tunnel set=%d", platform.SetListenPort))
	if got := s.applied(); !slices.Contains(got, "observe tunnel") {
		t.Fatalf("got %q, want a look at once", got)
	}
	s.observed("tunnel ~hubk0 ~benk0", "tunnel ~hubk25 ~benk25", "signal p to 10.9.0.1", "signal p to 10.9.0.4", "report [192.168.1.3:4000]")
	if s.tun.ListenPort != 4000 || s.core.ListenPort() != 4000 {
		t.Errorf("the port is %d, status says %d", s.tun.ListenPort, s.core.ListenPort())
	}
	s.applied()
	if !s.isConnected(ben) || !s.isConnected(hub) {
		t.Error("a connection is lost")
	}
}

// TestBehaviour62ListenPortUnset: another free port is chosen at once, and kept.
func TestBehaviour62ListenPortUnset(t *testing.T) {
	s := benUp(t)
	s.step(0, core.Configured{}, fmt.Sprintf("tunnel set=%d", platform.SetListenPort))
	change := s.last[0].(core.ApplyTunnel).Change
	if change.ListenPort != 0 {
		t.Errorf("port %d is asked for, want any", change.ListenPort)
	}
	s.step(0, core.Applied{Action: s.last[0], Err: errAway}, "say tunnel")
	s.tick("observe tunnel")
	s.observed(fmt.Sprintf("tunnel set=%d", platform.SetListenPort))
	s.expect(s.applied(), "over tunnel", "observe tunnel")
	s.tun.ListenPort = 40123 // as WireGuard chose
	s.observed("tunnel ~hubk0 ~benk0", "tunnel ~hubk25 ~benk25", "signal p to 10.9.0.1", "signal p to 10.9.0.4",
		"report [192.168.1.3:40123]")
	if s.core.Desired().ListenPort != 40123 {
		t.Errorf("port %d is wanted, want the chosen one kept", s.core.Desired().ListenPort)
	}
}
