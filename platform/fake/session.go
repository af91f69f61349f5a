package fake

import (
	"net/netip"
	"time"

	"ginnel/key"
	"ginnel/platform"
)

// Numbers of the WireGuard protocol, and sizes of its messages.
const (
	rekeyAfter    = 120 * time.Second // the initiator renews a session
	rejectAfter   = 180 * time.Second // a session ends
	retryAfter    = 5 * time.Second   // an unanswered initiation is repeated
	initiationLen = 148               // bytes
	responseLen   = 92
	keepaliveLen  = 32
)

// flow is what a tunnel keeps about a peer beside its configuration.
type flow struct {
	session *session  // nil: none
	next    time.Time // of the next packet sent by itself; zero: none
}

// session is what both sides share after a handshake.
type session struct {
	made      time.Time
	initiator *tunnel
}

// updateFlows makes t's flows those of its peers after the change c.
func (t *tunnel) updateFlows(c *platform.TunnelChange, rekeyed bool) {
	if c.ReplacePeers {
		clear(t.flows)
	}
	for _, k := range c.Remove {
		delete(t.flows, k)
	}
	for k := range t.flows {
		if t.peer(k) == nil {
			delete(t.flows, k)
		}
	}
	for i := range t.state.Peers {
		p := &t.state.Peers[i]
		f := t.flows[p.PublicKey]
		if f == nil {
			f = &flow{}
			t.flows[p.PublicKey] = f
		}
		if rekeyed {
			f.session = nil
		}
		if p.Keepalive == 0 {
			f.next = time.Time{}
		}
	}
}

// wake sends a packet to the peer k now, where it has a keepalive.
func (t *tunnel) wake(k key.PublicKey) {
	if p := t.peer(k); p != nil && p.Keepalive != 0 && t.link.state.Up {
		t.send(p, keepaliveLen)
	}
}

// wakeAll is what a link that comes up does.
func (t *tunnel) wakeAll() {
	for i := range t.state.Peers {
		t.wake(t.state.Peers[i].PublicKey)
	}
}

// nextSend returns when the next packet is due anywhere.
func (w *World) nextSend() (next time.Time, ok bool) {
	w.eachTunnel(func(t *tunnel) {
		for _, f := range t.flows {
			if !f.next.IsZero() && (!ok || f.next.Before(next)) {
				next, ok = f.next, true
			}
		}
	})
	return next, ok
}

// sendDue sends all packets that are due now.
func (w *World) sendDue() {
	w.eachTunnel(func(t *tunnel) {
		for i := range t.state.Peers {
			p := &t.state.Peers[i]
			if next := t.flows[p.PublicKey].next; !next.IsZero() && !next.After(w.now) {
				t.send(p, keepaliveLen)
			}
		}
	})
}

func (w *World) eachTunnel(f func(*tunnel)) {
	for _, o := range w.oses {
		for _, l := range o.links {
			if l.tunnel != nil {
				f(l.tunnel)
			}
		}
	}
}

// send sends one packet of n bytes to p, with a handshake before it where one
// is due, and tells which tunnel got it. It arranges for the next keepalive,
// or for the next try.
func (t *tunnel) send(p *platform.Peer, n uint64) (to *tunnel, ok bool) {
	w, f := t.os.w, t.flows[p.PublicKey]
	f.next = time.Time{}
	if !t.link.state.Up {
		return nil, false // coming up wakes it
	}
	pause := retryAfter
	if f.isFresh(w.now, t) || t.handshake(p, f) {
		pause = time.Duration(p.Keepalive) * time.Second
		to, ok = t.transport(p, f, n)
	}
	if p.Keepalive != 0 {
		f.next = w.now.Add(pause)
	}
	return to, ok
}

// isFresh tells whether t sends with its session without a new handshake.
func (f *flow) isFresh(now time.Time, t *tunnel) bool {
	if f.session == nil {
		return false
	}
	age := now.Sub(f.session.made)
	return age < rekeyAfter || age < rejectAfter && f.session.initiator != t
}

// handshake tries to make a new session with p.
func (t *tunnel) handshake(p *platform.Peer, f *flow) bool {
	peer, from, ok := t.datagram(p, initiationLen)
	if !ok {
		return false
	}
	back := peer.peer(t.own)
	if back == nil {
		return false
	}
	s := &session{made: t.os.w.now, initiator: t}
	f.session, peer.flows[t.own].session = s, s
	p.LastHandshake, back.LastHandshake = s.made, s.made
	back.Endpoint = from
	p.Rx, back.Tx = p.Rx+responseLen, back.Tx+responseLen
	back.Rx += initiationLen
	return true
}

// transport delivers a packet of n bytes in the session of f. The receiver,
// when it has the session too, follows the sender's address.
func (t *tunnel) transport(p *platform.Peer, f *flow, n uint64) (*tunnel, bool) {
	peer, from, ok := t.datagram(p, n)
	if !ok {
		return nil, false
	}
	back := peer.peer(t.own)
	if back == nil || peer.flows[t.own].session != f.session {
		return nil, false
	}
	back.Endpoint = from
	back.Rx += n
	return peer, true
}

// datagram sends n bytes to p's endpoint. It returns the tunnel there when it
// is the one p means, and where the bytes come from.
func (t *tunnel) datagram(p *platform.Peer, n uint64) (to *tunnel, from netip.AddrPort, ok bool) {
	if !p.Endpoint.IsValid() || t.state.PrivateKey.IsZero() {
		return nil, from, false
	}
	p.Tx += n
	to, source, ok := t.os.w.deliver(t.os, p.Endpoint)
	if !ok || to == t || to.own != p.PublicKey {
		return nil, from, false
	}
	return to, netip.AddrPortFrom(source, t.state.ListenPort), true
}

// route returns t's peer that owns the overlay address a, or nil.
func (t *tunnel) route(a netip.Addr) *platform.Peer {
	var best *platform.Peer
	bits := -1
	for i := range t.state.Peers {
		for _, p := range t.state.Peers[i].AllowedIPs {
			if p.Contains(a) && p.Bits() > bits {
				best, bits = &t.state.Peers[i], p.Bits()
			}
		}
	}
	return best
}

// carry sends n bytes inside the tunnel from one overlay address to another,
// and returns the tunnel they come out of.
func (t *tunnel) carry(from, to netip.Addr, n uint64) (*tunnel, bool) {
	if t.link.has(to) {
		return t, t.link.state.Up
	}
	p := t.route(to)
	if p == nil {
		return nil, false
	}
	out, ok := t.send(p, n)
	if !ok || out.route(from) != out.peer(t.own) || !out.link.has(to) {
		return nil, false
	}
	return out, true
}
