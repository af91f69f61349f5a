package http1

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"ginnel/wire"
)

// freshTime is how long a connection that has not asked anything yet is not
// closed in favour of another: its request is under way.
const freshTime = time.Second

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
}

func newPool(s *Server, ctx context.Context) *pool {
	return &pool{
		server: s, ctx: ctx, freed: make(chan struct{}, 1),
		conns: map[*conn]struct{}{}, perAddr: map[netip.Addr]int{},
	}
}

// checkAddr refuses one more connection of an address that has too many.
func (p *pool) checkAddr(addr netip.Addr) *wire.Problem {
	p.mu.Lock()
	defer p.mu.Unlock()
	if addr.IsValid() && p.perAddr[addr] >= orDefault(p.server.MaxPerAddr, DefaultMaxPerAddr) {
		return wire.Errorf(wire.StatusTooMany, "too many connections are open from %s; close one", addr)
	}
	return nil
}

// waitForRoom returns when one more connection may be served; false when ctx
// ended first. Meanwhile no other is accepted: newcomers wait in the listener's
// backlog, where they cost nothing, instead of being sent away to come again
// all at once.
func (p *pool) waitForRoom(ctx context.Context) bool {
	for {
		wait := p.makeRoom(time.Now())
		if wait == 0 {
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

// makeRoom closes the connection that has been idle longest where all places
// are taken. It returns 0 when there is room, otherwise when to look again at
// the latest.
func (p *pool) makeRoom(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.conns) < orDefault(p.server.MaxConns, DefaultMaxConns) {
		return 0
	}
	var idlest *conn
	for c := range p.conns {
		if !c.busy && (idlest == nil || c.spare.Before(idlest.spare)) {
			idlest = c
		}
	}
	switch {
	case idlest == nil:
		return idleTimeout
	case idlest.spare.After(now):
		return idlest.spare.Sub(now)
	}
	p.forget(idlest)
	idlest.Close()
	return 0
}

// admit counts c in.
func (p *pool) admit(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.spare = time.Now().Add(freshTime)
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
		if !idleOnly || !c.busy {
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
	c.busy = true
	return known && !p.ending
}

// rest notes that c has none any more, and may be closed. It returns false
// when the server is ending.
func (p *pool) rest(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.busy {
		c.busy, c.spare = false, time.Now()
		p.free()
	}
	return !p.ending
}

func (p *pool) isEnding() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ending
}
