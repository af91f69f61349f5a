package link

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ginnel/platform"
)

// userTimeout is how long sent data may stay unacknowledged before the kernel
// ends a connection. Its default is about 15 minutes, too long to wait for
// when a tunnel is dead.
const userTimeout = 10 * time.Second

// ListenTCP implements platform.Sockets: the listener sees only what arrives
// by the link, which excludes this machine itself, whose packets take lo. The
// error wraps ErrNotExist while the link or the address is missing, ErrInUse
// when another program has the port, and ErrPermission.
func (*Link) ListenTCP(link string, a netip.AddrPort) (net.Listener, error) {
	lc := net.ListenConfig{Control: bindTCP(link)}
	// A multipath connection could continue by another link.
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(context.Background(), network("tcp", a.Addr()), a.String())
	if err != nil {
		return nil, fmt.Errorf("listen on %s of link %s: %w", a, link, socketError(err))
	}
	return l, nil
}

// DialTCP implements platform.Sockets. An invalid from lets the kernel choose.
// The error wraps ErrNotExist while the link or from is missing. A connection
// whose other end falls silent fails within about 10 s of sending.
func (*Link) DialTCP(ctx context.Context, link string, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{Control: bindTCP(link)}
	d.SetMultipathTCP(false)
	c, err := d.DialTCP(ctx, network("tcp", to.Addr()), netip.AddrPortFrom(from, 0), to)
	if err != nil {
		return nil, fmt.Errorf("dial %s by link %s: %w", to, link, socketError(err))
	}
	return c, nil
}

// ListenUDP implements platform.Sockets. Errors are those of ListenTCP.
func (*Link) ListenUDP(link string, a netip.AddrPort) (platform.UDPConn, error) {
	lc := net.ListenConfig{Control: bind(link)}
	c, err := lc.ListenPacket(context.Background(), network("udp", a.Addr()), a.String())
	if err != nil {
		return nil, fmt.Errorf("listen on %s/udp of link %s: %w", a, link, socketError(err))
	}
	return c.(*net.UDPConn), nil
}

// network returns the name the net package has for protocol over a's family,
// so that a socket for IPv6 does not take IPv4 as well.
func network(protocol string, a netip.Addr) string {
	if a.Unmap().Is4() {
		return protocol + "4"
	}
	return protocol + "6"
}

// control is called between socket and bind (net.ListenConfig, net.Dialer).
type control func(network, address string, c syscall.RawConn) error

// bind binds the socket to the link. Before Linux 5.7 that takes CAP_NET_RAW.
func bind(link string) control {
	return func(_, _ string, c syscall.RawConn) error {
		if err := checkName(link); err != nil {
			return err
		}
		return set(c, func(fd int) error {
			return unix.SetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, link)
		})
	}
}

// bindTCP also sets the timeout, which connections inherit from a listener.
func bindTCP(link string) control {
	return func(network, address string, c syscall.RawConn) error {
		if err := bind(link)(network, address, c); err != nil {
			return err
		}
		return set(c, func(fd int) error {
			return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout.Milliseconds()))
		})
	}
}

func set(c syscall.RawConn, option func(fd int) error) error {
	var err error
	if e := c.Control(func(fd uintptr) { err = option(int(fd)) }); e != nil {
		return e
	}
	return err
}
