package core_test

import (
	"net/netip"
	"slices"
	"time"

	"ginnel/key"
	"ginnel/platform"
)

// wireguard is the part of WireGuard's behaviour that decisions depend on:
// handshakes at most every 5 s, roaming, sessions, keepalives.
type wireguard struct {
	n     *node
	key   key.PublicKey
	port  uint16
	state platform.TunnelState // of each peer the part that is configured
	links map[key.PublicKey]*wgPeer
}

type wgPeer struct {
	endpoint  netip.AddrPort
	keepalive uint16
	rx, tx    uint64
	handshake time.Time

	began       time.Time // of the last initiation
	attempt     uint64    // its number; 0: none under way
	tries       int
	cur, prev   wgSession
	next        wgSession // as responder, not confirmed yet
	staged      []any
	traversal   time.Time // of the last authenticated packet in either direction
	unanswered  time.Time // since when a payload was sent and nothing came
	gone        bool
	keepaliving bool
}

type wgSession struct {
	id        uint64
	at        time.Time
	initiator bool
}

type message struct {
	kind    byte // 'i'nitiation, 'r'esponse, 'd'ata
	from    key.PublicKey
	to      key.PublicKey
	attempt uint64
	session uint64
	payload any // nil: a keepalive
}

func (w *wireguard) apply(c *platform.TunnelChange) {
	for _, k := range c.Remove {
		if p := w.links[k]; p != nil {
			p.gone = true
			delete(w.links, k)
		}
	}
	w.state.Apply(c)
	for i := range c.Peers {
		w.applyPeer(&c.Peers[i])
	}
}

func (w *wireguard) applyPeer(c *platform.PeerChange) {
	p := w.links[c.PublicKey]
	if p == nil {
		if c.Update {
			return
		}
		p = &wgPeer{}
		w.links[c.PublicKey] = p
	}
	if c.Set&platform.SetEndpoint != 0 {
		p.endpoint = c.Endpoint
	}
	if c.Set&platform.SetKeepalive != 0 {
		was := p.keepalive
		p.keepalive = c.Keepalive
		if was == 0 && c.Keepalive != 0 {
			w.send(c.PublicKey, nil)
			w.keepaliveTimer(c.PublicKey, p)
		}
	}
}

// observe is a copy of what the interface shows.
func (w *wireguard) observe() *platform.TunnelState {
	s := w.state
	s.Backend, s.ListenPort = platform.Kernel, w.port
	s.Peers = slices.Clone(w.state.Peers)
	for i := range s.Peers {
		p := w.links[s.Peers[i].PublicKey]
		s.Peers[i].AllowedIPs = slices.Clone(s.Peers[i].AllowedIPs)
		s.Peers[i].Endpoint, s.Peers[i].Keepalive = p.endpoint, p.keepalive
		s.Peers[i].LastHandshake, s.Peers[i].Rx, s.Peers[i].Tx = p.handshake, p.rx, p.tx
	}
	return &s
}

func (p *wgPeer) live(now time.Time) bool {
	return p.cur.id != 0 && now.Sub(p.cur.at) < 180*time.Second
}

// send sends a payload, nil for a keepalive, to a peer.
func (w *wireguard) send(k key.PublicKey, payload any) {
	p, s := w.links[k], w.n.sim
	if p == nil || !p.endpoint.IsValid() {
		return
	}
	if !p.live(s.now) {
		if payload != nil {
			p.staged = append(p.staged, payload)
		}
		w.initiate(k, p, false)
		return
	}
	w.emit(p, message{kind: 'd', from: w.key, to: k, session: p.cur.id, payload: payload})
	if payload != nil && p.unanswered.IsZero() {
		at := s.now
		p.unanswered = at
		s.after(15*time.Second, func() {
			if !p.gone && p.unanswered.Equal(at) {
				p.unanswered = time.Time{}
				w.initiate(k, p, false)
			}
		})
	}
	if p.cur.initiator && s.now.Sub(p.cur.at) > 120*time.Second {
		w.initiate(k, p, false)
	}
}

func (w *wireguard) emit(p *wgPeer, m message) {
	p.tx += 32
	p.traversal = w.n.sim.now
	w.n.sim.send(w.n, p.endpoint, m)
}

