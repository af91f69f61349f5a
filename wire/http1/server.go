package http1

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"ginnel/journal"
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
	DefaultBurst      = 100
)

// Server answers requests. Its fields do not change while it serves.
type Server struct {
	Handler Handler // required
	// MaxBody is the largest body of a request in bytes; 0: [wire.MaxBody].
	MaxBody int64
	// MaxConns limits the open connections of one Serve; 0: [DefaultMaxConns].
	// One more takes another's place, or waits until there is one: see the
	// package comment.
	MaxConns int
	// MaxPerAddr limits those of one remote address; 0: [DefaultMaxPerAddr].
	// One more is answered with 429. Unix sockets have no address: there only
	// MaxConns counts.
	MaxPerAddr int
	// Burst is how many requests of one remote address are answered in quick
	// succession; 0: [DefaultBurst]. Others get a 429 with a Retry-After.
	Burst int
	// Log receives handlers' panics and accept errors; nil: nothing is logged.
	Log *journal.Logger
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
	p := newPool(s, handlers)
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

// accept takes connections until the listener fails for good or ctx ends. Of a
// row of passing errors the first is logged.
func (p *pool) accept(ctx context.Context, l net.Listener) error {
	for failing := false; ; {
		nc, err := l.Accept()
		if err == nil {
			failing = false
			p.add(ctx, nc)
			continue
		}
		var passing interface{ Temporary() bool }
		if ctx.Err() != nil || !errors.As(err, &passing) || !passing.Temporary() {
			return err
		}
		if !failing {
			failing = true
			p.server.Log.Warn("accept a connection", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(acceptPause):
		}
	}
}

// add starts a connection's goroutine when there is room, or refuses the
// connection.
func (p *pool) add(ctx context.Context, nc net.Conn) {
	c := &conn{Conn: nc, pool: p, remote: remoteOf(nc)}
	if refusal := p.checkAddr(c.remote.Addr()); refusal != nil {
		nc.SetWriteDeadline(time.Now().Add(refuseTimeout))
		nc.Write(append(responseHead(refusal, true), refusal.Body...)) // a courtesy: whether it arrives changes nothing
		nc.Close()
		return
	}
	if !p.waitForRoom(ctx, c.remote.Addr()) {
		nc.Close()
		return
	}
	p.admit(c)
	p.wg.Go(func() {
		defer p.remove(c)
		c.serve()
	})
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
