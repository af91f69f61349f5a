package core_test

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"ginnel/daemon/core"
	"ginnel/key"
	"ginnel/platform"
	"ginnel/wire"
)

var simRoot = netip.MustParsePrefix("10.77.0.0/16")

const simKeepalive = 25

// node is a machine: a core, the shell around it, and WireGuard.
type node struct {
	sim  *sim
	name string
	over netip.Addr
	priv key.PrivateKey
	cfg  core.Config
	core *core.Core
	wg   *wireguard
	link platform.NetState

	home *home      // nil: on the outside
	addr netip.Addr // on the underlay; zero: none
	off  bool       // the machine is down

	life      int // raised when the daemon ends: what was under way is lost
	timer     int
	saved     core.Save
	says      []core.Say
	ticks     int
	actions   int
	touched   []string // endpoints of live peers that were changed
	names     []platform.HostEntry
	calls     map[uint64]func(any) // API calls under way
	lastSaved int
}

var simCoordinator = netip.MustParseAddr("10.77.0.1")

func simKey(i int) key.PrivateKey {
	return key.NewPrivate([key.Size]byte{1: byte(i), 2: byte(i >> 8), 3: 7})
}

// newNode makes a machine that is not in the network yet; i is its number, 1
// the coordinator's.
func (s *sim) newNode(i int, name string, h *home, addr string) *node {
	n := &node{sim: s, name: name, priv: simKey(i), home: h, addr: netip.MustParseAddr(addr), calls: map[uint64]func(any){}}
	n.over = netip.AddrFrom4([4]byte{10, 77, byte(i >> 8), byte(i)})
	n.wg = &wireguard{n: n, key: n.priv.Public(), port: 51820, links: map[key.PublicKey]*wgPeer{}}
	n.cfg = core.Config{
		Network: "sim", Root: simRoot, Address: n.over, PrivateKey: n.priv, MTU: 1280,
		Keepalive: simKeepalive, Routes: true, Names: true, Suffix: "wg", Jitter: s.rnd.Float64(),
		Coordinator: core.Coordinator{Address: simCoordinator, PublicKey: simKey(1).Public(), Endpoints: []string{"198.51.100.1:51820"}},
	}
	if i == 1 {
		n.cfg.Coordinator.Endpoints = nil
	}
	s.nodes = append(s.nodes, n)
	return n
}

func (n *node) member() wire.Member {
	m := wire.Member{Address: n.over, Name: n.name, CIDR: "all", PublicKey: n.wg.key}
	if n.over == simCoordinator {
		m.Role, m.CIDR = wire.RoleCoordinator, "infra"
	}
	return m
}

// boot starts the daemon with what was saved last.
func (n *node) boot() {
	n.core = core.New(n.cfg)
	n.step(core.Started{Map: n.saved.Map, Pins: n.saved.Pins})
}

// kill ends the daemon; the tunnel stays as it is.
func (n *node) kill() {
	n.life++
	n.core = nil
}

// move takes the machine to another home.
func (n *node) move(h *home, addr string) {
	n.home, n.addr = h, netip.MustParseAddr(addr)
	n.sim.note("%s moves to %s", n.name, addr)
	if n.core != nil {
		n.later(time.Millisecond, func() { n.step(core.Changed{}) })
	}
}

// later does do unless the daemon ends before.
func (n *node) later(d time.Duration, do func()) {
	life := n.life
	n.sim.after(d, func() {
		if n.life == life && !n.off {
			do()
		}
	})
}

func (n *node) step(ev core.Event) {
	for _, a := range n.core.Step(n.sim.now, ev) {
		n.actions++
		if n.sim.verbose {
			n.sim.note("%s: %T -> %T %+v", n.name, ev, a, a)
		}
		n.do(a)
	}
	n.checkDesired()
	if d := n.core.Deadline(); ev == (core.Tick{}) && len(n.core.Step(n.sim.now, core.Tick{})) > 0 || !d.IsZero() && !d.After(n.sim.now) {
		n.sim.fail("%s: not at rest after %T, deadline %v", n.name, ev, d.Sub(n.sim.now))
	}
	n.timer++
	timer := n.timer
	if d := n.core.Deadline(); !d.IsZero() {
		n.later(max(0, d.Sub(n.sim.now)), func() {
			if n.timer == timer {
				n.ticks++
				n.step(core.Tick{})
			}
		})
	}
}

