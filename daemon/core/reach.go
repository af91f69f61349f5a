package core

import "fmt"

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

// reach tells how p is reached; where it is not, why says why, if there is
// something to be said.
func (c *Core) reach(p *peer) (r Reach, why string) {
	w := &p.path
	switch {
	case p.connected(c.now) && c.view.attached(p.sight.endpoint.Addr().Unmap()):
		return LAN, ""
	case p.connected(c.now):
		return Direct, ""
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
