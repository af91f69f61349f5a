package netlab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// Packet is an IP packet that crossed a switch.
type Packet struct {
	Src, Dst netip.AddrPort // the ports are 0 but for TCP and UDP
	Protocol uint8          // IANA's number, for example unix.IPPROTO_UDP; in IPv6 the first header's
	Len      int            // bytes, with the IP header. The kernel may carry several TCP or UDP packets of one flow as one
}

// Counter counts a switch's packets.
type Counter struct {
	sw    *Switch
	own   []int // the switch's own links, by index
	match func(Packet) bool
	file  *os.File
	raw   syscall.RawConn
	done  sync.WaitGroup

	mu      sync.Mutex
	packets int
	bytes   int
	dropped int // by the kernel, for want of buffer
	buf     []byte
}

// counterBuffer is enough for a second of the busiest test.
const counterBuffer = 64 << 20

// Count counts the packets that enter a switch by any port and that match
// accepts (nil: all), from now until the test ends. Each is counted once, where
// it enters; the switch's own, which come from no port, are not counted. Match
// runs on another goroutine.
func (sw *Switch) Count(match func(Packet) bool) *Counter {
	sw.w.t.Helper()
	if match == nil {
		match = func(Packet) bool { return true }
	}
	c := &Counter{sw: sw, match: match, buf: make([]byte, 1<<16)}
	sw.w.must(sw.ns.rtnl(c.findOwn), "switch %s: count", sw.name)
	sw.w.must(sw.ns.do(c.open), "switch %s: count", sw.name)
	c.done.Go(c.receive)
	sw.w.t.Cleanup(c.close)
	return c
}

// findOwn notes the switch's own links, by which a packet that was counted at a
// port passes again, or which bring the switch's own packets.
func (c *Counter) findOwn(conn *rtnetlink.Conn) error {
	links, err := conn.Link.List()
	if err != nil {
		return fmt.Errorf("list links: %w", err)
	}
	for _, l := range links {
		if name := l.Attributes.Name; name == bridgeName || name == gatewayName || name == gatewayPortName {
			c.own = append(c.own, int(l.Index))
		}
	}
	return nil
}

// open makes the packet socket; it sees all links of the namespace.
func (c *Counter) open() (err error) {
	protocol := int(binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL)))
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return fmt.Errorf("open packet socket: %w", err)
	}
	c.file = os.NewFile(uintptr(fd), "packets")
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, counterBuffer); err != nil {
		return fmt.Errorf("set buffer: %w", err)
	}
	c.raw, err = c.file.SyscallConn()
	return err
}

// receive reads until the socket is closed.
func (c *Counter) receive() {
	_ = c.raw.Read(func(fd uintptr) bool { // its error is that the socket was closed
		c.drain(int(fd))
		return false // wait for more
	})
}

// drain counts what the socket holds.
func (c *Counter) drain(fd int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		n, from, err := unix.Recvfrom(fd, c.buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			break
		}
		ll, ok := from.(*unix.SockaddrLinklayer)
		if !ok || ll.Pkttype == unix.PACKET_OUTGOING || slices.Contains(c.own, ll.Ifindex) {
			continue
		}
		if p, ok := parsePacket(c.buf[:n]); ok && c.match(p) {
			c.packets++
			c.bytes += p.Len
		}
	}
	// Reading the statistics resets them.
	if s, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
		c.dropped += int(s.Drops)
	}
}

// Packets is the number so far, including all that crossed before the call. It
// fails the test if some could not be counted.
func (c *Counter) Packets() int {
	c.sw.w.t.Helper()
	n, _ := c.totals()
	return n
}

// Bytes is their total length, with IP headers.
func (c *Counter) Bytes() int {
	c.sw.w.t.Helper()
	_, n := c.totals()
	return n
}

func (c *Counter) totals() (packets, bytes int) {
	c.sw.w.t.Helper()
	err := c.raw.Control(func(fd uintptr) { c.drain(int(fd)) })
	c.sw.w.must(err, "switch %s: count", c.sw.name)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dropped > 0 {
		c.sw.w.t.Fatalf("netlab: switch %s: %d packets came too fast to be counted", c.sw.name, c.dropped)
	}
	return c.packets, c.bytes
}

func (c *Counter) close() {
	_ = c.file.Close()
	c.done.Wait()
}

// parsePacket reads the headers of an IP packet.
func parsePacket(b []byte) (Packet, bool) {
	var p Packet
	var src, dst netip.Addr
	var payload []byte
	switch {
	case len(b) >= 20 && b[0]>>4 == 4 && len(b) >= int(b[0]&15)*4:
		src, _ = netip.AddrFromSlice(b[12:16])
		dst, _ = netip.AddrFromSlice(b[16:20])
		p.Protocol, p.Len, payload = b[9], int(binary.BigEndian.Uint16(b[2:])), b[int(b[0]&15)*4:]
	case len(b) >= 40 && b[0]>>4 == 6:
		src, _ = netip.AddrFromSlice(b[8:24])
		dst, _ = netip.AddrFromSlice(b[24:40])
		p.Protocol, p.Len, payload = b[6], 40+int(binary.BigEndian.Uint16(b[4:])), b[40:]
	default:
		return Packet{}, false
	}
	var sport, dport uint16
	if (p.Protocol == unix.IPPROTO_TCP || p.Protocol == unix.IPPROTO_UDP) && len(payload) >= 4 {
		sport, dport = binary.BigEndian.Uint16(payload), binary.BigEndian.Uint16(payload[2:])
	}
	p.Src, p.Dst = netip.AddrPortFrom(src, sport), netip.AddrPortFrom(dst, dport)
	return p, true
}
