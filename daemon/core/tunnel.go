package core

import (
	"errors"
	"net/netip"
	"slices"
	"sort"

	"ginnel/key"
	"ginnel/platform"
)

// maxSlice is how many peers one change adds or updates at most: adding a peer
// costs a slow router a millisecond, and between changes the shell sees to
// other things.
const maxSlice = 50

// tunnel is the WireGuard interface.
type tunnel struct {
	observed platform.TunnelState // what is there, as last observed and changed since
	known    bool                 // observed can be relied upon
	arena    []netip.Prefix       // memory of observed's allowed IPs
	desired  platform.TunnelState
	dirty    bool   // observed and desired may differ
	applying int    // changes under way
	failed   bool   // one of them failed
	port     uint16 // desired; 0: any, none is chosen yet
	another  bool   // a free port is to be chosen in the place of the present one
	retry    backoff
	portPace backoff // of the looks at a port that was changed
}

// keep makes s, a whole observation, the model. It is copied.
func (t *tunnel) keep(s *platform.TunnelState) {
	if t.applying > 0 {
		return // it may be older than the changes
	}
	peers := append(t.observed.Peers[:0], s.Peers...)
	t.observed = *s
	t.observed.Peers = peers
	t.arena = t.arena[:0]
	for i := range peers {
		from := len(t.arena)
		t.arena = append(t.arena, peers[i].AllowedIPs...)
		peers[i].AllowedIPs = slices.Clip(t.arena[from:])
	}
	t.known, t.dirty = true, true
}

func (t *tunnel) find(k key.PublicKey) (int, bool) {
	return sort.Find(len(t.observed.Peers), func(i int) int { return k.Compare(t.observed.Peers[i].PublicKey) })
}

// ready tells whether enough is known to decide: what the tunnel has, and
// where this machine is.
func (c *Core) ready() bool { return c.tun.known && c.underlayKnown }

// buildDesired makes the desired tunnel from the peers and their paths.
func (c *Core) buildDesired() {
	d := &c.tun.desired
	d.PrivateKey, d.ListenPort = c.cfg.PrivateKey, c.tun.port
	d.Peers = d.Peers[:0]
	for _, p := range c.byKey {
		d.Peers = append(d.Peers, platform.Peer{
			PublicKey:  p.member.PublicKey,
			Endpoint:   p.path.want,
			Keepalive:  c.keepalive(p),
			AllowedIPs: p.allowed,
		})
	}
}

// keepalive is p's desired one, in seconds.
func (c *Core) keepalive(p *peer) uint16 {
	switch {
	case p.passive() || p.path.state == resting:
		return 0
	case p.path.state == trying && c.cfg.Keepalive == 0:
		return tryKeepalive
	}
	return c.cfg.Keepalive
}

// syncTunnel asks for the changes that make the tunnel as it should be.
func (c *Core) syncTunnel() {
	t := &c.tun
	if !t.dirty || !c.ready() || t.applying > 0 {
		return
	}
	t.dirty = false
	c.welcome()
	c.buildDesired()
	c.takeOutFresh()
	var ch platform.TunnelChange
	platform.DiffTunnel(&ch, &t.observed, &t.desired)
	if t.another {
		t.another = false
		ch.Set |= platform.SetListenPort
	}
	if ch.IsEmpty() {
		c.over(topicTunnel)
	} else {
		c.applyInSlices(&ch)
	}
	c.kickAll()
}

// takeOutFresh takes the peers that begin a try out of the model, so that the
// difference adds them again.
func (c *Core) takeOutFresh() {
	c.tun.observed.Peers = slices.DeleteFunc(c.tun.observed.Peers, func(o platform.Peer) bool {
		p := c.keys[o.PublicKey]
		if p == nil || !p.path.fresh {
			return false
		}
		p.renewed = true
		return true
	})
	for _, p := range c.peers {
		p.path.fresh = false
	}
}

