package userspace

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"ginnel/key"
	"ginnel/platform"
	"ginnel/platform/platformtest"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// Message types of the WireGuard protocol.
const (
	initiation = 1
	data       = 4
)

// node is a tunnel on loopback.
type node struct {
	platform.Tunnel
	private key.PrivateKey
}

// newNode opens a tunnel that listens on the port.
func newNode(t *testing.T, name string, port uint16) *node {
	t.Helper()
	tn, err := New(quiet).Open(name, 1380)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tn.Close() })
	n := &node{tn, key.NewPrivate([32]byte{1: byte(port), 2: byte(port >> 8)})}
	n.apply(t, platform.TunnelChange{Set: platform.SetPrivateKey | platform.SetListenPort, PrivateKey: n.private, ListenPort: port})
	return n
}

func (n *node) public() key.PublicKey { return n.private.Public() }

func (n *node) apply(t *testing.T, c platform.TunnelChange) {
	t.Helper()
	if err := n.Apply(&c); err != nil {
		t.Fatal(err)
	}
}

func (n *node) peer(t *testing.T, c platform.PeerChange) {
	t.Helper()
	n.apply(t, platform.TunnelChange{Peers: []platform.PeerChange{c}})
}

// until waits until ok holds for n's only peer.
func (n *node) until(t *testing.T, what string, ok func(*platform.Peer) bool) platform.Peer {
	t.Helper()
	var s platform.TunnelState
	await(t, what, func() bool {
		if err := n.Observe(&s); err != nil {
			t.Fatal(err)
		}
		return len(s.Peers) == 1 && ok(&s.Peers[0])
	})
	return s.Peers[0]
}

// await looks again and again until ok.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(patience); !ok(); <-again.C {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

func handshaken(p *platform.Peer) bool { return !p.LastHandshake.IsZero() }

// probe is a UDP socket that sees what a device sends.
type probe struct{ *net.UDPConn }

