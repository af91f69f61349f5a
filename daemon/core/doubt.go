package core

import (
	"net/netip"
	"slices"
	"time"

	"ginnel/wire"
)

// doubt begins when there is reason to think that p's endpoint does not carry
// any longer, though there is a session: our own addresses changed, or p's, or
// p has fallen silent.
// moved tells that the endpoint in use was the member's old Seen, so that its
// new one is where to send at once.
//
// Each step makes WireGuard send a packet and probes the other daemon. If it
// gets through, the other side learns our new address by it (roaming), and its
// answer is the evidence that ends the doubt.
func (c *Core) doubt(p *peer, moved bool) {
	w := &p.path
	if w.state != doubted {
		w.failed = false
	}
	w.state, w.primed, w.moved = doubted, false, moved
	w.last, w.was = netip.AddrPort{}, p.sight.endpoint
	w.next = c.now
}

// prime begins the steps, when it was just observed what is in use and how
// much has arrived. What roamed meanwhile is tested as it is.
func (c *Core) prime(p *peer) {
	w := &p.path
	list := c.candidates(p)
	w.at, w.want = -1, netip.AddrPort{}
	seen := p.member.Endpoints.Seen
	switch {
	case c.overridden(p):
		if len(list) > 0 && !slices.Contains(list, p.sight.endpoint) {
			w.at = 0 // it is not to be used
		}
	case w.moved && w.was == p.sight.endpoint && seen != w.was && c.view.usable(seen):
		w.at = 0
		list = append([]netip.AddrPort{seen}, list...)
	}
	w.primed, w.was = true, p.sight.endpoint
	w.list = distinct(list, w.was)
}

// silent tells whether nothing has arrived from p for longer than its
// keepalives leave between them: two are missing. Where the other side sends
// none, its answer to the probe ends the doubt. Without keepalives of our own
// nobody asked for a watch.
func (c *Core) silent(p *peer) bool {
	missing := 2*time.Duration(c.cfg.Keepalive)*time.Second + silenceSlack
	return c.cfg.Keepalive > 0 && !p.passive() && c.now.Sub(p.sight.heard) >= missing
}

// distinct drops repetitions and one more, in place.
func distinct(list []netip.AddrPort, not netip.AddrPort) []netip.AddrPort {
	kept := list[:0]
	for _, ep := range list {
		if ep != not && !slices.Contains(kept, ep) {
			kept = append(kept, ep)
		}
	}
	return kept
}

// judgeDoubted goes on with a path in doubt.
func (c *Core) judgeDoubted(p *peer, e evidence, act bool) {
	w := &p.path
	switch {
	case w.primed && (e.grew || e.newer):
		c.connect(p)
	case !act || !due(w.next, c.now):
	case !p.sight.alive(c.now):
		c.begin(p)
	case !w.primed:
		c.prime(p)
		c.doubtNow(p)
	case !due(w.until, c.now):
		w.lookAgain(c.now)
	default:
		w.failed = true
		w.at++
		c.doubtNow(p)
	}
}

// doubtNow puts p's present endpoint, or the next one, to the test. After the
// last one the session is given up.
func (c *Core) doubtNow(p *peer) {
	w := &p.path
	if w.at >= len(w.list) {
		p.sight.shook = time.Time{} // the session does not count any longer
		w.want = netip.AddrPort{}
		c.begin(p)
		return
	}
	if w.at >= 0 {
		w.want = w.list[w.at]
	}
	w.kick = true
	w.watch(c.now, doubtStep)
	c.tun.dirty = true
}

// Guesses tells whether the endpoint that the tunnel shows of the member at a
// is one that the core put there, with a session that is older than it: nothing
// speaks for it yet, and others are not to be told.
func (c *Core) Guesses(a netip.Addr, endpoint netip.AddrPort) bool {
	p := c.addrs[a]
	return p != nil && p.path.state == doubted && p.path.want == endpoint
}

// probe asks p's daemon whether it is there.
func (c *Core) probe(p *peer) {
	c.probes++
	c.do(Signal{To: p.member.Address, Signal: wire.Signal{Kind: wire.SignalProbe, Value: c.probes}})
}