const simShell = time.Millisecond // what doing something takes

func (n *node) answer(ev core.Event) { n.later(simShell, func() { n.step(ev) }) }

func (n *node) do(a core.Action) {
	switch a := a.(type) {
	case core.Rest:
	case core.Observe:
		n.observe(a)
	case core.ApplyTunnel:
		n.checkTouch(&a.Change)
		n.wg.apply(&a.Change)
		n.answer(core.Applied{Action: a})
	case core.ApplyNet:
		n.applyNet(&a.Change)
		n.answer(core.Applied{Action: a})
	case core.SetNames:
		n.names = a.Entries
	case core.Save:
		n.saved = a
		n.lastSaved++
	case core.Say:
		n.says = append(n.says, a)
		n.sim.note("%s says %s: %q", n.name, a.Topic, a.Text)
	case core.Signal:
		n.sendPayload(a.To, a.Signal)
	case core.Fetch:
		n.call(a.Position, func(x any) {
			u, ok := x.(*wire.Update)
			if !ok {
				n.step(core.Fetched{Err: errors.New("timed out")})
				return
			}
			n.step(core.Fetched{Update: u})
		})
	case core.Report:
		n.call(a.Report, func(x any) {
			var err error
			if x == nil {
				err = errors.New("timed out")
			}
			n.step(core.Reported{Err: err})
		})
	default:
		n.sim.fail("%s: unexpected %T", n.name, a)
	}
}

func (n *node) observe(a core.Observe) {
	if a.Underlay {
		var us []platform.UnderlayAddress
		if n.addr.IsValid() {
			us = append(us, platform.UnderlayAddress{Link: "eth0", Prefix: netip.PrefixFrom(n.addr, 24)})
		}
		n.answer(core.UnderlayObserved{Addresses: us})
	}
	if a.Net {
		state := n.link
		n.answer(core.NetObserved{State: &state})
	}
	if a.Tunnel {
		state := n.wg.observe()
		n.later(simShell, func() {
			if n.sim.role != nil && n.sim.role.n == n {
				n.sim.role.sighted(state)
			}
			n.step(core.TunnelObserved{State: state})
		})
	}
}

func (n *node) applyNet(c *platform.NetChange) {
	if c.SetUp {
		n.link.Up = true
	}
	if c.SetMTU != 0 {
		n.link.MTU = c.SetMTU
	}
	n.link.Addresses = append(n.link.Addresses, c.AddAddresses...)
	n.link.Routes = append(n.link.Routes, c.AddRoutes...)
}

// sendPayload sends something to an overlay address.
func (n *node) sendPayload(to netip.Addr, payload any) {
	for _, p := range n.wg.state.Peers {
		if slices.ContainsFunc(p.AllowedIPs, func(a netip.Prefix) bool { return a.Contains(to) }) {
			n.wg.send(p.PublicKey, payload)
			return
		}
	}
}

type request struct {
	id   uint64
	body any
}

type reply struct {
	id   uint64
	body any
}

// call asks the coordinator, repeating each second for ten, as TCP would.
func (n *node) call(body any, done func(any)) {
	if n.sim.role != nil && n.sim.role.n == n {
		n.later(simShell, func() { done(n.sim.role.serve(n.over, body)) })
		return
	}
	n.sim.session++
	id := n.sim.session
	n.calls[id] = done
	finish := func(x any) {
		if f := n.calls[id]; f != nil {
			delete(n.calls, id)
			f(x)
		}
	}
	for i := range 10 {
		n.later(time.Duration(i)*time.Second, func() {
			if n.calls[id] != nil {
				n.sendPayload(simCoordinator, request{id, body})
			}
		})
	}
	n.later(10*time.Second, func() { finish(nil) })
}

