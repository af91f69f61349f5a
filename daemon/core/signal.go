package core

import "ginnel/wire"

// signalled takes a datagram. WireGuard has authenticated its source address,
// so it is evidence that its sender is reached; from others it is ignored.
func (c *Core) signalled(ev Signalled) {
	if ev.Signal.Kind == wire.SignalNudge && ev.From == c.cfg.Coordinator.Address {
		c.nudged(ev.Signal.Value)
		if c.onCoordinator() {
			// It is the role that says so. A peer that told it of new endpoints
			// has probably moved, and the role learns where to by the tunnel.
			c.look.tunnel(c.now)
		}
	}
	if ev.Signal.Kind == wire.SignalCurrent && ev.From == c.cfg.Coordinator.Address {
		c.pollAnswered(ev.Signal.Value)
	}
	p := c.addrs[ev.From]
	if p == nil {
		return
	}
	if ev.Signal.Kind == wire.SignalProbe {
		c.do(Signal{To: ev.From, Signal: wire.Signal{Kind: wire.SignalAnswer, Value: ev.Signal.Value}})
		if c.onCoordinator() {
			c.look.tunnel(c.now) // it may have moved, and the role must hear of it
		}
	}
	c.heard(p)
}

// heard notes that a packet came from p.
func (c *Core) heard(p *peer) {
	switch w := &p.path; {
	case w.state == doubted && w.primed:
		c.connect(p)
		c.look.tunnel(c.now) // it may have roamed: news is compared with what is in use
	case w.state == connected || w.state == doubted || p.passive():
	default:
		w.next = c.now // the tunnel shows more
	}
}
