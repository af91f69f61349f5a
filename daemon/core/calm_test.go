package core_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"ginnel/daemon/core"
	"ginnel/platform"
	"ginnel/wire"
)

// moody is a machine that answers all that its core asks for within the same
// instant, as the shell nearly does: without time between them, what leads back
// to itself goes on for ever.
type moody struct {
	*script
	rnd      *rand.Rand
	seed     string
	bad      func() []fault // what may go wrong at this moment; none: nothing does
	self     wire.Member
	guest    bool // there is an invitee
	answers  int  // of ten peers, how many have a handshake at a look
	revision uint64
	port     byte // of the underlay address
	link     platform.NetState
	queue    []core.Event
	asked    int
}

// fault is one way in which something goes wrong. It returns nil for what it is
// not about.
type fault struct {
	name   string
	answer func(m *moody, a core.Action) core.Event
}

var errMoody = errors.New("no such luck")

// faulty makes a fault of actions of one kind.
func faulty[A core.Action](name string, answer func(m *moody, a A) core.Event) fault {
	return fault{name, func(m *moody, a core.Action) core.Event {
		if a, ok := a.(A); ok {
			return answer(m, a)
		}
		return nil
	}}
}

// failing makes one of a kind that Applied answers.
func failing[A core.Action](name string, err error) fault {
	return faulty(name, func(_ *moody, a A) core.Event { return core.Applied{Action: a, Err: err} })
}

// fetching and reporting make those of the coordinator.
func fetching(name string, err error) fault {
	return faulty(name, func(*moody, core.Fetch) core.Event { return core.Fetched{Err: err} })
}

func reporting(name string, err error) fault {
	return faulty(name, func(*moody, core.Report) core.Event { return core.Reported{Err: err} })
}

// looking makes one of a look at one part of the machine.
func looking(name string, part core.Observe, ev core.Event) fault {
	return faulty(name, func(_ *moody, a core.Observe) core.Event {
		if a != part {
			return nil
		}
		return ev
	})
}

var (
	lookTunnel, lookNet, lookUnderlay = core.Observe{Tunnel: true}, core.Observe{Net: true}, core.Observe{Underlay: true}
)

// faults are every way in which an action can be answered badly.
var faults = []fault{
	looking("the tunnel cannot be read", lookTunnel, core.TunnelObserved{Err: errMoody}),
	looking("the tunnel is not there", lookTunnel, core.TunnelObserved{State: &platform.TunnelState{}, Err: platform.ErrNotExist}),
	faulty("the tunnel keeps changing", func(m *moody, a core.Observe) core.Event {
		if a != lookTunnel {
			return nil
		}
		return core.TunnelObserved{State: &m.tun, Err: platform.ErrTorn}
	}),
	looking("the tunnel keeps changing and shows nobody", lookTunnel, core.TunnelObserved{State: &platform.TunnelState{}, Err: platform.ErrTorn}),
	faulty("the tunnel forgets everything", func(m *moody, a core.Observe) core.Event {
		if a != lookTunnel {
			return nil
		}
		m.tun = platform.TunnelState{Backend: platform.Kernel, PrivateKey: annKey} // another key takes long to make
		return core.TunnelObserved{State: &m.tun}
	}),
	looking("the link cannot be read", lookNet, core.NetObserved{Err: errMoody}),
	looking("the link forgets everything", lookNet, core.NetObserved{State: &platform.NetState{}}),
	looking("the underlay cannot be read", lookUnderlay, core.UnderlayObserved{Err: errMoody}),
	looking("there is no underlay", lookUnderlay, core.UnderlayObserved{}),
	faulty("the underlay changes", func(m *moody, a core.Observe) core.Event {
		if a != lookUnderlay {
			return nil
		}
		m.port++
		return underlay(fmt.Sprintf("192.168.1.%d/24", 1+m.port%200))
	}),
	failing[core.ApplyTunnel]("the tunnel cannot be changed", errMoody),
	failing[core.ApplyTunnel]("the tunnel's port is in use", platform.ErrInUse),
	failing[core.ApplyTunnel]("the tunnel takes changes and does nothing", nil),
	failing[core.ApplyNet]("the link cannot be changed", errMoody),
	failing[core.ApplyNet]("the link takes changes and does nothing", nil),
	failing[core.SetNames]("the names cannot be written", errMoody),
	fetching("the coordinator is away", errMoody),
	fetching("the coordinator says nothing", nil),
	fetching("the coordinator is busy", wire.Errorf(wire.StatusTooMany, "busy")),
	fetching("the coordinator refuses", wire.Errorf(wire.StatusForbidden, "refused")),
	fetching("the coordinator understands nothing", wire.Errorf(wire.StatusBadRequest, "malformed")),
	faulty("the coordinator talks nonsense", func(m *moody, _ core.Fetch) core.Event {
		u := whole(m.revision)
		u.Network = "other"
		return core.Fetched{Update: u}
	}),
	faulty("the coordinator gives a key twice", func(m *moody, _ core.Fetch) core.Event {
		u := whole(m.revision, catMember(endpoints("203.0.113.5:1000")))
		u.Self, u.Members[0].PublicKey = m.self, hubKey.Public()
		return core.Fetched{Update: u}
	}),
	reporting("the report is refused", wire.Errorf(wire.StatusBadRequest, "malformed")),
	reporting("the report gets lost", errMoody),
	faulty("the name is not found", func(_ *moody, a core.Resolve) core.Event { return core.Resolved{Host: a.Host, Err: errMoody} }),
	faulty("the name has no address", func(_ *moody, a core.Resolve) core.Event { return core.Resolved{Host: a.Host} }),
	faulty("the name has another address each time", func(m *moody, a core.Resolve) core.Event {
		return core.Resolved{Host: a.Host, Addrs: []netip.Addr{netip.AddrFrom4([4]byte{203, 0, 113, byte(m.rnd.IntN(256))})}}
	}),
}

