package netlab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// ICMP message types (RFC 792, RFC 4443) and the length of an echo's header.
const (
	echoRequest4 = 8
	echoReply4   = 0
	echoRequest6 = 128
	echoReply6   = 129
	echoLen      = 8
)

// firstReplyInterval is how often Ping asks, and replyGrace how long Stop waits
// for replies that are still on their way.
const (
	firstReplyInterval = 50 * time.Millisecond
	replyGrace         = 5 * time.Second
)

// Pings is what a Pinger counted. Each request has a sequence number, so that a
// reply counts once and for its own request.
type Pings struct {
	Sent, Received int
	Lost           []int // the sequence numbers, from 0, that were not answered
}

// Pinger sends ICMP echo requests at a steady pace until it is stopped.
type Pinger struct {
	to   netip.Addr
	conn net.PacketConn
	stop chan struct{}
	once sync.Once
	done sync.WaitGroup

	mu       sync.Mutex
	answered []bool        // by sequence number
	first    chan struct{} // closed at the first reply
	news     chan struct{} // holds one token when a reply has come
}

// Ping waits until to, an IP address, answers an ICMP echo request, asking
// every 50 ms. It returns an error when there is no answer within the time
// given.
func (h *Host) Ping(to string, within time.Duration) error {
	p, err := h.newPinger(to, firstReplyInterval)
	if err != nil {
		return err
	}
	defer p.end()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.first:
		return nil
	case <-timer.C:
		return fmt.Errorf("%s: ping %s: no reply within %v", h.name, to, within)
	}
}

// StartPing sends to, an IP address, an ICMP echo request at once and then
// every so often, until the Pinger is stopped (at the latest when the test
// ends). At most 65,536 requests can be told apart.
func (h *Host) StartPing(to string, every time.Duration) *Pinger {
	h.w.t.Helper()
	p, err := h.newPinger(to, every)
	h.w.must(err, "%s: ping", h.name)
	h.w.t.Cleanup(p.end)
	return p
}

func (h *Host) newPinger(to string, every time.Duration) (*Pinger, error) {
	addr, err := netip.ParseAddr(to)
	if err != nil {
		return nil, fmt.Errorf("ping: %w", err)
	}
	p := &Pinger{to: addr, stop: make(chan struct{}), first: make(chan struct{}), news: make(chan struct{}, 1)}
	if err := h.Do(func() (err error) { p.conn, err = echoSocket(addr); return err }); err != nil {
		return nil, err
	}
	p.done.Go(func() { p.send(every) })
	p.done.Go(p.receive)
	return p, nil
}

// echoSocket opens a ping socket, to which the kernel gives only the replies to
// its own requests.
func echoSocket(to netip.Addr) (net.PacketConn, error) {
	domain, protocol := unix.AF_INET, unix.IPPROTO_ICMP
	if to.Is6() {
		domain, protocol = unix.AF_INET6, unix.IPPROTO_ICMPV6
	}
	fd, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return nil, fmt.Errorf("open ping socket: %w", err)
	}
	f := os.NewFile(uintptr(fd), "ping")
	defer func() { _ = f.Close() }() // FilePacketConn has its own descriptor
	conn, err := net.FilePacketConn(f)
	if err != nil {
		return nil, fmt.Errorf("open ping socket: %w", err)
	}
	return conn, nil
}

// send sends requests until the Pinger is stopped.
func (p *Pinger) send(every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	to := net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.to, 0))
	for {
		// A request that cannot be sent (no route at this moment) is lost like
		// any other: it has a number, and no reply.
		_, _ = p.conn.WriteTo(p.request(), to)
		select {
		case <-p.stop:
			return
		case <-ticker.C:
		}
	}
}

// request is the next echo request. The kernel fills in identifier and
// checksum.
func (p *Pinger) request() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := make([]byte, echoLen)
	b[0] = echoRequest4
	if p.to.Is6() {
		b[0] = echoRequest6
	}
	binary.BigEndian.PutUint16(b[6:], uint16(len(p.answered)))
	p.answered = append(p.answered, false)
	return b
}

// receive notes replies until the socket is closed.
func (p *Pinger) receive() {
	buf := make([]byte, 1500)
	for {
		n, _, err := p.conn.ReadFrom(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil && n >= echoLen && (buf[0] == echoReply4 || buf[0] == echoReply6):
			p.note(int(binary.BigEndian.Uint16(buf[6:])))
		}
	}
}

func (p *Pinger) note(seq int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if seq >= len(p.answered) || p.answered[seq] {
		return
	}
	p.answered[seq] = true
	select {
	case <-p.first:
	default:
		close(p.first)
	}
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// Counts is the state so far: requests whose reply is on its way count as lost.
func (p *Pinger) Counts() Pings {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := Pings{Sent: len(p.answered)}
	for seq, ok := range p.answered {
		if ok {
			c.Received++
		} else {
			c.Lost = append(c.Lost, seq)
		}
	}
	return c
}

// Stop stops sending, waits up to 5 s for the replies that are missing, and
// returns the counts. Stopping twice gives the same counts.
func (p *Pinger) Stop() Pings {
	p.once.Do(func() { close(p.stop) })
	timer := time.NewTimer(Patience(replyGrace))
	defer timer.Stop()
	for {
		c := p.Counts()
		if len(c.Lost) == 0 {
			p.end()
			return c
		}
		select {
		case <-p.news:
		case <-timer.C:
			p.end()
			return p.Counts()
		}
	}
}

// end stops both goroutines and waits for them.
func (p *Pinger) end() {
	p.once.Do(func() { close(p.stop) })
	_ = p.conn.Close() // of a closed one too
	p.done.Wait()
}

// LongestGap is the longest run of requests that were not answered: how long a
// path was away, in the Pinger's intervals.
func (c Pings) LongestGap() int {
	longest, run := 0, 0
	for i, seq := range c.Lost {
		if i > 0 && seq == c.Lost[i-1]+1 {
			run++
		} else {
			run = 1
		}
		longest = max(longest, run)
	}
	return longest
}