func newProbe(t *testing.T) probe {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(loopback(0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return probe{c}
}

func (p probe) addr() netip.AddrPort { return p.LocalAddr().(*net.UDPAddr).AddrPort() }

// want waits for the next packet, which must be of that type.
func (p probe) want(t *testing.T, typ uint32) {
	t.Helper()
	b := make([]byte, 2048)
	p.SetReadDeadline(time.Now().Add(patience))
	n, _, err := p.ReadFromUDPAddrPort(b)
	if err != nil {
		t.Fatalf("no packet: %v", err)
	}
	if got := binary.LittleEndian.Uint32(b); got != typ {
		t.Fatalf("got a packet of type %d with %d bytes, want type %d", got, n, typ)
	}
}

func loopback(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
}

const keepalive = platform.SetEndpoint | platform.SetKeepalive

// TestKeepaliveGreets checks that a keepalive that is turned on sends an
// initiation at once, and that nothing was sent before.
func TestKeepaliveGreets(t *testing.T) {
	platformtest.Namespace(t)
	n, p := newNode(t, "wg0", 40001), newProbe(t)
	other := key.NewPrivate([32]byte{9}).Public()
	n.peer(t, platform.PeerChange{PublicKey: other, Set: platform.SetEndpoint, Endpoint: p.addr()})
	if tx := n.until(t, "peer", func(*platform.Peer) bool { return true }).Tx; tx != 0 {
		t.Errorf("sent %d bytes without a reason", tx)
	}
	n.peer(t, platform.PeerChange{PublicKey: other, Update: true, Set: platform.SetKeepalive, Keepalive: 25})
	p.want(t, initiation)
}

// TestAddedAgainGreets checks that a peer that is removed and added in one
// change is greeted at once, though initiations are 5 s apart otherwise.
func TestAddedAgainGreets(t *testing.T) {
	platformtest.Namespace(t)
	n, p, q := newNode(t, "wg0", 40001), newProbe(t), newProbe(t)
	other := key.NewPrivate([32]byte{9}).Public()
	add := platform.PeerChange{PublicKey: other, Set: keepalive, Endpoint: p.addr(), Keepalive: 25}
	n.peer(t, add)
	p.want(t, initiation)
	add.Endpoint = q.addr()
	n.apply(t, platform.TunnelChange{Remove: []key.PublicKey{other}, Peers: []platform.PeerChange{add}})
	q.want(t, initiation)
}

// pair makes two tunnels with a session; the first sends every second. Their
// links stay down, unlike the kernel's the device does not mind.
func pair(t *testing.T) (a, b *node) {
	t.Helper()
	a, b = newNode(t, "wg0", 40001), newNode(t, "wg1", 40002)
	b.peer(t, platform.PeerChange{PublicKey: a.public()})
	a.peer(t, platform.PeerChange{PublicKey: b.public(), Set: keepalive, Endpoint: loopback(40002), Keepalive: 1})
	a.until(t, "handshake", handshaken)
	b.until(t, "handshake", handshaken)
	return a, b
}

// TestNewEndpointKeepsSession checks that after a change of endpoint the next
// packet is one of the same session.
func TestNewEndpointKeepsSession(t *testing.T) {
	platformtest.Namespace(t)
	a, b := pair(t)
	before := a.until(t, "peer", handshaken).LastHandshake
	p := newProbe(t)
	a.peer(t, platform.PeerChange{PublicKey: b.public(), Update: true, Set: platform.SetEndpoint, Endpoint: p.addr()})
	p.want(t, data)
	if after := a.until(t, "peer", handshaken).LastHandshake; !after.Equal(before) {
		t.Errorf("there was a new handshake, %v after the first", after.Sub(before))
	}
}

// TestRoams checks that the other side follows a sender to its new port, and
// keeps the session.
func TestRoams(t *testing.T) {
	platformtest.Namespace(t)
	a, b := pair(t)
	first := b.until(t, "endpoint", func(p *platform.Peer) bool { return p.Endpoint == loopback(40001) })
	a.apply(t, platform.TunnelChange{Set: platform.SetListenPort, ListenPort: 40003})
	p := b.until(t, "new endpoint", func(p *platform.Peer) bool { return p.Endpoint == loopback(40003) })
	if !p.LastHandshake.Equal(first.LastHandshake) {
		t.Error("there was a new handshake")
	}
}

// TestCarries checks that a packet goes in at one tunnel and comes out at the
// other, with links that went down and up again in between.
func TestCarries(t *testing.T) {
	platformtest.Namespace(t)
	a, b := pair(t)
	ip(t, "address", "add", "10.0.0.1/32", "dev", "wg0")
	a.peer(t, platform.PeerChange{PublicKey: b.public(), Update: true, AllowedIPs: []netip.Prefix{netip.MustParsePrefix("10.9.9.0/24")}})
	b.peer(t, platform.PeerChange{PublicKey: a.public(), Update: true, AllowedIPs: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}})
	for range 2 {
		for _, name := range []string{"wg0", "wg1"} {
			ip(t, "link", "set", name, "down")
			ip(t, "link", "set", name, "up")
		}
		ip(t, "route", "add", "10.9.9.0/24", "dev", "wg0", "src", "10.0.0.1")
		c, err := net.Dial("udp", "10.9.9.9:9")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		before := received(t, "wg1")
		if _, err := c.Write(make([]byte, 1300)); err != nil {
			t.Fatal(err)
		}
		await(t, "the packet", func() bool { return received(t, "wg1") >= before+1328 })
	}
}

// received returns how many bytes came in at a link of the test's namespace.
func received(t *testing.T, link string) (bytes int) {
	t.Helper()
	text, err := os.ReadFile("/proc/thread-self/net/dev")
	if err != nil {
		t.Fatal(err)
	}
	_, counters, found := strings.Cut(string(text), link+":")
	if _, err := fmt.Sscan(counters, &bytes); !found || err != nil {
		t.Fatalf("no counters of %s: %v", link, err)
	}
	return bytes
}
