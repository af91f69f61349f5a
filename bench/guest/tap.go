package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// tap sees every netlink message of this machine, whoever sends it: a packet
// socket on a link of the kernel's kind nlmon. That makes messages dearer, so
// it is there while messages are counted, and not while time is measured.
type tap struct {
	rtnl  *rtnetlink.Conn
	index uint32
	fd    int
	buf   []byte
}

const (
	tapLink   = "netlink0"
	tapBuffer = 64 << 20 // bytes that may wait; a reading of 10,000 peers is 3 MB
	maxPacket = 1 << 20  // bytes; the kernel's largest message is smaller
)

func openTap() (t *tap, err error) {
	t = &tap{fd: -1, buf: make([]byte, maxPacket)}
	defer func() {
		if err != nil {
			err = fmt.Errorf("listen to netlink: %w", errors.Join(err, t.close()))
		}
	}()
	if t.rtnl, err = rtnetlink.Dial(nil); err != nil {
		return t, err
	}
	if err := t.addLink(); err != nil {
		return t, err
	}
	all := int(binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL}))
	t.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, all)
	if err != nil {
		return t, err
	}
	if err := unix.SetsockoptInt(t.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, tapBuffer); err != nil {
		return t, err
	}
	return t, unix.Bind(t.fd, &unix.SockaddrLinklayer{Protocol: uint16(all), Ifindex: int(t.index)})
}

func (t *tap) addLink() error {
	err := t.rtnl.Link.New(&rtnetlink.LinkMessage{
		Flags: unix.IFF_UP, Change: unix.IFF_UP,
		Attributes: &rtnetlink.LinkAttributes{Name: tapLink, Info: &rtnetlink.LinkInfo{Kind: "nlmon"}},
	})
	if err != nil {
		return fmt.Errorf("make a link of kind nlmon: %w", err)
	}
	link, err := net.InterfaceByName(tapLink)
	if err != nil {
		return err
	}
	t.index = uint32(link.Index)
	return nil
}

func (t *tap) close() error {
	var failed []error
	if t.fd >= 0 {
		failed = append(failed, unix.Close(t.fd))
	}
	if t.index != 0 {
		failed = append(failed, t.rtnl.Link.Delete(t.index))
	}
	if t.rtnl != nil {
		failed = append(failed, t.rtnl.Close())
	}
	return errors.Join(failed...)
}

// count runs do and counts the messages of generic netlink that it made pass:
// requests, and what the kernel sent back. Netlink hands messages over before
// a system call returns, so that none is late.
func (t *tap) count(do task) (sent, received int, err error) {
	if _, _, err := t.drain(); err != nil {
		return 0, 0, err
	}
	if err := do(); err != nil {
		return 0, 0, err
	}
	sent, received, err = t.drain()
	if err != nil {
		return 0, 0, fmt.Errorf("listen to netlink: %w", err)
	}
	stats, err := unix.GetsockoptTpacketStats(t.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err == nil && stats.Drops > 0 {
		err = fmt.Errorf("listen to netlink: %d of %d packets were lost: they need more than %d bytes", stats.Drops, stats.Packets, tapBuffer)
	}
	return sent, received, err
}

func (t *tap) drain() (sent, received int, err error) {
	for {
		n, from, err := unix.Recvfrom(t.fd, t.buf, 0)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			return sent, received, nil
		case err != nil:
			return 0, 0, err
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok && ntohs(ll.Protocol) == unix.NETLINK_GENERIC {
			s, r := messages(t.buf[:n])
			sent, received = sent+s, received+r
		}
	}
}

// messages counts the messages of one packet. The kernel never sets
// NLM_F_REQUEST in its own (linux/netlink.h, struct nlmsghdr).
func messages(packet []byte) (sent, received int) {
	for len(packet) >= unix.NLMSG_HDRLEN {
		length := int(binary.NativeEndian.Uint32(packet))
		if length < unix.NLMSG_HDRLEN {
			break
		}
		if binary.NativeEndian.Uint16(packet[6:])&unix.NLM_F_REQUEST != 0 {
			sent++
		} else {
			received++
		}
		packet = packet[min(len(packet), (length+unix.NLMSG_ALIGNTO-1)&^(unix.NLMSG_ALIGNTO-1)):]
	}
	return sent, received
}

// ntohs turns a number of the network's byte order into the machine's.
func ntohs(n uint16) uint16 {
	return binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, n))
}