// newMoody makes a machine of ann's, who is the coordinator or not.
func newMoody(t *testing.T, seed uint64, coordinator bool) *moody {
	cfg := annConfig()
	cfg.Coordinator.Endpoints = append(cfg.Coordinator.Endpoints, "hub.example:51820", "hub.other.example:51820")
	cfg.Announced = []string{"ann.example:51820"}
	if coordinator {
		cfg.Coordinator = core.Coordinator{Address: ann, PublicKey: annKey.Public()}
	}
	m := &moody{rnd: rand.New(rand.NewPCG(seed, 1)), self: annMember(), guest: coordinator, revision: 1}
	m.seed = fmt.Sprintf("seed %d, coordinator %v", seed, coordinator)
	m.script = newScript(t, cfg)
	m.bad = func() []fault { return nil }
	if coordinator {
		m.self.Role = wire.RoleCoordinator
	}
	return m
}

// members are those of the map.
func (m *moody) members() []wire.Member {
	b, c := benMember(endpoints("203.0.113.2:1000", "192.0.2.4:51820")), catMember(endpoints("203.0.113.5:1000"))
	b.Endpoints.Announced = []string{"ben.example:51820", "ben.other.example:51820"}
	if m.guest {
		c.Role = wire.RoleInvitee
		return []wire.Member{b, c}
	}
	return []wire.Member{hubMember(), b, c}
}

// happen is one event, and all that comes of it at once.
func (m *moody) happen(ev core.Event) {
	m.t.Helper()
	const most = 150 // members are few, and each is worth some actions
	m.queue = append(m.queue, ev)
	done := 0
	for ; len(m.queue) > 0; m.queue = m.queue[1:] {
		actions := slices.Clone(m.core.Step(m.now, m.queue[0]))
		for _, a := range actions {
			if done++; done > most {
				m.t.Fatalf("%s, %v after the start: no end of %T after %T, of which came %T", m.seed, m.now.Sub(simStart), a, ev, m.queue[0])
			}
			m.perform(a)
		}
	}
	m.asked += done
	if d := m.core.Deadline(); !d.IsZero() && !d.After(m.now) {
		m.t.Fatalf("%s, %v after the start: not at rest after %T, the deadline is %v", m.seed, m.now.Sub(simStart), ev, d.Sub(m.now))
	}
}

// perform answers an action, a look in its parts.
func (m *moody) perform(a core.Action) {
	look, ok := a.(core.Observe)
	if !ok {
		m.answer(a)
		return
	}
	for _, part := range []core.Observe{lookTunnel, lookNet, lookUnderlay} {
		if part.Tunnel && look.Tunnel || part.Net && look.Net || part.Underlay && look.Underlay {
			m.answer(part)
		}
	}
}

func (m *moody) answer(a core.Action) {
	bad := m.bad()
	for _, i := range m.rnd.Perm(len(bad)) {
		if ev := bad[i].answer(m, a); ev != nil {
			m.queue = append(m.queue, ev)
			return
		}
	}
	if ev := m.well(a); ev != nil {
		m.queue = append(m.queue, ev)
	}
}

// well does what is asked for.
func (m *moody) well(a core.Action) core.Event {
	switch a := a.(type) {
	case core.Observe:
		return m.look(a)
	case core.ApplyTunnel:
		m.tun.Apply(&a.Change)
		return core.Applied{Action: a}
	case core.ApplyNet:
		m.link = *linkUp.State
		return core.Applied{Action: a}
	case core.SetNames:
		return core.Applied{Action: a}
	case core.Fetch:
		u := whole(m.revision, m.members()...)
		u.Self = m.self
		return core.Fetched{Update: u}
	case core.Report:
		return core.Reported{}
	case core.Resolve:
		return core.Resolved{Host: a.Host, Addrs: []netip.Addr{netip.MustParseAddr("203.0.113.99")}}
	}
	return nil
}