// initiate sends an initiation unless one was sent in the last 5 s, and
// repeats it until it is answered.
func (w *wireguard) initiate(k key.PublicKey, p *wgPeer, again bool) {
	s := w.n.sim
	if !again {
		p.tries = 0
		if p.attempt != 0 {
			return // its timer is running
		}
	}
	if !p.began.IsZero() && s.now.Sub(p.began) < 5*time.Second {
		return
	}
	p.began = s.now
	s.session++
	p.attempt = s.session
	w.n.sim.send(w.n, p.endpoint, message{kind: 'i', from: w.key, to: k, attempt: p.attempt})
	p.tx += 148
	attempt := p.attempt
	s.after(5*time.Second+time.Duration(s.rnd.IntN(333))*time.Millisecond, func() {
		if p.gone || p.attempt != attempt {
			return
		}
		p.attempt = 0
		if p.tries++; p.tries < 18 {
			w.initiate(k, p, true)
		} else {
			p.staged = nil
		}
	})
}

func (w *wireguard) keepaliveTimer(k key.PublicKey, p *wgPeer) {
	if p.keepaliving || p.keepalive == 0 {
		return
	}
	p.keepaliving = true
	wait := time.Duration(p.keepalive) * time.Second
	due := p.traversal.Add(wait)
	if !due.After(w.n.sim.now) {
		due = w.n.sim.now.Add(wait)
	}
	w.n.sim.after(due.Sub(w.n.sim.now), func() {
		p.keepaliving = false
		if p.gone || p.keepalive == 0 {
			return
		}
		if w.n.sim.now.Sub(p.traversal) >= wait {
			w.send(k, nil)
		}
		w.keepaliveTimer(k, p)
	})
}

func (w *wireguard) receive(from netip.AddrPort, m message) {
	p, s := w.links[m.from], w.n.sim
	if p == nil || m.to != w.key {
		return
	}
	switch m.kind {
	case 'i':
		s.session++
		p.next = wgSession{id: s.session, at: s.now}
		w.authenticated(p, from, 148)
		w.emit(p, message{kind: 'r', from: w.key, to: m.from, attempt: m.attempt, session: p.next.id})
	case 'r':
		if m.attempt != p.attempt {
			return
		}
		p.attempt = 0
		p.prev, p.cur = p.cur, wgSession{id: m.session, at: s.now, initiator: true}
		p.handshake = s.now
		w.authenticated(p, from, 92)
		w.flush(m.from, p, true)
	case 'd':
		w.receiveData(p, from, m)
	}
}

func (w *wireguard) receiveData(p *wgPeer, from netip.AddrPort, m message) {
	now := w.n.sim.now
	switch m.session {
	case p.next.id:
		p.prev, p.cur, p.next = p.cur, p.next, wgSession{}
		p.handshake, p.attempt = now, 0
		w.authenticated(p, from, 32)
		w.flush(m.from, p, false)
	case p.cur.id, p.prev.id:
		if m.session == p.prev.id && now.Sub(p.prev.at) > 180*time.Second || m.session == p.cur.id && !p.live(now) {
			return
		}
		w.authenticated(p, from, 32)
		if p.cur.initiator && now.Sub(p.cur.at) > 165*time.Second {
			w.initiate(m.from, p, false) // keep_key_fresh of the kernel's receive.c
		}
	default:
		return
	}
	if m.payload != nil {
		w.n.payload(m.from, m.payload)
	}
}

func (w *wireguard) authenticated(p *wgPeer, from netip.AddrPort, size uint64) {
	p.rx += size
	p.endpoint = from
	p.traversal = w.n.sim.now
	p.unanswered = time.Time{}
}

// flush sends what waited for the session, at least a keepalive where the
// other side waits for a confirmation.
func (w *wireguard) flush(k key.PublicKey, p *wgPeer, confirm bool) {
	staged := p.staged
	p.staged = nil
	if len(staged) == 0 && confirm {
		w.send(k, nil)
	}
	for _, x := range staged {
		w.send(k, x)
	}
}

// wipe is the change that removes every peer.
func (w *wireguard) wipe() *platform.TunnelChange {
	c := &platform.TunnelChange{}
	for _, p := range w.state.Peers {
		c.Remove = append(c.Remove, p.PublicKey)
	}
	return c
}
