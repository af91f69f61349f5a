package http1

import (
	"net/netip"
	"sync"
	"time"
)

// What one remote address gets of a server, and all of them.
const (
	// maxAnswers requests are answered at a time: their responses, which may be
	// large, are in memory until they are written. maxAnswersPerAddr of them
	// may be of one address.
	maxAnswers        = 16
	maxAnswersPerAddr = 2
	// pressedTimeout is bodyTimeout for the responses being written while others
	// wait for their turn.
	pressedTimeout = 2 * time.Second
	// pressedAnswer is how long a whole response may be written while others
	// wait, counted from when it began or, if that is later, when they did.
	pressedAnswer = 5 * time.Second
	// paceEvery is how often an address may ask for longer than a burst. A
	// request counts once, and once more for each paceBytes of the response's
	// body.
	paceEvery = 50 * time.Millisecond
	paceBytes = 16 << 10
)

// turns are the requests being answered. Unix sockets take none: whoever may
// open one is trusted. The pool's mutex guards it.
type turns struct {
	left    *sync.Cond // somebody did
	taken   int
	pressed int       // requests that wait because all turns are taken
	since   time.Time // when the first of them began to
	perAddr map[netip.Addr]int
}

// enter waits for c's turn to be answered. It returns false when c lost its
// place before that: nobody waits for the answer.
func (p *pool) enter(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	addr, t := c.remote.Addr(), &p.turns
	c.phase, c.since = waiting, time.Now()
	var pressing time.Time // when it began to wait for any turn
	for addr.IsValid() && (t.taken >= maxAnswers || t.perAddr[addr] >= maxAnswersPerAddr) {
		full := t.taken >= maxAnswers
		if full {
			if pressing.IsZero() {
				pressing = time.Now()
			}
			if t.pressed == 0 {
				t.since = pressing
			}
			t.pressed++
			p.press()
		}
		t.left.Wait()
		if full {
			t.pressed--
		}
		if _, known := p.conns[c]; !known {
			return false
		}
	}
	c.phase, c.since, c.writes = answering, time.Now(), time.Time{}
	if addr.IsValid() {
		t.taken++
		t.perAddr[addr]++
	}
	return true
}

// leave ends c's turn, unless it has none.
func (p *pool) leave(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.phase != answering {
		return
	}
	c.phase, c.since, c.writes = reading, time.Now(), time.Time{} // what it does next is to read
	addr, t := c.remote.Addr(), &p.turns
	if !addr.IsValid() {
		return
	}
	t.taken--
	if t.perAddr[addr]--; t.perAddr[addr] == 0 {
		delete(t.perAddr, addr)
	}
	t.left.Broadcast()
}

// press has those that are answered take their responses faster, or lose them.
// The caller holds p.mu.
func (p *pool) press() {
	for c := range p.conns {
		if c.phase == answering && c.stepEnds.After(p.pressedEnd(c)) {
			p.limitStep(c, p.pressedEnd(c))
		}
	}
}

// allowStep gives the next step of c's response its time.
func (p *pool) allowStep(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.writes.IsZero() {
		c.writes = time.Now()
	}
	if p.turns.pressed > 0 && c.remote.IsValid() {
		p.limitStep(c, p.pressedEnd(c))
	} else {
		p.limitStep(c, time.Now().Add(bodyTimeout))
	}
}

// pressedEnd is when a step that c begins now has to be done while others wait:
// in the end its whole response, or small steps would hold its turn for long.
// The caller holds p.mu.
func (p *pool) pressedEnd(c *conn) time.Time {
	step, whole := time.Now().Add(pressedTimeout), p.turns.since.Add(pressedAnswer)
	if began := c.writes.Add(pressedAnswer); began.After(whole) {
		whole = began
	}
	if step.Before(whole) {
		return step
	}
	return whole
}

func (p *pool) limitStep(c *conn, end time.Time) {
	c.stepEnds = end
	c.SetWriteDeadline(c.stepEnds) // of a closed one it fails, as the write will
}

// take returns how long it is until the address of c may ask; 0: it has.
func (p *pool) take(c *conn) time.Duration {
	if !c.remote.IsValid() {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pacer.Take(c.remote.Addr(), time.Now())
}

// charge has the address of c pay for a large response.
func (p *pool) charge(c *conn, r *Response) {
	if !c.remote.IsValid() || len(r.Body) < paceBytes {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pacer.Charge(c.remote.Addr(), time.Now(), len(r.Body)/paceBytes)
}