// look shows one part of the machine, and lets some peers have a handshake first.
func (m *moody) look(part core.Observe) core.Event {
	switch part {
	case lookNet:
		return core.NetObserved{State: &m.link}
	case lookUnderlay:
		return underlay("192.168.1.3/24")
	}
	for i := range m.tun.Peers {
		if p := &m.tun.Peers[i]; m.rnd.IntN(10) < m.answers {
			p.LastHandshake = m.now
			p.Rx += 100
			if p.Endpoint == (netip.AddrPort{}) {
				p.Endpoint = netip.MustParseAddrPort("203.0.113.77:7")
			}
		}
	}
	return core.TunnelObserved{State: &m.tun}
}

// pass lets time go by, in which nothing happens but what the core waits for.
func (m *moody) pass(d time.Duration) {
	m.t.Helper()
	for end := m.now.Add(d); ; m.happen(core.Tick{}) {
		next := m.core.Deadline()
		if next.IsZero() || next.After(end) {
			m.now = end
			return
		}
		m.now = next
	}
}

// calm lets time go by and fails where more was asked for than so many things a
// minute.
func (m *moody) calm(d time.Duration, most int, what string) {
	m.t.Helper()
	m.asked = 0
	m.pass(d)
	if n := m.asked / int(d/time.Minute); n > most {
		m.t.Errorf("%s, %s: %d actions a minute", m.seed, what, n)
	}
}

// TestCalmWhateverFails: whatever fails for good, and whether it did before,
// the core comes to rest at once and asks for little afterwards.
func TestCalmWhateverFails(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			for seed := range uint64(4) {
				m := newMoody(t, seed, seed%2 == 1)
				m.answers = int(seed%3) * 5
				fails := func() []fault { return []fault{f} }
				if seed%4 < 2 {
					m.bad = fails
				}
				m.happen(core.Started{})
				m.pass(time.Minute)
				m.bad = fails
				for range 3 {
					m.pass(5 * time.Minute)
					m.calm(30*time.Minute, 100, "while it fails")
					for range 20 {
						m.happen(m.anything())
					}
				}
			}
		})
	}
}

// TestCalmInAnyMood: the same of everything that fails now and then, while all
// sorts of things happen.
func TestCalmInAnyMood(t *testing.T) {
	for seed := range uint64(50) {
		m := newMoody(t, seed, seed%2 == 1)
		often := 1 + m.rnd.IntN(10)
		var some []fault
		for _, f := range faults {
			if m.rnd.IntN(4) == 0 {
				some = append(some, f)
			}
		}
		m.bad = func() []fault {
			if m.rnd.IntN(10) < often {
				return some
			}
			return nil
		}
		m.happen(core.Started{})
		for range 200 {
			m.answers = m.rnd.IntN(11)
			m.pass(time.Duration(m.rnd.Int64N(int64(10 * time.Second))))
			m.happen(m.anything())
		}
		m.pass(5 * time.Minute)
		m.calm(30*time.Minute, 300, "in a mood")
	}
}

// anything is something that may happen to a machine.
func (m *moody) anything() core.Event {
	who := []netip.Addr{hub, ann, ben, cat, netip.MustParseAddr("10.9.0.99")}[m.rnd.IntN(5)]
	switch m.rnd.IntN(8) {
	case 0:
		return core.Changed{}
	case 1:
		return core.Asked{}
	case 2:
		m.revision += uint64(m.rnd.IntN(2))
		kinds := []wire.SignalKind{wire.SignalNudge, wire.SignalProbe, wire.SignalAnswer, wire.SignalCurrent}
		return core.Signalled{From: who, Signal: wire.Signal{Kind: kinds[m.rnd.IntN(len(kinds))], Value: m.revision}}
	case 3:
		s := core.Settings{ListenPort: []uint16{0, 51820, 51821}[m.rnd.IntN(3)], Announced: []string{"ann.example:51820"}}
		if m.rnd.IntN(2) == 0 {
			s.Overrides = map[netip.Addr]string{who: []string{"ben.example:1", "192.0.2.4:51820"}[m.rnd.IntN(2)]}
		}
		return core.Configured{Settings: s}
	case 4:
		return core.FetchNow{Ticket: uint64(m.rnd.IntN(1000))}
	case 5:
		return core.Forget{Address: who}
	case 6:
		return underlay(fmt.Sprintf("192.168.1.%d/24", 1+m.rnd.IntN(3)))
	}
	return core.Tick{}
}

// TestInviteeIsNotTried: an invitee who has fallen silent when our port changed
// is waited for as before: nobody tries it, nor looks for it without end.
func TestInviteeIsNotTried(t *testing.T) {
	m := newMoody(t, 0, true)
	m.answers = 10
	m.happen(core.Started{})
	m.pass(time.Minute)
	if !m.isConnected(cat) {
		t.Fatal("the invitee has no session")
	}
	m.answers = 0
	m.happen(core.Configured{Settings: core.Settings{ListenPort: 4000}})
	m.calm(10*time.Minute, 100, "the invitee is silent")
	for _, p := range m.core.Desired().Peers {
		if p.PublicKey == catKey.Public() && p.Endpoint.IsValid() {
			t.Errorf("the invitee is tried at %v", p.Endpoint)
		}
	}
}
