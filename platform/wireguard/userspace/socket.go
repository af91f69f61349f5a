package userspace

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/conn"
)

// receiveBuffer is how many bytes of packets a socket keeps while the device
// is busy; the kernel counts its own overhead on top, up to as much again. Its
// default of some 100 packets loses a part of every burst.
const receiveBuffer = 1 << 20

// family is what the sockets of IPv4 and IPv6 differ in.
type family struct {
	network     string
	level, want int // socket option that asks for the local address of packets
}

var (
	ipv4 = &family{"udp4", unix.IPPROTO_IP, unix.IP_PKTINFO}
	ipv6 = &family{"udp6", unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO}
)

// openSocket opens a socket on all addresses; IPv6's leaves IPv4 alone.
func openSocket(f *family, port uint16) (*net.UDPConn, error) {
	lc := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error { return f.setOptions(raw) }}
	c, err := lc.ListenPacket(context.Background(), f.network, ":"+strconv.Itoa(int(port)))
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil
}

func (f *family) setOptions(raw syscall.RawConn) error {
	return control(raw, func(fd int) error {
		if err := unix.SetsockoptInt(fd, f.level, f.want, 1); err != nil {
			return fmt.Errorf("ask for local addresses: %w", err)
		}
		err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer)
		if errors.Is(err, unix.EPERM) { // as much as anybody may have
			err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
		}
		return err
	})
}

// control runs do with the descriptor.
func control(raw syscall.RawConn, do func(fd int) error) error {
	var err error
	return errors.Join(raw.Control(func(fd uintptr) { err = do(int(fd)) }), err)
}

func portOf(c *net.UDPConn) uint16 { return uint16(c.LocalAddr().(*net.UDPAddr).Port) }

func setMark(c *net.UDPConn, mark uint32) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	return control(raw, func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(mark)) })
}

// incoming receives a socket's packets; one goroutine uses it.
type incoming struct {
	conn *net.UDPConn
	oob  [64]byte  // room for one control message
	last *endpoint // of the packet before: most come from the same peer again
}

// receive is a conn.ReceiveFunc that takes one packet. Its errors are wrapped:
// at a bare net.Error that is not temporary the device stops receiving for
// good, whatever it was; of the wrapped ones only net.ErrClosed is the end.
func (in *incoming) receive(packets [][]byte, sizes []int, eps []conn.Endpoint) (int, error) {
	n, oobn, _, from, err := in.conn.ReadMsgUDPAddrPort(packets[0], in.oob[:])
	if err != nil {
		return 0, fmt.Errorf("receive: %w", err)
	}
	from, where := netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), arrivalOf(in.oob[:oobn])
	if in.last == nil || in.last.remote != from || in.last.arrival != where || in.last.sourceless.Load() {
		in.last = newEndpoint(from, where)
	}
	sizes[0], eps[0] = n, in.last
	return 1, nil
}

// arrivalOf reads a packet's control message: struct in_pktinfo or in6_pktinfo.
// Without one it is zero.
func arrivalOf(oob []byte) arrival {
	for len(oob) > 0 {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			break
		}
		switch {
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			return arrival{netip.AddrFrom4([4]byte(data[4:8])), binary.NativeEndian.Uint32(data)} // ipi_spec_dst, ipi_ifindex
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			return arrival{sourceable(netip.AddrFrom16([16]byte(data[:16]))), binary.NativeEndian.Uint32(data[16:])}
		}
		oob = rest
	}
	return arrival{}
}

// sourceable leaves out link-local addresses: as a source they want the link
// named, which the other side's zone does already.
func sourceable(a netip.Addr) netip.Addr {
	if a.IsLinkLocalUnicast() || a.IsMulticast() {
		return netip.Addr{}
	}
	return a
}
