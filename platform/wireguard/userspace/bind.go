package userspace

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/conn"
)

// pairAttempts is how often a port is chosen before it is an error that none
// was free for both families.
const pairAttempts = 100

// bind carries the device's packets: a UDP socket for each IP family, both on
// the same port. It implements conn.Bind. Its methods may be called at any
// time from anywhere. See the package comment for why it is our own.
type bind struct {
	mu     sync.RWMutex // guards which sockets there are, not what they do
	v4, v6 *net.UDPConn // nil: closed, or a family the kernel lacks
	routes routes
}

// Open implements conn.Bind. Its error wraps EADDRINUSE when the port is taken
// in either family. A family that the kernel lacks is left out.
func (b *bind) Open(port uint16) ([]conn.ReceiveFunc, uint16, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.v4 != nil || b.v6 != nil {
		return nil, 0, conn.ErrBindAlreadyOpen
	}
	v4, v6, err := openPair(port)
	for n := 1; port == 0 && errors.Is(err, unix.EADDRINUSE) && n < pairAttempts; n++ {
		v4, v6, err = openPair(0)
	}
	if err != nil {
		return nil, 0, err
	}
	b.v4, b.v6 = v4, v6
	b.routes.look()
	var receive []conn.ReceiveFunc
	for _, c := range b.sockets() {
		receive, port = append(receive, (&incoming{conn: c}).receive), portOf(c)
	}
	return receive, port, nil
}

// openPair opens both sockets; a port of 0 is chosen by the first.
func openPair(port uint16) (v4, v6 *net.UDPConn, err error) {
	v4, err4 := openSocket(ipv4, port)
	if err4 != nil && !errors.Is(err4, unix.EAFNOSUPPORT) {
		return nil, nil, err4
	}
	if v4 != nil {
		port = portOf(v4)
	}
	v6, err6 := openSocket(ipv6, port)
	switch {
	case err6 == nil, v4 != nil && errors.Is(err6, unix.EAFNOSUPPORT):
		return v4, v6, nil
	case v4 != nil:
		v4.Close()
	}
	return nil, nil, err6
}

// sockets returns those that are open.
func (b *bind) sockets() []*net.UDPConn {
	var open []*net.UDPConn
	for _, c := range []*net.UDPConn{b.v4, b.v6} {
		if c != nil {
			open = append(open, c)
		}
	}
	return open
}

// Close implements conn.Bind. Whoever receives or sends gets net.ErrClosed.
// Closing what is closed does nothing.
func (b *bind) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for _, c := range b.sockets() {
		errs = append(errs, c.Close())
	}
	b.v4, b.v6 = nil, nil
	b.routes.close()
	return errors.Join(errs...)
}

// look has the routes of all packets asked for again, if b is open.
func (b *bind) look() {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if len(b.sockets()) > 0 {
		b.routes.look()
	}
}

// SetMark implements conn.Bind: the firewall mark (SO_MARK) of what is sent;
// 0 is none. A new Open starts without one.
func (b *bind) SetMark(mark uint32) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	b.routes.setMark(mark)
	for _, c := range b.sockets() {
		if err := setMark(c, mark); err != nil {
			return fmt.Errorf("set mark %#x: %w", mark, err)
		}
	}
	return nil
}

// Send implements conn.Bind. It takes any number of packets, and stops at the
// first that cannot be sent.
func (b *bind) Send(packets [][]byte, to conn.Endpoint) error {
	e, ok := to.(*endpoint)
	if !ok {
		return conn.ErrWrongEndpointType
	}
	b.mu.RLock()
	c, closed := b.v6, b.v4 == nil && b.v6 == nil
	if e.remote.Addr().Is4() {
		c = b.v4
	}
	b.mu.RUnlock()
	switch {
	case closed:
		return net.ErrClosed
	case c == nil:
		return fmt.Errorf("send to %s: %w", e.remote, unix.EAFNOSUPPORT)
	}
	e.checkSource(c, &b.routes)
	for _, p := range packets {
		if err := e.send(c, p); err != nil {
			return err
		}
	}
	return nil
}

// ParseEndpoint implements conn.Bind: "address:port", an IPv6 address in
// brackets and perhaps with a zone.
func (*bind) ParseEndpoint(s string) (conn.Endpoint, error) {
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	return newEndpoint(a, arrival{}), nil
}

// BatchSize implements conn.Bind: the packets that one call receives. The
// device keeps a buffer of 64 KiB for each.
func (*bind) BatchSize() int { return 1 }
