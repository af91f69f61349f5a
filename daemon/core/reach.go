package core

import (
	"fmt"
	"net/netip"
	"slices"
)

// Reach tells in a word how a member is reached, for people.
type Reach string

// The ways.
const (
	Direct     Reach = "direct"     // there is a session
	LAN        Reach = "lan"        // there is a session, with an endpoint in a subnet that this machine is attached to
	Connecting Reach = "connecting" // its endpoints are being tried
	Idle       Reach = "idle"       // no session, and none is wanted before there is something to send: keepalives are off
	NoPath     Reach = "none"       // all its endpoints were tried, or none is known; they are tried again now and then
	Waiting    Reach = "waiting"    // an invitee that has not joined
)

// reach tells how p is reached; where it is not, or not where the override says,
// why says why, if there is something to be said.
func (c *Core) reach(p *peer) (r Reach, why string) {
	w := &p.path
	switch {
	case p.connected(c.now):
		r = Direct
		at := netip.AddrPortFrom(p.sight.endpoint.Addr().Unmap(), p.sight.endpoint.Port())
		if c.view.attached(at.Addr()) {
			r = LAN
		}
		if c.overridden(p) && c.isElsewhere(p, at) {
			why = "it answers from elsewhere than the override says" // WireGuard follows it
		}
		return r, why
	case p.passive():
		return Waiting, ""
	case w.state == doubted:
		return Connecting, "it has fallen silent"
	case w.state == resting && w.round == 0 && c.cfg.Keepalive == 0 && !p.shaken.IsZero():
		return Idle, ""
	}
	known := len(c.candidates(p))
	switch {
	case known == 0:
		return NoPath, "no endpoint of it is known"
	case w.round == 0 || w.state == trying && w.round < eagerRounds:
		return Connecting, ""
	case known == 1:
		return NoPath, "its only known endpoint does not answer"
	}
	return NoPath, fmt.Sprintf("none of its %d known endpoints answers", known)
}

// isElsewhere tells whether at is none of the places that are known of p's hosts.
func (c *Core) isElsewhere(p *peer, at netip.AddrPort) bool {
	places := c.places(p)
	return len(places) > 0 && !slices.Contains(places, at)
}