// applyInSlices asks for ch in slices of at most maxSlice peers, the
// coordinator's first: all else waits for it.
func (c *Core) applyInSlices(ch *platform.TunnelChange) {
	peers := ch.Peers
	ch.Peers = nil
	if k := c.cfg.Coordinator.PublicKey; !c.onCoordinator() {
		if i := slices.IndexFunc(peers, func(p platform.PeerChange) bool { return p.PublicKey == k }); i > 0 {
			peers[0], peers[i] = peers[i], peers[0]
		}
	}
	part := *ch
	for {
		n := min(len(peers), maxSlice)
		part.Peers, peers = slices.Clip(peers[:n]), peers[n:]
		for i := range part.Peers {
			if p := c.keys[part.Peers[i].PublicKey]; p.renewed {
				p.renewed = false
				part.Remove = append(part.Remove, part.Peers[i].PublicKey)
			}
		}
		c.apply(part)
		if len(peers) == 0 {
			return
		}
		part = platform.TunnelChange{}
	}
}

func (c *Core) apply(ch platform.TunnelChange) {
	c.tun.applying++
	c.do(ApplyTunnel{Change: ch})
}

// kickAll makes WireGuard send a packet to each peer that is to be kicked, the
// coordinator first, by turning its keepalive off and on, and probes it.
func (c *Core) kickAll() {
	var kicked []*peer
	for _, p := range c.byKey {
		if p.path.kick {
			p.path.kick = false
			kicked = append(kicked, p)
		}
	}
	if i := slices.Index(kicked, c.coordinator()); i > 0 {
		kicked[0], kicked[i] = kicked[i], kicked[0]
	}
	for len(kicked) > 0 {
		part := kicked[:min(len(kicked), maxSlice)]
		kicked = kicked[len(part):]
		var first, second platform.TunnelChange
		for _, p := range part {
			a, b := uint16(0), c.keepalive(p)
			if b == 0 {
				a, b = tryKeepalive, 0
			}
			first.Peers = append(first.Peers, setKeepalive(p, a))
			second.Peers = append(second.Peers, setKeepalive(p, b))
		}
		c.apply(first)
		c.apply(second)
		for _, p := range part {
			c.probe(p)
		}
	}
}

func setKeepalive(p *peer, seconds uint16) platform.PeerChange {
	return platform.PeerChange{PublicKey: p.member.PublicKey, Update: true, Set: platform.SetKeepalive, Keepalive: seconds}
}

// tunnelApplied takes the answer to a change. After a failure nobody knows
// what is there: it is observed, with growing patience.
func (c *Core) tunnelApplied(ch *platform.TunnelChange, err error) {
	t := &c.tun
	t.applying--
	switch {
	case err != nil:
		t.known, t.failed = false, true
		if errors.Is(err, platform.ErrInUse) {
			t.port = c.cfg.ListenPort // where any port will do, another one
		}
		t.another = t.another || ch.Set&platform.SetListenPort != 0 && ch.ListenPort == 0
		c.say(topicTunnel, "cannot change the tunnel: %v", err)
	case t.known:
		t.observed.Apply(ch)
		c.follow(ch)
		c.portApplied(ch)
	}
	if t.applying > 0 {
		return
	}
	if t.failed {
		t.failed = false
		c.look.tunnelDue = earliest(c.look.tunnelDue, c.now.Add(t.retry.fail()))
		return
	}
	t.retry.ok()
	c.over(topicTunnel)
}

// follow keeps what is known of the peers in step with a change.
func (c *Core) follow(ch *platform.TunnelChange) {
	for i := range ch.Peers {
		p := c.keys[ch.Peers[i].PublicKey]
		switch {
		case p == nil:
		case !ch.Peers[i].Update:
			p.sight = sight{at: c.now, endpoint: ch.Peers[i].Endpoint}
		case ch.Peers[i].Set&platform.SetEndpoint != 0:
			p.sight.endpoint = ch.Peers[i].Endpoint
		}
	}
}
