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

// script drives one core and compares what it wants with what is expected, in
// a short notation: see render.
type script struct {
	t    *testing.T
	core *core.Core
	now  time.Time
	tun  platform.TunnelState // as the script's machine has it
	who  map[key.PublicKey]string
	last []core.Action
	from wire.Position // the last Fetch's
}

var (
	annKey, benKey, catKey, hubKey = simKey(103), simKey(104), simKey(105), simKey(101)
	root                           = netip.MustParsePrefix("10.9.0.0/16")
	hub                            = netip.MustParseAddr("10.9.0.1")
	ann                            = netip.MustParseAddr("10.9.0.3")
	ben                            = netip.MustParseAddr("10.9.0.4")
	cat                            = netip.MustParseAddr("10.9.0.5")
)

const hubEndpoint = "198.51.100.1:51820"

func annConfig() core.Config {
	return core.Config{
		Network: "lab", Root: root, Address: ann, PrivateKey: annKey, Settings: core.Settings{ListenPort: 51820}, MTU: 1280,
		Keepalive: 25, Routes: true, Names: true, Suffix: "wg", Jitter: 0.5,
		Coordinator: core.Coordinator{Address: hub, PublicKey: hubKey.Public(), Endpoints: []string{hubEndpoint}},
	}
}

func newScript(t *testing.T, cfg core.Config) *script {
	s := &script{t: t, core: core.New(cfg), now: simStart, who: map[key.PublicKey]string{}}
	for name, k := range map[string]key.PrivateKey{"ann": annKey, "ben": benKey, "cat": catKey, "hub": hubKey} {
		s.who[k.Public()] = name
	}
	s.tun = platform.TunnelState{Backend: platform.Kernel, PrivateKey: annKey, ListenPort: 51820}
	return s
}

// step is one event after d, and what must be asked for: in lines of render.
func (s *script) step(d time.Duration, ev core.Event, want ...string) {
	s.t.Helper()
	got := s.do(d, ev)
	if !slices.Equal(got, want) {
		s.t.Fatalf("%v after %T %+v:\n got  %s\n want %s", s.now.Sub(simStart), ev, ev, strings.Join(got, "\n      "), strings.Join(want, "\n      "))
	}
}

func (s *script) do(d time.Duration, ev core.Event) (lines []string) {
	s.now = s.now.Add(d)
	s.last = slices.Clone(s.core.Step(s.now, ev))
	for _, a := range s.last {
		if a, ok := a.(core.Fetch); ok {
			s.from = a.Position
		}
		if a == (core.Rest{}) {
			continue // comes whenever nothing happens for a while: see TestRest
		}
		lines = append(lines, s.render(a))
	}
	return lines
}

// tick lets the core's deadline come.
func (s *script) tick(want ...string) {
	s.t.Helper()
	d := s.core.Deadline()
	if d.IsZero() {
		s.t.Fatal("no deadline")
	}
	s.step(max(0, d.Sub(s.now)), core.Tick{}, want...)
}

// applied does the changes of the last step to the script's tunnel and
// answers them; what the answers lead to is returned.
func (s *script) applied() (lines []string) {
	for _, a := range s.last {
		if a, ok := a.(core.ApplyTunnel); ok {
			s.tun.Apply(&a.Change)
			for _, k := range a.Change.Remove {
				for i := range s.tun.Peers {
					if s.tun.Peers[i].PublicKey == k {
						s.tun.Peers[i].LastHandshake, s.tun.Peers[i].Rx = time.Time{}, 0
					}
				}
			}
			lines = append(lines, s.do(0, core.Applied{Action: a})...)
		}
	}
	return lines
}

func (s *script) observed(want ...string) {
	s.t.Helper()
	s.step(0, core.TunnelObserved{State: &s.tun}, want...)
}

// shake lets name's peer have a handshake now, from the endpoint.
func (s *script) shake(name, endpoint string) {
	for i := range s.tun.Peers {
		if p := &s.tun.Peers[i]; s.who[p.PublicKey] == name {
			p.LastHandshake, p.Endpoint = s.now, netip.MustParseAddrPort(endpoint)
			p.Rx += 100
		}
	}
}

// grow lets packets of a session arrive.
func (s *script) grow(name string) {
	for i := range s.tun.Peers {
		if p := &s.tun.Peers[i]; s.who[p.PublicKey] == name {
			p.Rx += 100
		}
	}
}

