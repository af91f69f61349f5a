package core

import (
	"net/netip"
	"slices"
	"time"

	"ginnel/wire"
)

// state tells where the path to a member stands.
type state uint8

const (
	// resting: no way is known, or all were tried. Waits for news, and tries
	// again now and then.
	resting state = iota
	// trying: one candidate after the other, until a handshake succeeds.
	trying
	// connected: there is a session, and its endpoint is left alone.
	connected
	// doubted: there is a session, but perhaps no way for its packets. The
	// session is kept while other endpoints are tried with it.
	doubted
)

// How long things on a path are given.
const (
	tryFirst      = 2 * time.Second        // a candidate, in the first round
	tryLater      = 5 * time.Second        // in others: the least time between two initiations
	stagger       = 300 * time.Millisecond // by which the side that yields begins later
	tryGrace      = time.Second            // more, when something arrives in the last moment
	doubtStep     = time.Second            // an endpoint in doubt
	silenceSlack  = 5 * time.Second        // for a keepalive on its way
	eagerRounds   = 2                      // rounds before the first rest
	restFirst     = 10 * time.Second
	restMost      = 5 * time.Minute
	restMostCoord = 30 * time.Second
	tryKeepalive  = 25 // seconds, while trying where none is configured: without it nothing is sent
)

// looks are the times after a try began when it is looked at, so that success
// is noticed soon.
var looks = [...]time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second}

// path is how a member is reached. Its zero value rests and waits for news.
type path struct {
	state state
	next  time.Time      // when the tunnel has to be looked at for it; zero: no need
	last  netip.AddrPort // the endpoint of the last session; zero: none, or it was found dead

	list  []netip.AddrPort // candidates of the round under way
	at    int              // which one is being tried; -1: none yet
	began time.Time        // when
	until time.Time        // how long it is given
	grace bool             // it was given more, since something arrived
	round int              // rounds since the last news
	rest  backoff

	want  netip.AddrPort // endpoint to set; zero: it is left alone
	fresh bool           // remove the peer and add it again, for a handshake at once
	kick  bool           // make WireGuard send a packet at once, with the session it has or for a new one
	// gentle: the session has only just ended, and either side may be making a
	// new one at this moment. The endpoint it had is kicked, not added again.
	gentle bool
	// news: the candidates are others than those tried so far, which a session
	// may have come of that was not looked at yet.
	news bool

	// While doubted.
	was    netip.AddrPort // the endpoint in doubt; kept until a path is found
	moved  bool           // that was the member's Seen, which is another now
	primed bool           // an observation since then is there to compare with
	failed bool           // there is evidence against the endpoint
}

// candidates are the endpoints of p worth trying, best first.
func (c *Core) candidates(p *peer) []netip.AddrPort {
	if c.overridden(p) {
		return c.view.order(nil, c.places(p), wire.Endpoints{})
	}
	var last []netip.AddrPort
	if p.path.last.IsValid() {
		last = append(last, p.path.last)
	}
	list := c.view.order(last, c.places(p), p.member.Endpoints)
	if was := p.path.was; was.IsValid() && !slices.Contains(list, was) {
		list = append(list, was) // doubt may have been wrong
	}
	return list
}

// judge draws the conclusions from an observation of p. Without act the
// observation is not to be acted upon: it is torn, or older than a change
// under way.
func (c *Core) judge(p *peer, e evidence, act bool) {
	w := &p.path
	alive := p.sight.alive(c.now)
	if e.newer {
		w.last = p.sight.endpoint // also of a session that ended before we started
	}
	switch {
	case w.state == doubted:
		c.judgeDoubted(p, e, act)
	case w.state == connected && alive:
		w.last = p.sight.endpoint
		if act && c.silent(p) {
			c.doubt(p, false)
			c.resolveOld(p)
		}
	case alive:
		stale := w.news && !c.knownAt(p, p.sight.endpoint)
		c.connect(p)
		if stale {
			c.doubt(p, false)
		}
	case !act:
	case w.state == connected:
		c.lose(p)
	case !p.passive():
		c.judgeTry(p, e)
	}
}

// judgeTry goes on with a path without a session.
func (c *Core) judgeTry(p *peer, e evidence) {
	w := &p.path
	if e.grew && !w.grace {
		c.graceFor(p)
	}
	switch {
	case !due(w.next, c.now):
	case w.state == resting:
		c.beginRound(p)
	case due(w.until, c.now):
		c.tryNext(p)
	default:
		w.lookAgain(c.now)
	}
}

// graceFor waits a moment more for p, from whom something arrived: perhaps it
// began a handshake, and removing it now would leave it with a session that we
// do not have. If nothing comes of it, it was a reason to end a rest.
func (c *Core) graceFor(p *peer) {
	w := &p.path
	least := c.now.Add(tryGrace)
	w.grace = true
	switch {
	case w.state == resting:
		w.next = least
	case w.until.Before(least):
		w.until = least
		w.lookAgain(c.now)
	}
}

// connect notes that p is reached. A first packet makes sure that it is not
// only we who have the session: WireGuard makes a new one when it stays
// without an answer.
func (c *Core) connect(p *peer) {
	w := &p.path
	if w.state != doubted && !p.passive() {
		c.probe(p)
	}
	rest := w.rest
	rest.ok()
	*w = path{state: connected, last: p.sight.endpoint, rest: rest}
	c.tun.dirty = true
	if p == c.coordinator() {
		c.coordinatorUp()
	}
}

