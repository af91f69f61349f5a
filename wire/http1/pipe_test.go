package http1_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ginnel/wire/http1"
)

// pipes is a listener without a network, for tests in virtual time.
type pipes struct {
	conns chan net.Conn
	errs  chan error
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), errs: make(chan error), done: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case err := <-p.errs:
		return nil, err
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// dial connects from an address, and waits until the server has taken it.
func (p *pipes) dial(from string) net.Conn {
	near, far := net.Pipe()
	p.conns <- fromConn{far, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))}
	synctest.Wait()
	return near
}

// fromConn is a connection from a chosen address.
type fromConn struct {
	net.Conn
	remote net.Addr
}

func (c fromConn) RemoteAddr() net.Addr { return c.remote }

const someone = "10.42.0.7:1234"

// virtual runs a server in virtual time. When f returns the server is stopped
// and checked to end well; every goroutine must then be gone.
func virtual(t *testing.T, s *http1.Server, f func(t *testing.T, p *pipes)) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		if s.Handler == nil {
			s.Handler = echo
		}
		ctx, cancel := context.WithCancel(t.Context())
		end := make(chan error, 1)
		go func() { end <- s.Serve(ctx, p) }()
		f(t, p)
		cancel()
		if err := <-end; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// trickle writes one byte of s each pause until all is written or an error.
func trickle(c net.Conn, s string, pause time.Duration) error {
	for i := range len(s) {
		if _, err := io.WriteString(c, s[i:i+1]); err != nil {
			return err
		}
		<-time.After(pause) // virtual: the slowness under test
	}
	return nil
}

// temporary is an error of accepting that passes.
type temporary struct{ error }

func (temporary) Temporary() bool { return true }

var errTooManyFiles = temporary{errors.New("too many open files")}

// halfConn is one end of a connection of two pipes, so that each side can close
// its half.
type halfConn struct {
	net.Conn // reads
	out      net.Conn
}

// halfPipe returns both ends.
func halfPipe() (near, far net.Conn) {
	a, b := net.Pipe()
	c, d := net.Pipe()
	return halfConn{a, c}, halfConn{d, b}
}

func (h halfConn) Write(b []byte) (int, error)         { return h.out.Write(b) }
func (h halfConn) CloseWrite() error                   { return h.out.Close() }
func (h halfConn) Close() error                        { return errors.Join(h.out.Close(), h.Conn.Close()) }
func (h halfConn) SetWriteDeadline(at time.Time) error { return h.out.SetWriteDeadline(at) }
func (h halfConn) SetDeadline(at time.Time) error {
	return errors.Join(h.SetReadDeadline(at), h.SetWriteDeadline(at))
}
