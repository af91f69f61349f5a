package core

import (
	"net/netip"
	"slices"
)

// Settings are the part of a Config that may change while the core lives. No
// session is lost by it.
type Settings struct {
	ListenPort uint16 // 0: any, and the chosen one is kept
	// Announced is where this machine says that it is reached, as
	// wire.CheckAnnounced wants it, best first.
	Announced []string
	// Overrides say at which endpoint, host:port, members are reached, by their
	// overlay addresses. Others of such a member are not tried.
	Overrides map[netip.Addr]string
}

// configure takes new settings.
func (c *Core) configure(s Settings) {
	was := c.cfg.Settings
	c.cfg.Settings = s
	if s.ListenPort != was.ListenPort {
		c.tun.port, c.tun.another, c.tun.dirty = s.ListenPort, s.ListenPort == 0, true
	}
	if !slices.Equal(s.Announced, was.Announced) {
		c.report.refusal = nil
		c.over(topicAnnounced) // told again where it lasts
	}
	for _, p := range c.peers {
		if a := p.member.Address; s.Overrides[a] != was.Overrides[a] {
			c.rewritten(p)
		}
	}
	c.forgetNames()
}

// rewritten looks at p's path again when what is written down of it may have
// changed.
func (c *Core) rewritten(p *peer) {
	if c.syncHosts(p) {
		c.resolveOld(p)
		c.candidatesChanged(p, false)
	}
}

// overridden tells whether this machine's configuration says where p is
// reached, whatever others say.
func (c *Core) overridden(p *peer) bool {
	_, ok := c.cfg.Overrides[p.member.Address]
	return ok
}

// portMoved is told that our UDP port became another one: who sends to the old
// one is lost until a packet of ours tells the new one.
func (c *Core) portMoved() {
	for _, p := range c.peers {
		switch p.path.state {
		case connected, doubted:
			c.doubt(p, false)
		}
	}
}
