// Package inspect looks at what others have configured on this machine: routes,
// the rules of its firewall, the kernel's settings. It is for people who look
// for a fault, and changes nothing.
//
// Every call opens its own sockets and closes them. What the kernel tells is
// read with few demands: an attribute or an expression that is not known makes
// the answer less certain, and is no error.
package inspect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/netlink"
)

// Inspector looks at the machine, in the network namespace of the process. It
// has no state; its methods may be called concurrently.
type Inspector struct{}

var _ platform.Inspector = Inspector{}

// New returns the machine's Inspector.
func New() Inspector { return Inspector{} }

// RouteTo implements platform.Inspector.
func (Inspector) RouteTo(a netip.Addr) (platform.Route, error) {
	r, err := lookUp(a)
	if err != nil {
		return platform.Route{}, fmt.Errorf("route to %s: %w", a, translate(err))
	}
	r.MTU = knownMTU(a)
	return r, nil
}

// lookUp asks the kernel as `ip route get` does.
func lookUp(a netip.Addr) (r platform.Route, err error) {
	nl, err := netlink.Dial(unix.NETLINK_ROUTE)
	if err != nil {
		return r, err
	}
	defer nl.Close()
	body := make(netlink.Body, unix.SizeofRtMsg)
	body[0], body[1] = familyOf(a), uint8(a.BitLen())
	body.Bytes(unix.RTA_DST, a.AsSlice())
	answer, err := nl.Do(unix.RTM_GETROUTE, 0, body)
	for _, b := range answer.Bodies {
		route := parse(behind(unix.SizeofRtMsg, b))
		r.Link = linkName(native(route[unix.RTA_OIF]))
		r.Source, _ = netip.AddrFromSlice(route[unix.RTA_PREFSRC])
	}
	return r, err
}

func familyOf(a netip.Addr) uint8 {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// linkName is empty for a link that is gone.
func linkName(index uint32) string {
	link, err := net.InterfaceByIndex(int(index))
	if err != nil {
		return ""
	}
	return link.Name
}

// knownMTU is what the kernel believes to get through to a: its link's MTU, or
// less where a router said so.
func knownMTU(a netip.Addr) int {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 9)))
	if err != nil {
		return 0
	}
	defer c.Close() // nothing was sent
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	level, option := unix.IPPROTO_IP, unix.IP_MTU
	if a.Is6() {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_MTU
	}
	mtu := 0
	if err := raw.Control(func(fd uintptr) { mtu, _ = unix.GetsockoptInt(int(fd), level, option) }); err != nil {
		return 0
	}
	return mtu
}

// knockPause is the time between two knocks, one of which may be lost.
const knockPause = 300 * time.Millisecond

// Knock implements platform.Inspector. An answer, which no WireGuard gives,
// counts as silence.
func (Inspector) Knock(ctx context.Context, to netip.AddrPort) (platform.Echo, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("knock at %s: %w", to, err)
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return echoOf(fmt.Errorf("knock at %s: %w", to, err))
	}
	defer c.Close()
	var b [64]byte
	for ctx.Err() == nil {
		if _, err := c.Write([]byte{0}); err != nil {
			return echoOf(err)
		}
		if err := c.SetReadDeadline(time.Now().Add(knockPause)); err != nil {
			return "", fmt.Errorf("knock at %s: %w", to, err)
		}
		if _, err := c.Read(b[:]); err == nil {
			return platform.EchoSilence, nil
		} else if !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err) {
			return echoOf(err)
		}
	}
	return platform.EchoSilence, nil
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// echoOf reads what the kernel has made of an ICMP message, or of a rule.
func echoOf(err error) (platform.Echo, error) {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return platform.EchoRefused, nil
	case errors.Is(err, syscall.EPERM):
		return platform.EchoBarred, nil
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EACCES):
		return platform.EchoUnreachable, nil
	}
	return "", err
}

// translate puts the sentinel that fits before err.
func translate(err error) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES) && !errors.Is(err, unix.ENETUNREACH):
		return fmt.Errorf("%w: %w", platform.ErrPermission, err)
	case errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%w: %w", platform.ErrNotExist, err)
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EPROTONOSUPPORT):
		return fmt.Errorf("%w: %w", platform.ErrUnsupported, err)
	}
	return err
}
