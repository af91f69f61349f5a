package core

import (
	"net/netip"
	"slices"
	"time"

	"ginnel/wire"
)

// doubt begins when there is reason to think that p's endpoint does not carry
// any longer, though there is a session: our own addresses changed, or p's.
// With moved the first endpoint to use is the member's new Seen, since the one
// in use was its old.
//
// Each step makes WireGuard send a packet and probes the other daemon. If it
// gets through, the other side learns our new address by it (roaming), and its
// answer is the evidence that ends the doubt.
func (c *Core) doubt(p *peer, moved bool) {
	w := &p.path
	w.last, w.was = netip.AddrPort{}, p.sight.endpoint
	list := c.candidates(p)
	if moved {
		list = slices.Insert(list, 0, p.member.Endpoints.Seen)
	}
	list = slices.DeleteFunc(list, func(ep netip.AddrPort) bool { return ep == p.sight.endpoint })
	w.list, w.at = distinct(list), -1
	if moved && len(w.list) > 0 {
		w.at = 0
	}
	if w.state != doubted {
		w.failed = false
	}
	w.state, w.primed = doubted, false
	w.next = c.now
}

// distinct drops repetitions, in place.
func distinct(list []netip.AddrPort) []netip.AddrPort {
	kept := list[:0]
	for _, ep := range list {
		if !slices.Contains(kept, ep) {
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
	case !w.primed && w.was != p.sight.endpoint:
		c.connect(p) // it has roamed meanwhile: a packet came from there
	case !w.primed:
		w.primed = true
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

// probe asks p's daemon whether it is there.
func (c *Core) probe(p *peer) {
	c.probes++
	c.do(Signal{To: p.member.Address, Signal: wire.Signal{Kind: wire.SignalProbe, Value: c.probes}})
}
