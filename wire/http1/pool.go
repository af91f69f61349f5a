package http1

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"ginnel/wire/pace"
)

const (
	// freshTime is how long a connection that has not asked anything yet is not
	// closed in favour of another: its request is under way.
	freshTime = time.Second
	// slowAfter is how long a request may be arriving while others wait for its
	// place.
	slowAfter = 2 * time.Second
)

// pool is the connections of one Serve.
type pool struct {
	server *Server
	ctx    context.Context // the handlers'
	wg     sync.WaitGroup  // of the connections' goroutines
	freed  chan struct{}   // holds one: there may be room now

	mu      sync.Mutex
	ending  bool
	conns   map[*conn]struct{}
	perAddr map[netip.Addr]int
	turns   turns
	pacer   pace.Pacer
}

func newPool(s *Server, ctx context.Context) *pool {
	p := &pool{
		server: s, ctx: ctx, freed: make(chan struct{}, 1),
		conns: map[*conn]struct{}{}, perAddr: map[netip.Addr]int{},
		pacer: pace.Pacer{Every: paceEvery, Burst: orDefault(s.Burst, DefaultBurst)},
	}
	p.turns = turns{left: sync.NewCond(&p.mu), perAddr: map[netip.Addr]int{}}
	return p
}

// checkAddr refuses one more connection of an address that has too many, or has
// one and would have to wait for another: those behind it would wait as well.
func (p *pool) checkAddr(addr netip.Addr) *Response {
	p.mu.Lock()
	defer p.mu.Unlock()
	has := p.perAddr[addr]
	if has == 0 {
		return nil
	}
	if has < orDefault(p.server.MaxPerAddr, DefaultMaxPerAddr) {
		if !p.isFull() {
			return nil
		}
		if v, _ := p.victim(addr, time.Now()); v != nil {
			return nil
		}
	}
	return failTooMany(fmt.Sprintf("too many connections are open from %s", addr), time.Second)
}

// isFull tells whether all places are taken. The caller holds p.mu.
func (p *pool) isFull() bool {
	return len(p.conns) >= orDefault(p.server.MaxConns, DefaultMaxConns)
}

// waitForRoom returns when one more connection may be served; false when ctx
// ended first. Meanwhile no other is accepted: newcomers wait in the listener's
// backlog, where they cost nothing, instead of being sent away to come again
// all at once.
func (p *pool) waitForRoom(ctx context.Context, from netip.Addr) bool {
	for {
		wait, ok := p.makeRoom(from, time.Now())
		if ok {
			return true
		}
		t := time.NewTimer(wait)
		select {
		case <-p.freed:
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
		if ctx.Err() != nil {
			return false
		}
	}
}

// makeRoom closes another connection for one from an address, where all places
// are taken. It tells whether there is room, and else when to look again at the
// latest.
func (p *pool) makeRoom(from netip.Addr, now time.Time) (wait time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.isFull() {
		return 0, true
	}
	v, wait := p.victim(from, now)
	if v == nil {
		return wait, false
	}
	p.forget(v)
	v.Close()
	p.turns.left.Broadcast() // it may wait for one
	return 0, true
}

// victim chooses who loses its place to a newcomer: the connection that has
// been idle longest; else one of the address that has most, unless the
// newcomer's would then have more; else the one whose request has been arriving
// longest, if that is longer than slowAfter. Without one it returns how long to
// wait. The caller holds p.mu.
func (p *pool) victim(from netip.Addr, now time.Time) (*conn, time.Duration) {
	var idlest, slowest, heaviest *conn
	for c := range p.conns {
		switch {
		case c.phase == idle && older(c, idlest):
			idlest = c
		case c.phase == reading && older(c, slowest):
			slowest = c
		}
		if more := p.count(c) - p.count(heaviest); more > 0 || more == 0 && older(c, heaviest) {
			heaviest = c
		}
	}
	wait := idleTimeout
	if idlest != nil {
		wait = idlest.since.Sub(now)
	}
	switch {
	case wait <= 0:
		return idlest, 0
	case p.count(heaviest) > p.perAddr[from]+1:
		return heaviest, 0
	case slowest == nil:
		return nil, wait
	case now.Sub(slowest.since) >= slowAfter:
		return slowest, 0
	}
	return nil, min(wait, slowest.since.Add(slowAfter).Sub(now))
}

// older tells whether c's phase began before that of another, which may be nil.
func older(c, than *conn) bool { return than == nil || c.since.Before(than.since) }

// count is how many places the address of c has; of nil, none.
func (p *pool) count(c *conn) int {
	if c == nil {
		return 0
	}
	return p.perAddr[c.remote.Addr()]
}

// admit counts c in.
func (p *pool) admit(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.since = time.Now().Add(freshTime)
	p.conns[c] = struct{}{}
	if addr := c.remote.Addr(); addr.IsValid() {
		p.perAddr[addr]++
	}
}

func (p *pool) remove(c *conn) {
	c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(c)
	p.free()
}

// forget counts c out, unless it is out already. The caller holds p.mu.
func (p *pool) forget(c *conn) {
	if _, known := p.conns[c]; !known {
		return
	}
	delete(p.conns, c)
	if addr := c.remote.Addr(); addr.IsValid() {
		if p.perAddr[addr]--; p.perAddr[addr] == 0 {
			delete(p.perAddr, addr)
		}
	}
}

// free lets a newcomer look for room.
func (p *pool) free() {
	select {
	case p.freed <- struct{}{}:
	default:
	}
}

// finish closes idle connections, gives the others their grace and waits for
// all of them.
func (p *pool) finish(cut func()) {
	p.closeAll(true)
	done := make(chan struct{})
	go func() {
		p.wg.Wait()
		close(done)
	}()
	grace := time.NewTimer(graceTime)
	defer grace.Stop()
	select {
	case <-done:
	case <-grace.C:
		cut()
		p.closeAll(false)
		<-done
	}
}

// closeAll closes the connections, perhaps only the idle ones, and lets none
// of them become idle again.
func (p *pool) closeAll(idleOnly bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ending = true
	for c := range p.conns {
		if !idleOnly || c.phase == idle {
			c.Close()
		}
	}
}

// begin notes that c has a request under way. It returns false when c shall
// end: the server is ending, or another connection got its place.
func (p *pool) begin(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, known := p.conns[c]
	c.phase, c.since = reading, time.Now()
	return known && !p.ending
}

// rest notes that c has none any more, and may be closed. It returns false
// when the server is ending.
func (p *pool) rest(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.phase != idle {
		c.phase, c.since = idle, time.Now()
		p.free()
	}
	return !p.ending
}

func (p *pool) isEnding() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ending
}
