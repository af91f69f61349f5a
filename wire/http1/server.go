package http1

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"ginnel/wire"
)

// The server's patience.
const (
	// DoneTimeout is how long a server waits for the client to close after the
	// last response of a connection.
	DoneTimeout = time.Second

	headTimeout = 10 * time.Second
	idleTimeout = 30 * time.Second
	graceTime   = 2 * time.Second
	// refuseTimeout is short: the accepting goroutine itself refuses.
	refuseTimeout = 100 * time.Millisecond
	// acceptPause passes after an error of accepting that may pass too, such as
	// too many open files.
	acceptPause = 100 * time.Millisecond
)

// The numbers of a Server that has zeros.
const (
	DefaultMaxConns   = 64
	DefaultMaxPerAddr = 8
)

// Server answers requests. Its fields do not change while it serves.
type Server struct {
	Handler Handler // required
	// MaxBody is the largest body of a request in bytes; 0: [wire.MaxBody].
	MaxBody int64
	// MaxConns limits the open connections of one Serve; 0: [DefaultMaxConns].
	// One more is answered with 503.
	MaxConns int
	// MaxPerAddr limits those of one remote address; 0: [DefaultMaxPerAddr].
	// One more is answered with 429. Unix sockets have no address: there only
	// MaxConns counts.
	MaxPerAddr int
	// Log receives handlers' panics and accept errors; nil: nothing is logged.
	Log *slog.Logger
}

// Serve answers the connections of l until ctx ends, and then returns nil. It
// closes l in any case. At the end idle connections are closed at once;
// requests being read or answered have 2 s, then their handlers' context ends
// and their connections are closed. Serve returns when every handler has.
//
// An error means that l accepts no more.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	handlers, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	p := &pool{server: s, ctx: handlers, conns: map[*conn]struct{}{}, perAddr: map[netip.Addr]int{}}
	accepting, stop := context.WithCancel(ctx)
	var closer sync.WaitGroup
	closer.Go(func() {
		<-accepting.Done()
		l.Close()
	})
	err := p.accept(accepting, l)
	stop()
	closer.Wait()
	p.finish(cut)
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("accept connections on %s: %w", l.Addr(), err)
}

// pool is the connections of one Serve.
type pool struct {
	server *Server
	ctx    context.Context // the handlers'
	wg     sync.WaitGroup  // of the connections' goroutines

	mu      sync.Mutex
	ending  bool
	conns   map[*conn]struct{}
	perAddr map[netip.Addr]int
}

// accept takes connections until the listener fails for good or ctx ends. Of a
// row of passing errors the first is logged.
func (p *pool) accept(ctx context.Context, l net.Listener) error {
	for failing := false; ; {
		nc, err := l.Accept()
		if err == nil {
			failing = false
			p.add(nc)
			continue
		}
		var passing interface{ Temporary() bool }
		if ctx.Err() != nil || !errors.As(err, &passing) || !passing.Temporary() {
			return err
		}
		if !failing {
			failing = true
			p.log().Warn("accept a connection", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(acceptPause):
		}
	}
}

// add starts a connection's goroutine, or refuses the connection.
func (p *pool) add(nc net.Conn) {
	c := &conn{Conn: nc, pool: p, remote: remoteOf(nc)}
	if problem := p.admit(c); problem != nil {
		refusal := Fail(problem)
		nc.SetWriteDeadline(time.Now().Add(refuseTimeout))
		nc.Write(append(responseHead(refusal, true), refusal.Body...)) // a courtesy: whether it arrives changes nothing
		nc.Close()
		return
	}
	p.wg.Go(func() {
		defer p.remove(c)
		c.serve()
	})
}

// admit counts c in when the limits allow it.
func (p *pool) admit(c *conn) *wire.Problem {
	p.mu.Lock()
	defer p.mu.Unlock()
	addr := c.remote.Addr()
	if len(p.conns) >= orDefault(p.server.MaxConns, DefaultMaxConns) {
		return wire.Errorf(wire.StatusUnavailable, "too many connections are open; try again later")
	}
	if addr.IsValid() && p.perAddr[addr] >= orDefault(p.server.MaxPerAddr, DefaultMaxPerAddr) {
		return wire.Errorf(wire.StatusTooMany, "too many connections are open from %s; close one", addr)
	}
	p.conns[c] = struct{}{}
	if addr.IsValid() {
		p.perAddr[addr]++
	}
	return nil
}

func (p *pool) remove(c *conn) {
	c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	if addr := c.remote.Addr(); addr.IsValid() {
		if p.perAddr[addr]--; p.perAddr[addr] == 0 {
			delete(p.perAddr, addr)
		}
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

// setBusy notes whether c has a request under way. It returns false when the
// server is ending: then c shall end as well.
func (p *pool) setBusy(c *conn, busy bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.busy = busy
	return !p.ending
}

func (p *pool) isEnding() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ending
}

func (p *pool) log() *slog.Logger {
	if p.server.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return p.server.Log
}

// remoteOf returns a TCP connection's other end.
func remoteOf(c net.Conn) netip.AddrPort {
	tcp, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := tcp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

func orDefault[N int | int64](n, def N) N {
	if n == 0 {
		return def
	}
	return n
}
