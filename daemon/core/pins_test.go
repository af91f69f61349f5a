package core_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"ginnel/daemon/core"
	"ginnel/key"
	"ginnel/wire"
)

var eveKey = simKey(106)

// with returns m with another key.
func with(m wire.Member, k key.PrivateKey) wire.Member {
	m.PublicKey = k.Public()
	return m
}

func renamed(m wire.Member, name string) wire.Member {
	m.Name = name
	return m
}

func hosts(addrs ...netip.Addr) (ranges []netip.Prefix) {
	for _, a := range addrs {
		ranges = append(ranges, netip.PrefixFrom(a, 32))
	}
	return ranges
}

// nudge has the core fetch, and says that there is a revision.
func (s *script) nudge(revision uint64) {
	s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: revision}})
}

// keys prints the map's members but the coordinator, and who has a problem.
func (s *script) keys() string {
	var b strings.Builder
	for _, m := range s.core.Map().Members {
		if m.Role != wire.RoleCoordinator {
			fmt.Fprintf(&b, "%s %s=%s, ", m.Address, m.Name, s.who[m.PublicKey])
		}
	}
	for _, p := range s.core.Problems() {
		b.WriteString("problem " + p.Topic + ", ")
	}
	return strings.TrimSuffix(b.String(), ", ")
}

// touches tells whether an action of the last step changes the tunnel's peer
// with the key.
func (s *script) touches(k key.PublicKey) bool {
	return slices.ContainsFunc(s.last, func(a core.Action) bool {
		ch, ok := a.(core.ApplyTunnel)
		if !ok {
			return false
		}
		for i := range ch.Change.Peers {
			if ch.Change.Peers[i].PublicKey == k {
				return true
			}
		}
		return slices.Contains(ch.Change.Remove, k)
	})
}

// TestBehaviour60PinnedKeys gives ann, who has met ben and cat, one answer
// after the other, and compares her map: an address whose key is another stays
// as it was, and the rest is taken.
func TestBehaviour60PinnedKeys(t *testing.T) {
	ben, cat := benMember(endpoints("203.0.113.2:1000")), catMember(endpoints("203.0.113.3:1000"))
	dan := wire.Member{Address: netip.MustParseAddr("10.9.0.6"), Name: "dan", CIDR: "all", PublicKey: simKey(107).Public()}
	const both = "10.9.0.4 ben=ben, 10.9.0.5 cat=cat"
	type answer struct {
		ranges  []netip.Prefix // nil: a whole map
		members []wire.Member
		want    string
	}
	for name, answers := range map[string][]answer{
		"in a whole map": {{nil, []wire.Member{hubMember(), with(ben, eveKey), cat}, both + ", problem pin 10.9.0.4"}},
		"in a delta":     {{hosts(ben.Address), []wire.Member{with(ben, eveKey)}, both + ", problem pin 10.9.0.4"}},
		"the rest is taken": {{hosts(ben.Address, cat.Address, dan.Address), []wire.Member{with(ben, eveKey), dan},
			"10.9.0.4 ben=ben, 10.9.0.6 dan=dan, problem pin 10.9.0.4"}},
		"as an invitee": {{hosts(ben.Address), []wire.Member{{Address: ben.Address, Name: "ben", CIDR: "all", PublicKey: eveKey.Public(), Role: wire.RoleInvitee}},
			both + ", problem pin 10.9.0.4"}},
		"keys swapped": {{nil, []wire.Member{hubMember(), with(ben, catKey), with(cat, benKey)}, both + ", problem pin 10.9.0.4, problem pin 10.9.0.5"}},
		"vanished before": {
			{hosts(ben.Address), nil, "10.9.0.5 cat=cat"},
			{hosts(ben.Address), []wire.Member{renamed(with(ben, eveKey), "eve")}, "10.9.0.5 cat=cat, problem pin 10.9.0.4"},
			{hosts(cat.Address), nil, "problem pin 10.9.0.4"},
			{hosts(ben.Address), []wire.Member{ben}, "10.9.0.4 ben=ben"},
		},
		"taken back": {
			{hosts(ben.Address), []wire.Member{with(ben, eveKey)}, both + ", problem pin 10.9.0.4"},
			{nil, []wire.Member{hubMember(), ben, cat}, both},
		},
		"removed": {
			{hosts(ben.Address), []wire.Member{with(ben, eveKey)}, both + ", problem pin 10.9.0.4"},
			{hosts(ben.Address), nil, "10.9.0.5 cat=cat"},
			{nil, []wire.Member{hubMember(), with(ben, eveKey), cat}, "10.9.0.5 cat=cat, problem pin 10.9.0.4"},
		},
		"the name moved on": {
			{nil, []wire.Member{hubMember(), renamed(with(ben, eveKey), "eve"), cat}, both + ", problem pin 10.9.0.4"},
			{hosts(dan.Address), []wire.Member{renamed(dan, "ben")}, "10.9.0.5 cat=cat, 10.9.0.6 ben=dan, problem pin 10.9.0.4"},
		},
		"the key moved on": {{nil, []wire.Member{hubMember(), with(ben, eveKey), cat, with(dan, benKey)},
			both + ", problem member 10.9.0.6, problem pin 10.9.0.4"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := ready(t, ben, cat)
			s.who[eveKey.Public()], s.who[dan.PublicKey] = "eve", "dan"
			for i, a := range answers {
				s.nudge(uint64(2 + i))
				u := s.delta(uint64(2+i), uint64(2+i), a.ranges, a.members...)
				if a.ranges == nil {
					u = whole(uint64(2+i), a.members...)
				}
				s.do(0, core.Fetched{Update: u})
				if got := s.keys(); got != a.want {
					t.Errorf("after answer %d: %s; want %s", i, got, a.want)
				}
				if s.touches(eveKey.Public()) {
					t.Errorf("answer %d puts eve's key into the tunnel: %+v", i, s.last)
				}
				if strings.Contains(a.want, both) && (s.touches(benKey.Public()) || s.touches(catKey.Public())) {
					t.Errorf("answer %d changes a session: %+v", i, s.last)
				}
				s.applied()
			}
		})
	}
}

