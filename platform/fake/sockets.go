package fake

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"

	"ginnel/platform"
)

// backlog is how many connections, or datagrams, wait for their reader.
const backlog = 64

// socket is something that listens on a tunnel's overlay address.
type socket struct {
	os      *OS
	network string // "tcp" or "udp"
	link    *link
	addr    netip.AddrPort
	conns   chan net.Conn // tcp
	packets chan packet   // udp
	once    sync.Once
	closed  chan struct{}
}

// ListenTCP implements platform.Sockets. Its link is a tunnel.
func (o *OS) ListenTCP(link string, a netip.AddrPort) (net.Listener, error) {
	s, err := o.listen("tcp", link, a)
	if err != nil {
		return nil, err
	}
	return listener{s}, nil
}

// listen opens a socket; port 0 takes any.
func (o *OS) listen(network, name string, a netip.AddrPort) (*socket, error) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	l, err := o.overlay(name, a.Addr())
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", a, err)
	}
	if a.Port() == 0 {
		a = netip.AddrPortFrom(a.Addr(), o.anyPort())
	}
	if l.socket(o, network, a) != nil {
		return nil, fmt.Errorf("listen on %s: %w", a, platform.ErrInUse)
	}
	s := &socket{os: o, network: network, link: l, addr: a, closed: make(chan struct{}),
		conns: make(chan net.Conn, backlog), packets: make(chan packet, backlog)}
	o.sockets = append(o.sockets, s)
	return s, nil
}

// overlay returns the tunnel's link called name, which must have the address.
func (o *OS) overlay(name string, a netip.Addr) (*link, error) {
	l := o.link(name)
	switch {
	case l == nil:
		return nil, notExist(name)
	case l.tunnel == nil:
		return nil, fmt.Errorf("link %s is no tunnel: %w", name, platform.ErrUnsupported)
	case !l.has(a):
		return nil, fmt.Errorf("address %s of link %s %w", a, name, platform.ErrNotExist)
	}
	return l, nil
}

// overlayFrom returns the link's first address of to's family.
func (o *OS) overlayFrom(name string, to netip.Addr) (from netip.Addr) {
	if l := o.link(name); l != nil {
		for _, p := range l.state.Addresses {
			if p.Addr().Is4() == to.Is4() {
				return p.Addr()
			}
		}
	}
	return from
}

// socket returns o's socket on l with the address, or nil.
func (l *link) socket(o *OS, network string, a netip.AddrPort) *socket {
	for _, s := range o.sockets {
		if s.link == l && s.network == network && s.addr == a {
			return s
		}
	}
	return nil
}

func (s *socket) close() error {
	err := net.ErrClosed
	s.once.Do(func() {
		s.os.w.mu.Lock()
		defer s.os.w.mu.Unlock()
		s.os.sockets = slices.DeleteFunc(s.os.sockets, func(x *socket) bool { return x == s })
		close(s.closed)
		for len(s.conns) > 0 {
			(<-s.conns).Close() // nobody accepts it any more
		}
		err = nil
	})
	return err
}

// listener is a socket for TCP.
type listener struct{ *socket }

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
		return nil, net.ErrClosed
	case c := <-l.conns:
		return c, nil
	}
}

// Close implements net.Listener.
func (l listener) Close() error { return l.close() }

// Addr implements net.Listener.
func (l listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

// DialTCP implements platform.Sockets. Where the other side cannot be reached
// it does not wait for ctx but times out at once. An invalid from is the
// link's first address of to's family.
func (o *OS) DialTCP(ctx context.Context, name string, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("dial %s: %w", to, err)
	}
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	if !from.IsValid() {
		from = o.overlayFrom(name, to.Addr())
	}
	l, err := o.overlay(name, from)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", to, err)
	}
	out, ok := l.tunnel.carry(from, to.Addr(), tcpLen)
	if !ok {
		return nil, fmt.Errorf("dial %s: %w", to, os.ErrDeadlineExceeded)
	}
	s := out.link.socket(out.os, "tcp", to)
	if s == nil || len(s.conns) == backlog {
		return nil, fmt.Errorf("dial %s: %w", to, syscall.ECONNREFUSED)
	}
	a, b := net.Pipe()
	local := netip.AddrPortFrom(from, o.anyPort())
	s.conns <- &conn{Conn: b, t: out, local: to, remote: local}
	return &conn{Conn: a, t: l.tunnel, local: local, remote: to}, nil
}

// tcpLen is the length of a TCP segment without data, in bytes.
const tcpLen = 40

// conn is one end of a pipe through tunnels. Nothing is buffered: a Write ends
// when the other side has read it all.
type conn struct {
	net.Conn
	t             *tunnel
	local, remote netip.AddrPort
}

// Write implements net.Conn; it times out at once where packets do not arrive.
func (c *conn) Write(b []byte) (int, error) {
	c.t.os.w.mu.Lock()
	_, ok := c.t.carry(c.local.Addr(), c.remote.Addr(), uint64(tcpLen+len(b)))
	c.t.os.w.mu.Unlock()
	if !ok {
		return 0, fmt.Errorf("write to %s: %w", c.remote, os.ErrDeadlineExceeded)
	}
	return c.Conn.Write(b)
}

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(c.local) }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }
