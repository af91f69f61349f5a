package daemon_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"ginnel/network"
	"ginnel/platform"
)

// The budget, in bytes of IP packets inside the tunnel, both ways.
const trafficBudget = 100_000 // a day, keepalives aside

// What a TCP connection costs beside its data, over IPv6, which is the dearer:
// RFC 8200 and RFC 9293, with the timestamps that Linux sends in each segment.
const (
	ipHeader   = 40
	udpHeader  = 8
	tcpHeader  = 20 + 12
	synOptions = 8     // more of them, in each of the first two segments
	segment    = 1_200 // bytes of data, for an MTU of 1280
	bareACKs   = 5     // without data: two SYNs, one ACK, two FINs with theirs
)

// meter counts what goes through a machine's sockets.
type meter struct {
	platform.Sockets
	mu               sync.Mutex
	dials, datagrams int
	bytes            int
}

func (m *meter) add(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes += n
}

// DialTCP counts a connection, and what it costs besides its data.
func (m *meter) DialTCP(ctx context.Context, link string, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	c, err := m.Sockets.DialTCP(ctx, link, from, to)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dials++
	m.bytes += 2*synOptions + (bareACKs+2)*(ipHeader+tcpHeader)
	return &meteredConn{c, m}, err
}

// ListenUDP counts datagrams.
func (m *meter) ListenUDP(link string, a netip.AddrPort) (platform.UDPConn, error) {
	c, err := m.Sockets.ListenUDP(link, a)
	return &meteredUDP{c, m}, err
}

// read returns what was counted since the last time.
func (m *meter) read() (dials, datagrams, bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dials, datagrams, bytes = m.dials, m.datagrams, m.bytes
	m.dials, m.datagrams, m.bytes = 0, 0, 0
	return dials, datagrams, bytes
}

type meteredConn struct {
	net.Conn
	m *meter
}

// data counts n bytes of data that went one way, with an acknowledgement for
// each segment.
func (c *meteredConn) data(n int) {
	segments := (n + segment - 1) / segment
	c.m.add(n + 2*segments*(ipHeader+tcpHeader))
}

func (c *meteredConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.data(n)
	return n, err
}

func (c *meteredConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.data(n)
	return n, err
}

type meteredUDP struct {
	platform.UDPConn
	m *meter
}

func (c *meteredUDP) datagram(n int) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	c.m.datagrams++
	c.m.bytes += n + udpHeader + ipHeader
}

func (c *meteredUDP) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, err := c.UDPConn.ReadFromUDPAddrPort(b)
	if err == nil {
		c.datagram(n)
	}
	return n, from, err
}

func (c *meteredUDP) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	c.datagram(len(b))
	return c.UDPConn.WriteToUDPAddrPort(b, to)
}

// TestIdleTrafficIsSmall counts what a peer with a hundred others in its map
// says to the coordinator and hears of it, in a time of several fetches while
// nothing happens.
func TestIdleTrafficIsSmall(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		ann := r.machine("ann")
		r.join(ann, "home", "servers")
		for i := range 100 {
			k := r.secret().Public()
			r.do("home", network.Invite{Name: fmt.Sprintf("peer-%d", i), CIDR: "servers", Key: k, Expires: time.Now().Add(time.Hour)})
			p, _ := r.book("home").PeerNamed(fmt.Sprintf("peer-%d", i))
			r.do("home", network.Redeem{Address: p.Address, Invited: k, Key: r.secret().Public()})
		}
		count := &meter{Sockets: ann.system.Sockets}
		ann.system.Sockets = count
		for _, m := range r.machines {
			m.start()
		}
		r.within(5*time.Second, "a session", ann.sees("hub"))
		r.pass(10 * time.Minute) // until all that is news at the start was told
		count.read()
		const sample = 4 * time.Hour
		r.pass(sample)
		dials, datagrams, bytes := count.read()
		perDay := bytes * int(24*time.Hour/sample)
		t.Logf("control traffic of an idle peer: %d bytes a day of at most %d (in %s %d connections, %d datagrams, %d bytes)",
			perDay, trafficBudget, sample, dials, datagrams, bytes)
		if perDay > trafficBudget || dials == 0 || datagrams == 0 {
			t.Errorf("%d bytes a day, the budget is %d; both connections (%d) and datagrams (%d) are expected", perDay, trafficBudget, dials, datagrams)
		}
	})
}