// TestBehaviour60Endpoints: what is said of the other key's endpoints does not
// move the pinned one.
func TestBehaviour60Endpoints(t *testing.T) {
	s := ready(t, benMember(endpoints("203.0.113.2:1000")))
	s.nudge(2)
	s.do(0, core.Fetched{Update: s.delta(2, 2, hosts(ben), with(benMember(endpoints("203.0.113.66:1")), eveKey))})
	s.nudge(2)
	s.do(0, core.Fetched{Update: s.patch(2, 3, ben, endpoints("203.0.113.66:2"))})
	if e := s.core.Map().Members[1].Endpoints; e.Seen != netip.MustParseAddrPort("203.0.113.2:1000") {
		t.Errorf("ben is at %+v", e)
	}
}

// TestBehaviour60ToldOnce: what is wrong is said in full, logged when it begins
// and when it ends, and what to do is said with it.
func TestBehaviour60ToldOnce(t *testing.T) {
	s := ready(t, benMember(wire.Endpoints{}))
	impostor := renamed(with(benMember(wire.Endpoints{}), eveKey), "eve")
	s.nudge(2)
	s.step(0, core.Fetched{Update: s.delta(2, 2, hosts(ben), impostor)}, "say pin 10.9.0.4")
	s.nudge(3)
	s.step(0, core.Fetched{Update: s.delta(3, 3, hosts(ben), impostor)})
	text := s.core.Problems()[0].Text
	for _, part := range []string{"10.9.0.4 ", benKey.Public().String()[:12], eveKey.Public().String()[:12], "(eve)", "`ginnel pin forget 10.9.0.4`"} {
		if !strings.Contains(text, part) {
			t.Errorf("the problem does not tell %q: %s", part, text)
		}
	}
	want := []core.PinStatus{
		{Pin: core.Pin{Address: hub, PublicKey: hubKey.Public()}, Name: "hub", InMap: true},
		{Pin: core.Pin{Address: ben, PublicKey: benKey.Public()}, Name: "ben", InMap: true, Presented: eveKey.Public()},
	}
	if got := s.core.AppendPins(nil); !slices.Equal(got, want) {
		t.Errorf("pins are %+v, want %+v", got, want)
	}
	s.nudge(4)
	s.step(0, core.Fetched{Update: s.delta(4, 4, hosts(ben))}, "over pin 10.9.0.4", "save 4 with 1", "tunnel -ben", "names hub.lab.wg ann.lab.wg")
	want[1].Name, want[1].InMap, want[1].Presented = "", false, key.PublicKey{}
	if got := s.core.AppendPins(nil); !slices.Equal(got, want) {
		t.Errorf("pins are %+v, want %+v", got, want)
	}
}

