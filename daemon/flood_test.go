package daemon_test

import (
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ginnel/platform"
	"ginnel/wire"
)

// TestHostileSignals: a peer that floods the coordinator with polls, or probes,
// gets fewer answers than it asked for, none larger, and another peer gets its
// own in between.
func TestHostileSignals(t *testing.T) {
	for _, kind := range []wire.SignalKind{wire.SignalPoll, wire.SignalProbe} {
		inBubble(t, func(t *testing.T, r *rig) {
			hub := r.find("hub")
			count := &answers{Sockets: hub.system.Sockets, sent: map[netip.Addr]int{}}
			hub.system.Sockets = count
			r.peers(map[string]string{"ann": "servers", "bob": "servers"})
			ann, bob := r.find("ann"), r.find("bob")
			r.within(time.Minute, "ann's map", ann.sees("hub", "bob"))
			r.within(time.Minute, "bob's map", bob.sees("hub", "ann"))
			r.pass(time.Minute)
			to := netip.AddrPortFrom(r.book("home").Coordinator().Address, wire.SignalPort)
			count.take()
			const floods, each = 200, 50
			for i := range floods {
				ann.signal(to, wire.Signal{Kind: kind}, each)
				if i%20 == 10 {
					bob.signal(to, wire.Signal{Kind: kind}, 1)
				}
				r.pass(10 * time.Millisecond)
			}
			sent, bytes := count.take()
			// A burst of 50, and 20 a second; others are the daemon's own.
			if n := sent[ann.overlay()]; n < 50 || n > 50+20*floods/100+10 {
				t.Errorf("%d answers to %d signals %c of one peer", n, floods*each, kind)
			}
			if n := sent[bob.overlay()]; n < floods/20 {
				t.Errorf("%d answers to the %d signals %c of another peer", n, floods/20, kind)
			}
			if total := sent[ann.overlay()] + sent[bob.overlay()]; bytes > total*wire.SignalSize {
				t.Errorf("%d answers have %d bytes", total, bytes)
			}
		})
	}
}

// signal sends s so many times, as another program on m would.
func (m *machine) signal(to netip.AddrPort, s wire.Signal, times int) {
	c, err := m.ListenUDP("home", netip.AddrPortFrom(m.overlay(), 40000))
	m.rig.ok(err)
	defer c.Close()
	for range times {
		_, err := c.WriteToUDPAddrPort(s.Append(nil), to)
		m.rig.ok(err)
		synctest.Wait()
	}
}

// overlay is m's address in home.
func (m *machine) overlay() netip.Addr {
	p, _ := m.rig.book("home").PeerNamed(m.name)
	return p.Address
}

// answers counts what is sent from UDP sockets.
type answers struct {
	platform.Sockets
	mu    sync.Mutex
	sent  map[netip.Addr]int // datagrams, by who gets them
	bytes int
}

func (a *answers) ListenUDP(link string, at netip.AddrPort) (platform.UDPConn, error) {
	c, err := a.Sockets.ListenUDP(link, at)
	if err != nil {
		return nil, err
	}
	return &answeringConn{c, a}, nil
}

// take returns what was counted since the last time.
func (a *answers) take() (sent map[netip.Addr]int, bytes int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	sent, bytes = a.sent, a.bytes
	a.sent, a.bytes = map[netip.Addr]int{}, 0
	return sent, bytes
}

type answeringConn struct {
	platform.UDPConn
	a *answers
}

func (c *answeringConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	c.a.mu.Lock()
	c.a.sent[to.Addr()]++
	c.a.bytes += len(b)
	c.a.mu.Unlock()
	return c.UDPConn.WriteToUDPAddrPort(b, to)
}
