package link

import (
	"cmp"
	"context"
	"fmt"
	"math"
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

// ListenTCP implements platform.Sockets. What arrives by another link is
// refused; what this machine sends to itself is dropped. The error wraps
// ErrNotExist while the link or the address is missing, ErrInUse when another
// program has the port, and ErrPermission.
func (*Link) ListenTCP(link string, a netip.AddrPort) (net.Listener, error) {
	lc := net.ListenConfig{Control: options(bind(link), arrivingBy(link), giveUp)}
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
	d := net.Dialer{Control: options(bind(link), giveUp)}
	d.SetMultipathTCP(false)
	c, err := d.DialTCP(ctx, network("tcp", to.Addr()), netip.AddrPortFrom(from, 0), to)
	if err != nil {
		return nil, fmt.Errorf("dial %s by link %s: %w", to, link, socketError(err))
	}
	return c, nil
}

// ListenUDP implements platform.Sockets. Errors are those of ListenTCP.
func (*Link) ListenUDP(link string, a netip.AddrPort) (platform.UDPConn, error) {
	lc := net.ListenConfig{Control: options(bind(link), arrivingBy(link))}
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

// option sets something of a socket before it is bound to an address.
type option func(fd int) error

// options returns what net.ListenConfig and net.Dialer call for it.
func options(all ...option) func(_, _ string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		var err error
		controlled := c.Control(func(fd uintptr) {
			for _, set := range all {
				if err == nil {
					err = set(int(fd))
				}
			}
		})
		return cmp.Or(controlled, err)
	}
}

// bind binds the socket to the link. Before Linux 5.7 that takes CAP_NET_RAW.
func bind(link string) option {
	return func(fd int) error {
		if err := checkName(link); err != nil {
			return err
		}
		err := unix.SetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, link)
		if err == unix.EPERM {
			return fmt.Errorf("%w (binding to a link takes CAP_NET_RAW too before Linux 5.7)", err)
		}
		return err
	}
}

// arrivingBy drops what did not really arrive by the link. A socket that is
// only bound to it also gets what this machine sends to the link's addresses:
// that passes lo, but the kernel counts it as the link's (inet_iif).
func arrivingBy(link string) option {
	return func(fd int) error {
		index, err := indexOf(link)
		if err != nil {
			return err
		}
		const arrivedBy = -0x1000 + 8 // SKF_AD_OFF + SKF_AD_IFINDEX, linux/filter.h
		filter := []unix.SockFilter{
			{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: arrivedBy & math.MaxUint32},
			{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: index, Jf: 1},
			{Code: unix.BPF_RET | unix.BPF_K, K: math.MaxUint32}, // all of it
			{Code: unix.BPF_RET | unix.BPF_K, K: 0},              // nothing
		}
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
	}
}

func indexOf(link string) (uint32, error) {
	nl, err := dial()
	if err != nil {
		return 0, err
	}
	defer nl.close()
	dev, err := nl.device(link)
	return dev.index, err
}

// giveUp sets the user timeout, which connections inherit from a listener.
func giveUp(fd int) error {
	return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout.Milliseconds()))
}