// restarted is a new core that starts with what the last one saved.
func (s *script) restarted() *script {
	next := newScript(s.t, annConfig())
	next.who = s.who
	kept := s.core.Snapshot()
	next.do(0, core.Started(kept))
	next.do(0, linkUp)
	next.do(0, underlay("192.168.1.3/24"))
	next.do(0, core.TunnelObserved{State: &next.tun})
	next.applied()
	return next
}

// asksFrom waits for the first Fetch of a start.
func (s *script) asksFrom(revision uint64) {
	s.t.Helper()
	want := "fetch 0/0/0"
	if revision > 0 {
		want = fmt.Sprintf("fetch %d/1/%[1]d", revision)
	}
	if got := s.do(time.Second, core.Tick{}); !slices.Contains(got, want) {
		s.t.Errorf("at the start: %q, want %s", got, want)
	}
}

// TestBehaviour61PinsSurviveRestart: with and without the map, and with the
// member gone from it.
func TestBehaviour61PinsSurviveRestart(t *testing.T) {
	for name, vanish := range map[string]bool{"there": false, "gone": true} {
		t.Run(name, func(t *testing.T) {
			s := ready(t, benMember(wire.Endpoints{}))
			before := ""
			if vanish {
				s.nudge(2)
				s.do(0, core.Fetched{Update: s.delta(2, 2, hosts(ben))})
			} else {
				before = "10.9.0.4 ben=ben, "
			}
			s = s.restarted()
			s.asksFrom(s.core.Map().Position.Revision)
			impostor := with(benMember(wire.Endpoints{}), eveKey)
			s.do(0, core.Fetched{Update: s.delta(3, 3, hosts(ben), impostor)})
			if got := s.keys(); got != before+"problem pin 10.9.0.4" || s.touches(eveKey.Public()) {
				t.Errorf("%s; %+v", got, s.last)
			}
			// The conflict is found again by the next one, which asks for everybody.
			s = s.restarted()
			s.asksFrom(0)
			s.do(0, core.Fetched{Update: whole(3, hubMember(), impostor)})
			if got := s.keys(); got != before+"problem pin 10.9.0.4" || s.touches(eveKey.Public()) {
				t.Errorf("after another restart: %s; %+v", got, s.last)
			}
		})
	}
	t.Run("without the map", func(t *testing.T) {
		s := ready(t, benMember(wire.Endpoints{}))
		next := newScript(t, annConfig())
		next.do(0, core.Started{Pins: s.core.Snapshot().Pins})
		if kept := next.core.Snapshot(); kept.Map != nil || len(kept.Pins) != 1 {
			t.Errorf("to be saved is %+v", kept)
		}
		next.do(time.Second, core.Tick{})
		next.do(0, core.Fetched{Update: whole(2, hubMember(), with(benMember(wire.Endpoints{}), eveKey))})
		if got := next.keys(); got != "problem pin 10.9.0.4" {
			t.Error(got)
		}
	})
}