// lose notes that p's session is over. Where no keepalive is wanted that is
// what silence looks like, and no reason to hurry.
func (c *Core) lose(p *peer) {
	w := &p.path
	switch {
	case c.cfg.Keepalive == 0 && !p.passive() && !p.sight.at.IsZero():
		w.rest.wait = w.rest.most
		c.rest(p)
	default:
		w.gentle = true
		c.begin(p)
	}
}

// begin starts over with p: there is reason for hope. Who is only waited for is
// not tried.
func (c *Core) begin(p *peer) {
	if p.passive() {
		p.path = path{}
		c.tun.dirty = true
		return
	}
	p.path.round = 0
	p.path.rest.ok()
	c.beginRound(p)
}

// beginRound starts to try p's candidates.
func (c *Core) beginRound(p *peer) {
	w := &p.path
	w.state = trying
	w.list, w.at = c.candidates(p), -1
	c.resolveOld(p)
	c.tryNext(p)
}

// tryNext tries p's next candidate.
func (c *Core) tryNext(p *peer) {
	w := &p.path
	w.at++
	if w.at >= len(w.list) {
		c.endRound(p)
		return
	}
	span := tryLater
	if w.round == 0 {
		span = tryFirst
	}
	if c.yields(p) {
		span += stagger
	}
	w.want, w.grace = w.list[w.at], false
	w.kick = w.gentle && w.want == p.sight.endpoint
	w.fresh, w.gentle, w.news = !w.kick, false, false
	w.watch(c.now, span)
	if w.round >= eagerRounds && p != c.coordinator() {
		w.next = w.until // long odds: not worth waking up for in between
	}
	c.tun.dirty = true
}

// watch gives what begins now its time.
func (w *path) watch(now time.Time, span time.Duration) {
	w.began, w.until = now, now.Add(span)
	w.lookAgain(now)
}

// lookAgain sets the next look at what is being tried.
func (w *path) lookAgain(now time.Time) {
	w.next = w.until
	for _, d := range looks {
		if t := w.began.Add(d); t.After(now) && t.Before(w.until) {
			w.next = t
			return
		}
	}
}

func (c *Core) endRound(p *peer) {
	p.path.round++
	if p.path.round < eagerRounds && len(p.path.list) > 0 {
		c.beginRound(p)
		return
	}
	c.rest(p)
}

// rest lets p's path wait: for news, and where there is something to try, for
// the next round.
func (c *Core) rest(p *peer) {
	w := &p.path
	known := len(c.candidates(p)) > 0
	w.state, w.list, w.next, w.want = resting, nil, time.Time{}, netip.AddrPort{}
	w.fresh, w.kick, w.gentle, w.grace = false, false, false, false
	if known || p == c.coordinator() {
		w.next = c.aligned(c.now.Add(w.rest.fail()))
	}
	c.tun.dirty = true
}

// aligned moves t to the end of the later tries' span, counted from the start,
// so that the paths that rest wake the machine up together.
func (c *Core) aligned(t time.Time) time.Time {
	return t.Add((tryLater - t.Sub(c.started)%tryLater) % tryLater)
}

// candidatesChanged looks at p's path again after news of its endpoints. moved
// tells that the endpoint in use is known to have become a new one.
func (c *Core) candidatesChanged(p *peer, moved bool) {
	w := &p.path
	if p.passive() {
		return
	}
	if w.state == resting || w.state == trying {
		w.last, w.was = netip.AddrPort{}, netip.AddrPort{} // only what is still known counts
	}
	switch w.state {
	case resting:
		w.news = true
		c.stir(p)
	case trying:
		if list := c.candidates(p); !slices.Equal(list, w.list) {
			w.news = true
			c.tryAgain(p)
		}
	case connected:
		w.last = netip.AddrPort{}
		if slices.Contains(c.candidates(p), p.sight.endpoint) {
			w.last = p.sight.endpoint
			return
		}
		c.doubt(p, moved)
	case doubted:
		c.doubt(p, moved)
	}
}

// knownAt tells whether p is said to be at an endpoint, whatever was found out.
func (c *Core) knownAt(p *peer, endpoint netip.AddrPort) bool {
	last := p.path.last
	p.path.last = netip.AddrPort{}
	known := slices.Contains(c.candidates(p), endpoint)
	p.path.last = last
	return known
}

// stir ends p's rest at the next look.
func (c *Core) stir(p *peer) {
	p.path.round = 0
	p.path.rest.ok()
	p.path.next = c.now
}

// tryAgain starts p's round over at the next look.
func (c *Core) tryAgain(p *peer) {
	w := &p.path
	c.stir(p)
	w.list, w.at, w.until = c.candidates(p), -1, c.now
}

// underlayMoved is told when our own underlay addresses changed: every path
// may be broken, and every rest may be over.
func (c *Core) underlayMoved() {
	for _, p := range c.peers {
		c.resolveAnew(p)
		switch w := &p.path; {
		case p.passive():
		case w.state == resting:
			c.stir(p)
		case w.state == trying:
			c.tryAgain(p)
		default:
			c.doubt(p, false)
		}
	}
}