// render is an action in a line: observe, tunnel, net, names, fetch, report,
// signal, resolve, save, say.
func (s *script) render(a core.Action) string {
	switch a := a.(type) {
	case core.Observe:
		var b strings.Builder
		b.WriteString("observe")
		for _, x := range []struct {
			on   bool
			name string
		}{{a.Tunnel, " tunnel"}, {a.Net, " net"}, {a.Underlay, " underlay"}} {
			if x.on {
				b.WriteString(x.name)
			}
		}
		return b.String()
	case core.ApplyTunnel:
		return "tunnel" + s.renderChange(&a.Change)
	case core.ApplyNet:
		return fmt.Sprintf("net up=%v mtu=%d +%v -%v routes +%v -%v", a.Change.SetUp, a.Change.SetMTU,
			a.Change.AddAddresses, a.Change.RemoveAddresses, a.Change.AddRoutes, a.Change.RemoveRoutes)
	case core.SetNames:
		var names []string
		for _, e := range a.Entries {
			names = append(names, e.Names...)
		}
		return "names " + strings.Join(names, " ")
	case core.Fetch:
		return fmt.Sprintf("fetch %d/%d/%d", a.Position.Revision, a.Position.Epoch, a.Position.Seq)
	case core.Report:
		return fmt.Sprintf("report %v", a.Report.Candidates)
	case core.Signal:
		return fmt.Sprintf("signal %c to %v", a.Signal.Kind, a.To)
	case core.Resolve:
		return "resolve " + a.Host
	case core.Save:
		return fmt.Sprintf("save %d with %d", a.Map.Position.Revision, len(a.Map.Members))
	case core.FetchDone:
		return fmt.Sprintf("done %d: %v", a.Ticket, a.Err)
	case core.Say:
		if a.Text == "" {
			return "over " + a.Topic
		}
		return "say " + a.Topic
	}
	return fmt.Sprintf("unknown %T", a)
}

// renderChange: -ben removes, +ben adds, ~ben updates; @ is the endpoint, k the
// keepalive.
func (s *script) renderChange(c *platform.TunnelChange) string {
	var b strings.Builder
	if c.Set != 0 {
		fmt.Fprintf(&b, " set=%d", c.Set)
	}
	for _, k := range c.Remove {
		b.WriteString(" -" + s.who[k])
	}
	for _, p := range c.Peers {
		sign := " +"
		if p.Update {
			sign = " ~"
		}
		b.WriteString(sign + s.who[p.PublicKey])
		if p.Set&platform.SetEndpoint != 0 {
			fmt.Fprintf(&b, "@%v", p.Endpoint)
		}
		if p.Set&platform.SetKeepalive != 0 {
			fmt.Fprintf(&b, "k%d", p.Keepalive)
		}
	}
	return b.String()
}

func underlay(addrs ...string) core.UnderlayObserved {
	var ev core.UnderlayObserved
	for _, a := range addrs {
		ev.Addresses = append(ev.Addresses, platform.UnderlayAddress{Link: "wan", Prefix: netip.MustParsePrefix(a)})
	}
	return ev
}

func endpoints(seen string, candidates ...string) (e wire.Endpoints) {
	if seen != "" {
		e.Seen = netip.MustParseAddrPort(seen)
	}
	for _, c := range candidates {
		e.Candidates = append(e.Candidates, netip.MustParseAddrPort(c))
	}
	return e
}

func benMember(e wire.Endpoints) wire.Member {
	return wire.Member{Address: ben, Name: "ben", CIDR: "all", PublicKey: benKey.Public(), Endpoints: e}
}

func catMember(e wire.Endpoints) wire.Member {
	return wire.Member{Address: cat, Name: "cat", CIDR: "all", PublicKey: catKey.Public(), Endpoints: e}
}

func hubMember() wire.Member {
	return wire.Member{Address: hub, Name: "hub", CIDR: "infra", PublicKey: hubKey.Public(), Role: wire.RoleCoordinator}
}

func annMember() wire.Member {
	return wire.Member{Address: ann, Name: "ann", CIDR: "all", PublicKey: annKey.Public(),
		Endpoints: endpoints("203.0.113.1:51820")}
}

// whole is the whole map at a revision.
func whole(revision uint64, members ...wire.Member) *wire.Update {
	return &wire.Update{Position: wire.Position{Revision: revision, Epoch: 1, Seq: revision}, Network: "lab", Root: root,
		Self: annMember(), Ranges: []netip.Prefix{root}, Members: members}
}

// delta answers the last Fetch, with members as the only ones in ranges.
func (s *script) delta(revision, seq uint64, ranges []netip.Prefix, members ...wire.Member) *wire.Update {
	return &wire.Update{From: s.from, Position: wire.Position{Revision: revision, Epoch: 1, Seq: seq}, Network: "lab", Root: root,
		Self: annMember(), Ranges: ranges, Members: members}
}

// patch answers it with news of one member's endpoints.
func (s *script) patch(revision, seq uint64, a netip.Addr, e wire.Endpoints) *wire.Update {
	u := s.delta(revision, seq, nil)
	u.Patches = []wire.Patch{{Address: a, Endpoints: e}}
	return u
}

var linkUp = core.NetObserved{State: &platform.NetState{Up: true, MTU: 1280,
	Addresses: []netip.Prefix{netip.PrefixFrom(ann, 32)}, Routes: []netip.Prefix{root}}}

// ready is a script of ann, connected to the hub, with the given members.
func ready(t *testing.T, members ...wire.Member) *script {
	t.Helper()
	s := newScript(t, annConfig())
	s.do(0, core.Started{})
	s.do(0, linkUp)
	s.do(0, underlay("192.168.1.3/24"))
	s.do(0, core.TunnelObserved{State: &s.tun})
	s.applied()
	s.now = s.now.Add(250 * time.Millisecond)
	s.do(0, core.Tick{})
	s.shake("hub", hubEndpoint)
	s.do(0, core.TunnelObserved{State: &s.tun})
	s.do(0, core.Fetched{Update: whole(1, append([]wire.Member{hubMember()}, members...)...)})
	s.applied()
	s.do(0, core.Reported{})
	return s
}
