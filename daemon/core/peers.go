package core

import (
	"net/netip"
	"slices"
	"sort"
	"time"

	"ginnel/key"
	"ginnel/platform"
	"ginnel/wire"
)

// sessionLife is how long a WireGuard session carries packets after its
// handshake (REJECT_AFTER_TIME). A live pair with keepalive makes a new one in
// time.
const sessionLife = 180 * time.Second

// peer is a member, or the coordinator, as a WireGuard peer.
type peer struct {
	member  wire.Member
	allowed []netip.Prefix // never modified: changes under way point to it
	sight   sight
	path    path
	unmet   bool // not considered yet since it became a peer
	hosts   []host
	looked  time.Time // when one of its hosts was last looked up; zero: never
	// These outlive the peer's being removed and added again, for people.
	shaken  time.Time // the last handshake, by the clock of Step; zero: never
	heard   time.Time // when something arrived last, by the clock of Step; zero: never
	renewed bool      // taken out of the model, so that the next change removes it and adds it again
}

// sight is what the tunnel showed of a peer. The zero value: not there.
type sight struct {
	at        time.Time // of the observation
	endpoint  netip.AddrPort
	handshake time.Time // as the tunnel says, by the wall clock
	shook     time.Time // the same by the clock of Step, which does not jump; zero: no session that counts
	rx, tx    uint64    // bytes
	heard     time.Time // of the last observation that showed that something had arrived, or of the first
}

// evidence is what an observation shows that the one before did not.
type evidence struct {
	grew  bool // authenticated packets arrived
	newer bool // a handshake was completed
}

// see takes in what the tunnel shows of the peer now; nil: it is not there.
func (p *peer) see(now time.Time, o *platform.Peer) (e evidence) {
	if o == nil {
		p.sight = sight{}
		return e
	}
	s := &p.sight
	e.grew = !s.at.IsZero() && o.Rx > s.rx
	if !o.LastHandshake.Equal(s.handshake) {
		e.newer = !o.LastHandshake.IsZero()
		s.shook = shookAt(now, o.LastHandshake, s.at)
	}
	p.hear(now, e, o)
	if e.grew || e.newer || s.at.IsZero() {
		s.heard = now
	}
	s.at, s.endpoint, s.handshake, s.rx, s.tx = now, o.Endpoint, o.LastHandshake, o.Rx, o.Tx
	return e
}

// hear notes down what evidence shows of the peer's being there.
func (p *peer) hear(now time.Time, e evidence, o *platform.Peer) {
	if e.newer {
		p.shaken, p.heard = p.sight.shook, p.sight.shook
	}
	if e.grew {
		p.heard = now
	}
}

// shookAt returns when a handshake that the last observation did not show was
// completed. The wall clock is believed only where it does not contradict
// that: routers boot in 1970 and jump.
func shookAt(now, handshake, lastSeen time.Time) time.Time {
	if handshake.IsZero() {
		return time.Time{}
	}
	age := now.Sub(handshake)
	if age < 0 || !lastSeen.IsZero() && age > now.Sub(lastSeen) {
		age = 0
	}
	return now.Add(-age)
}

// alive tells whether the peer has a session.
func (s *sight) alive(now time.Time) bool {
	return !s.shook.IsZero() && now.Sub(s.shook) <= sessionLife
}

// passive tells whether the peer is only waited for: an invitee comes by
// itself, once, to redeem.
func (p *peer) passive() bool { return p.member.Role == wire.RoleInvitee }

// connected is what people are shown.
func (p *peer) connected(now time.Time) bool {
	w := &p.path
	return p.sight.alive(now) && (w.state == connected || w.state == doubted && !w.failed)
}

// coordinator returns the coordinator's peer; nil on its own machine.
func (c *Core) coordinator() *peer {
	if c.onCoordinator() {
		return nil
	}
	return c.addrs[c.cfg.Coordinator.Address]
}

