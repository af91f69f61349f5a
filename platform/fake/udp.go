package fake

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"ginnel/platform"
)

// packet is a datagram and where it came from.
type packet struct {
	from netip.AddrPort
	data []byte
}

// ListenUDP implements platform.Sockets. Its link is a tunnel.
func (o *OS) ListenUDP(link string, a netip.AddrPort) (platform.UDPConn, error) {
	s, err := o.listen("udp", link, a)
	if err != nil {
		return nil, err
	}
	return &udpConn{socket: s, expired: make(chan struct{})}, nil
}

// udpConn is a socket for UDP.
type udpConn struct {
	*socket

	mu      sync.Mutex // guards what follows
	expired chan struct{}
	timer   *time.Timer // closes expired; nil: no deadline, or past
}

// ReadFromUDPAddrPort implements platform.UDPConn.
func (u *udpConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	u.mu.Lock()
	expired := u.expired
	u.mu.Unlock()
	select {
	case <-u.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	case <-expired:
		return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
	case p := <-u.packets:
		return copy(b, p.data), p.from, nil
	}
}

// WriteToUDPAddrPort implements platform.UDPConn. What does not arrive is
// lost, without an error.
func (u *udpConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	u.os.w.mu.Lock()
	defer u.os.w.mu.Unlock()
	select {
	case <-u.closed:
		return 0, net.ErrClosed
	default:
	}
	out, ok := u.link.tunnel.carry(u.addr.Addr(), to.Addr(), uint64(udpLen+len(b)))
	if !ok {
		return len(b), nil
	}
	if s := out.link.socket(out.os, "udp", to); s != nil {
		select {
		case s.packets <- packet{from: u.addr, data: append([]byte(nil), b...)}:
		default: // its queue is full
		}
	}
	return len(b), nil
}

// udpLen is the length of an empty UDP datagram with its IPv4 header, in bytes.
const udpLen = 28

// SetReadDeadline implements platform.UDPConn, in real time. It applies to a
// Read that waits already.
func (u *udpConn) SetReadDeadline(t time.Time) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.timer != nil && !u.timer.Stop() {
		<-u.expired // the timer is about to close it
	}
	u.timer = nil
	select {
	case <-u.expired:
		u.expired = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return nil
	}
	expired := u.expired
	if d := time.Until(t); d > 0 {
		u.timer = time.AfterFunc(d, func() { close(expired) })
	} else {
		close(expired)
	}
	return nil
}

// Close implements platform.UDPConn.
func (u *udpConn) Close() error { return u.close() }