// TestSavedMapAgainstPins: a saved map that contradicts the saved pins is one
// more map that is not believed, and everybody is asked for.
func TestSavedMapAgainstPins(t *testing.T) {
	s := newScript(t, annConfig())
	saved := &core.Map{Position: wire.Position{Revision: 7, Epoch: 1, Seq: 7}, Self: annMember(),
		Members: []wire.Member{hubMember(), with(benMember(wire.Endpoints{}), eveKey)}}
	s.do(0, core.Started{Map: saved, Pins: []core.Pin{{Address: ben, PublicKey: benKey.Public()}}})
	if got := s.keys(); got != "problem pin 10.9.0.4" {
		t.Errorf("at the start: %s", got)
	}
	s.asksFrom(0)
	s.do(0, core.Fetched{Update: whole(7, hubMember(), benMember(wire.Endpoints{}))})
	if got := s.keys(); got != "10.9.0.4 ben=ben" {
		t.Errorf("after the answer: %s", got)
	}
}

// TestCoordinatorPinsNobody: an invitee's key becomes another on its machine,
// and the address of one that was removed may be used again.
func TestCoordinatorPinsNobody(t *testing.T) {
	s := newScript(t, hubConfig())
	s.do(0, core.Started{Pins: []core.Pin{{Address: ben, PublicKey: catKey.Public()}}})
	update := func(members ...wire.Member) *wire.Update {
		u := whole(1, members...)
		u.Self = hubMember()
		return u
	}
	invitee := with(benMember(wire.Endpoints{}), eveKey)
	invitee.Role = wire.RoleInvitee
	for i, m := range []wire.Member{invitee, benMember(wire.Endpoints{})} {
		if i > 0 {
			s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 1}})
		}
		s.do(0, core.Fetched{Update: update(m)})
		if got := s.core.Map().Members; len(got) != 1 || got[0].PublicKey != m.PublicKey || len(s.core.Problems()) > 0 {
			t.Errorf("members %+v, problems %+v", got, s.core.Problems())
		}
	}
	if kept := s.core.Snapshot(); len(kept.Pins) > 0 || len(s.core.AppendPins(nil)) > 0 {
		t.Errorf("pinned are %+v", kept.Pins)
	}
}

// TestSavedPinsDoNotChange: what is being saved is not what the core goes on
// with.
func TestSavedPinsDoNotChange(t *testing.T) {
	s := ready(t, benMember(wire.Endpoints{}))
	one := s.core.Snapshot().Pins
	s.nudge(2)
	s.do(0, core.Fetched{Update: s.delta(2, 2, hosts(cat), catMember(wire.Endpoints{}))})
	two := s.core.Snapshot().Pins
	s.do(0, core.Forget{Address: ben})
	three := s.core.Snapshot().Pins
	atBen, atCat := core.Pin{Address: ben, PublicKey: benKey.Public()}, core.Pin{Address: cat, PublicKey: catKey.Public()}
	if !slices.Equal(one, []core.Pin{atBen}) || !slices.Equal(two, []core.Pin{atBen, atCat}) || !slices.Equal(three, []core.Pin{atCat}) {
		t.Errorf("they became %+v, %+v, %+v", one, two, three)
	}
}

// TestPinsAreSmall: small routers keep thousands; what is saved is no copy.
func TestPinsAreSmall(t *testing.T) {
	if size := unsafe.Sizeof(core.Pin{}); size > 64 {
		t.Errorf("a pin has %d bytes", size)
	}
	pins := make([]core.Pin, 10_000)
	a := netip.MustParseAddr("10.9.1.0")
	for i := range pins {
		pins[i] = core.Pin{Address: a, PublicKey: benKey.Public()}
		a = a.Next()
	}
	s := newScript(t, annConfig())
	s.do(0, core.Started{Pins: pins})
	if allocated := testing.AllocsPerRun(10, func() { s.core.Snapshot() }); allocated > 0 {
		t.Errorf("a snapshot of pins alone allocates %v times", allocated)
	}
	s.do(time.Second, core.Tick{})
	s.do(0, core.Fetched{Update: whole(2, hubMember(), catMember(wire.Endpoints{}))})
	if kept := s.core.Snapshot().Pins; len(kept) != 10_001 || !slices.IsSortedFunc(kept, func(a, b core.Pin) int { return a.Address.Compare(b.Address) }) {
		t.Errorf("there are %d pins", len(kept))
	}
}