// syncPeers makes the peers those of the map, and the coordinator, whatever
// the map says. Members that stay keep what is known of them.
func (c *Core) syncPeers() {
	peers := make([]*peer, 0, len(c.world.Members)+1)
	for i := range c.world.Members {
		m := &c.world.Members[i]
		p := c.addrs[m.Address]
		if p == nil || p.member.PublicKey != m.PublicKey || p.member.Role != m.Role {
			p = c.newPeer(m)
		}
		peers = append(peers, p)
	}
	if p := c.missingCoordinator(peers); p != nil {
		peers = append(peers, p)
		sort.Slice(peers, func(i, j int) bool { return peers[i].member.Address.Less(peers[j].member.Address) })
	}
	if !slices.Equal(peers, c.peers) {
		c.index(peers)
	}
	for i := range c.world.Members {
		m := &c.world.Members[i]
		c.renew(c.addrs[m.Address], m)
	}
}

func (c *Core) newPeer(m *wire.Member) *peer {
	p := &peer{member: *m, unmet: true, allowed: []netip.Prefix{host32(m.Address)}}
	if !p.passive() {
		p.path.next = c.now
		if c.yields(p) {
			p.path.next = c.now.Add(stagger)
		}
	}
	p.path.rest = backoff{first: restFirst, most: restMost}
	if m.Address == c.cfg.Coordinator.Address {
		p.path.rest.most = restMostCoord
	}
	c.syncHosts(p)
	return p
}

// missingCoordinator returns the coordinator's peer where the map lacks it.
func (c *Core) missingCoordinator(peers []*peer) *peer {
	pinned := &c.cfg.Coordinator
	if c.onCoordinator() || slices.ContainsFunc(peers, func(p *peer) bool { return p.member.Address == pinned.Address }) {
		return nil
	}
	if p := c.addrs[pinned.Address]; p != nil {
		return p
	}
	m := wire.Member{Address: pinned.Address, PublicKey: pinned.PublicKey, Role: wire.RoleCoordinator}
	return c.newPeer(&m)
}

// index makes peers, sorted by address, the present ones.
func (c *Core) index(peers []*peer) {
	c.peers = peers
	c.byKey = slices.Clone(peers)
	sort.Slice(c.byKey, func(i, j int) bool {
		return c.byKey[i].member.PublicKey.Compare(c.byKey[j].member.PublicKey) < 0
	})
	c.addrs = make(map[netip.Addr]*peer, len(peers))
	c.keys = make(map[key.PublicKey]*peer, len(peers))
	for _, p := range peers {
		c.addrs[p.member.Address], c.keys[p.member.PublicKey] = p, p
	}
	c.tun.dirty = true
	c.forgetNames()
	if c.onCoordinator() {
		c.look.tunnel(c.now) // the looks are far apart while there is nobody
	}
}

// renew gives p its record of the map, and looks at its path again when its
// endpoints are news.
func (c *Core) renew(p *peer, m *wire.Member) {
	was := p.member.Endpoints
	p.member = *m
	if sameEndpoints(was, m.Endpoints) || c.overridden(p) {
		return
	}
	if c.syncHosts(p) {
		c.resolveOld(p)
	}
	moved := m.Endpoints.Seen.IsValid() && was.Seen != m.Endpoints.Seen &&
		(was.Seen == p.sight.endpoint || p.path.state == doubted)
	c.candidatesChanged(p, moved)
}

// welcome begins the paths of new peers that the tunnel does not have, without
// another look: there is no session that could be lost, and they are added with
// their first candidate.
func (c *Core) welcome() {
	for _, p := range c.peers {
		if !p.unmet {
			continue
		}
		p.unmet = false
		_, there := c.tun.find(p.member.PublicKey)
		if !there && p.path.state == resting && !p.passive() && !c.yields(p) {
			c.begin(p)
		}
	}
}

// yields tells whether the other side of the pair goes first. Both learn of
// each other at the same moment, and two initiations that cross undo each
// other: each side forgets its own for the other's, and refuses the answer. So
// the one with the higher address begins a little later and tries a little
// longer; peers go before the coordinator.
func (c *Core) yields(p *peer) bool {
	switch {
	case c.onCoordinator():
		return true
	case p.member.Address == c.cfg.Coordinator.Address:
		return false
	}
	return c.cfg.Address.Compare(p.member.Address) > 0
}