// payload takes what came through the tunnel.
func (n *node) payload(from key.PublicKey, x any) {
	i := slices.IndexFunc(n.sim.nodes, func(o *node) bool { return o.wg.key == from })
	src := n.sim.nodes[i].over
	if n.core == nil {
		return
	}
	switch x := x.(type) {
	case wire.Signal:
		if x.Kind == wire.SignalPoll {
			n.sim.role.polled(src, x.Value)
			return
		}
		n.answer(core.Signalled{From: src, Signal: x})
	case request:
		n.later(simShell, func() { n.sendPayload(src, reply{x.id, n.sim.role.serve(src, x.body)}) })
	case reply:
		if f := n.calls[x.id]; f != nil {
			delete(n.calls, x.id)
			f(x.body)
		}
	}
}

// connected tells whether n's core says that it reaches o.
func (n *node) connected(o *node) bool {
	for _, p := range n.core.AppendPeers(nil) {
		if p.Member.Address == o.over {
			return p.Connected
		}
	}
	return false
}

// reaches sends payloads both ways and tells whether they arrive: whatever the
// cores believe.
func (s *sim) reaches(a, b *node) bool {
	pa, pb := a.wg.links[b.wg.key], b.wg.links[a.wg.key]
	return pa != nil && pb != nil && pa.live(s.now) && pb.live(s.now) && s.wouldArrive(a, pa.endpoint, b) && s.wouldArrive(b, pb.endpoint, a)
}

// wouldArrive tells whether a packet from a to the endpoint would be let in to
// b now; it opens no way.
func (s *sim) wouldArrive(a *node, to netip.AddrPort, b *node) bool {
	if a.home != nil && a.home.lan.Contains(to.Addr()) {
		return b.home == a.home && b.addr == to.Addr()
	}
	if h := s.homes[to.Addr()]; h != nil {
		if h == a.home {
			return false
		}
		o := h.holes[to.Port()]
		if o == nil || b.home != h || o.inner.Addr() != b.addr {
			return false
		}
		from := netip.AddrPortFrom(a.addr, a.wg.port)
		if a.home != nil {
			from = a.home.out(s.now, from, to)
		}
		_, ok := h.in(s.now, to.Port(), from)
		return ok
	}
	return b.home == nil && b.addr == to.Addr()
}

// checkDesired holds after every step.
func (n *node) checkDesired() {
	d := n.core.Desired()
	seen := map[netip.Prefix]bool{}
	want := len(n.core.Map().Members)
	hasCoord := n.over == simCoordinator
	for i, p := range d.Peers {
		for _, a := range p.AllowedIPs {
			if seen[a] {
				n.sim.fail("%s: %s is allowed twice", n.name, a)
			}
			seen[a] = true
		}
		if i > 0 && d.Peers[i-1].PublicKey.Compare(p.PublicKey) >= 0 {
			n.sim.fail("%s: desired peers are not sorted", n.name)
		}
		hasCoord = hasCoord || p.PublicKey == n.cfg.Coordinator.PublicKey
	}
	if !hasCoord || len(d.Peers) < want || len(d.Peers) > want+1 {
		n.sim.fail("%s: %d desired peers for %d members, coordinator among them: %v", n.name, len(d.Peers), want, hasCoord)
	}
}

// checkTouch notes changes that hurt a peer with a working session.
func (n *node) checkTouch(c *platform.TunnelChange) {
	hurt := func(k key.PublicKey) bool {
		p := n.wg.links[k]
		return p != nil && !p.handshake.IsZero() && n.sim.now.Sub(p.handshake) < 180*time.Second
	}
	for _, k := range c.Remove {
		if hurt(k) {
			n.touched = append(n.touched, "removed "+n.sim.nameOf(k))
		}
	}
	for _, p := range c.Peers {
		if p.Set&platform.SetEndpoint != 0 && hurt(p.PublicKey) {
			n.touched = append(n.touched, "moved "+n.sim.nameOf(p.PublicKey))
		}
	}
	for _, x := range n.touched {
		n.sim.note("%s touched: %s", n.name, x)
	}
}

func (s *sim) nameOf(k key.PublicKey) string {
	for _, n := range s.nodes {
		if n.wg.key == k {
			return n.name
		}
	}
	return k.String()
}
