package netlab

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"
)

// socket opens a UDP socket in a host, closed when the test ends.
func socket(t *testing.T, h *Host, port uint16) net.PacketConn {
	t.Helper()
	var c net.PacketConn
	err := h.Do(func() (err error) {
		c, err = net.ListenPacket("udp", fmt.Sprintf("%s:%d", h.Addr(), port))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func addrOf(c net.PacketConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

func send(t *testing.T, from net.PacketConn, to netip.AddrPort) {
	t.Helper()
	if _, err := from.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(to)); err != nil {
		t.Fatal(err)
	}
}

// receive waits for a packet and returns where it came from, or the zero
// AddrPort if none came.
func receive(t *testing.T, c net.PacketConn, within time.Duration) netip.AddrPort {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	_, from, err := c.ReadFrom(make([]byte, 16))
	if err != nil {
		return netip.AddrPort{}
	}
	return from.(*net.UDPAddr).AddrPort()
}

// seen sends a packet and returns the source that the receiver sees.
func seen(t *testing.T, from, at net.PacketConn) netip.AddrPort {
	t.Helper()
	send(t, from, addrOf(at))
	src := receive(t, at, soon)
	if !src.IsValid() {
		t.Fatalf("nothing from %s arrived at %s", from.LocalAddr(), at.LocalAddr())
	}
	return src
}

// natWorld is two hosts behind a router, and two on the internet, with a UDP
// socket each; the inside ones have the same port.
type natWorld struct {
	router     *Router
	in1, in2   net.PacketConn
	out1, out2 net.PacketConn
}

func newNATWorld(t *testing.T, kind NAT) natWorld {
	w := New(t)
	inet := w.Internet()
	r := w.Router("home", kind, inet, "192.168.1.0/24", "2001:db8:1::/64")
	return natWorld{
		router: r,
		in1:    socket(t, w.Host("in1", r.LAN), 51820), in2: socket(t, w.Host("in2", r.LAN), 51820),
		out1: socket(t, w.Host("out1", inet), 4000), out2: socket(t, w.Host("out2", inet, "198.51.100.3"), 5000),
	}
}

func TestMapping(t *testing.T) {
	for _, tc := range []struct {
		name        string
		kind        NAT
		independent bool
	}{
		{"port-restricted", PortRestricted, true}, {"full-cone", FullCone, true}, {"symmetric", Symmetric, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := newNATWorld(t, tc.kind)
			a, b := seen(t, n.in1, n.out1), seen(t, n.in1, n.out2)
			if a.Addr() != n.router.Addr() || b.Addr() != n.router.Addr() {
				t.Errorf("seen from %s and %s, want the router's address %s", a, b, n.router.Addr())
			}
			if (a == b) != tc.independent {
				t.Errorf("seen from %s and %s by two destinations", a, b)
			}
			if other := seen(t, n.in2, n.out1); other == a {
				t.Errorf("two inside hosts are both seen from %s", a)
			}
			if again := seen(t, n.in1, n.out1); again != a {
				t.Errorf("a flow moved from %s to %s", a, again)
			}
			send(t, n.out1, a)
			if from := receive(t, n.in1, soon); from != addrOf(n.out1) {
				t.Errorf("the answer came from %s", from)
			}
		})
	}
}

func TestFiltering(t *testing.T) {
	for _, tc := range []struct {
		name string
		kind NAT
		open bool
	}{
		{"port-restricted", PortRestricted, false}, {"full-cone", FullCone, true}, {"symmetric", Symmetric, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := newNATWorld(t, tc.kind)
			for _, in := range []net.PacketConn{n.in1, n.in2} {
				outside := seen(t, in, n.out1)
				send(t, n.out2, outside) // which it was not written to
				if tc.open {
					if from := receive(t, in, soon); from != addrOf(n.out2) {
						t.Errorf("a stranger's packet came from %s, want %s", from, addrOf(n.out2))
					}
				} else if from := receive(t, in, never); from.IsValid() {
					t.Errorf("a stranger's packet came in from %s", from)
				}
			}
		})
	}
}

// A stray that is dropped must not take the mapping's place: hole punching
// depends on it.
func TestStraysDoNotDisturbTheMapping(t *testing.T) {
	n := newNATWorld(t, PortRestricted)
	outside := seen(t, n.in1, n.out1)
	send(t, n.out2, outside)
	if from := receive(t, n.in1, never); from.IsValid() {
		t.Fatalf("a stray from %s came in", from)
	}
	if now := seen(t, n.in1, n.out2); now != outside {
		t.Errorf("mapping changed from %s to %s", outside, now)
	}
	send(t, n.out2, outside)
	if from := receive(t, n.in1, soon); from != addrOf(n.out2) {
		t.Error("the punched hole is closed")
	}
}

// Two hosts behind different cone NATs reach each other when both write to the
// other's outside address.
func TestHolePunching(t *testing.T) {
	w := New(t)
	inet := w.Internet()
	server := socket(t, w.Host("server", inet), 4000)
	var in [2]net.PacketConn
	var outside [2]netip.AddrPort
	for i, name := range []string{"home1", "home2"} {
		r := w.Router(name, PortRestricted, inet, "192.168.1.0/24") // both the same LAN, as it is in life
		in[i] = socket(t, w.Host("behind-"+name, r.LAN), 51820)
		outside[i] = seen(t, in[i], server)
	}
	send(t, in[0], outside[1]) // lost at home2, opens home1
	send(t, in[1], outside[0])
	if from := receive(t, in[0], soon); from != outside[1] {
		t.Errorf("came from %s, want %s", from, outside[1])
	}
}

func TestPortsThatAreOpened(t *testing.T) {
	n := newNATWorld(t, PortRestricted)
	own := socket(t, n.router.Host, 6000)
	send(t, n.out1, addrOf(own))
	if receive(t, own, never).IsValid() {
		t.Error("the router's port is open from the start")
	}
	n.router.AcceptUDP(6000)
	send(t, n.out1, addrOf(own))
	if !receive(t, own, soon).IsValid() {
		t.Error("the router's port is not open")
	}
	n.router.ForwardUDP(7000, addrOf(n.in2).String())
	to := netip.AddrPortFrom(n.router.Addr(), 7000)
	send(t, n.out1, to)
	if from := receive(t, n.in2, soon); from != addrOf(n.out1) {
		t.Fatalf("forwarded packet came from %s", from)
	}
	send(t, n.in2, addrOf(n.out1))
	if from := receive(t, n.out1, soon); from != to {
		t.Errorf("the answer came from %s, want %s", from, to)
	}
}

// A program on the router and one behind it may use the same port.
func TestRouterKeepsItsOwnPorts(t *testing.T) {
	n := newNATWorld(t, PortRestricted)
	n.router.AcceptUDP(51820)
	own := socket(t, n.router.Host, 51820)
	if from := seen(t, own, n.out1); from != addrOf(own) {
		t.Errorf("the router is seen from %s", from)
	}
	inside := seen(t, n.in1, n.out1)
	if inside == addrOf(own) {
		t.Error("an inside host took the router's port")
	}
	send(t, n.out1, addrOf(own))
	if !receive(t, own, soon).IsValid() {
		t.Error("the router's socket heard nothing")
	}
}

// TCP is translated too, and answered.
func TestTCPThroughNAT(t *testing.T) {
	w := New(t)
	inet := w.Internet()
	r := w.Router("home", Symmetric, inet, "192.168.1.0/24")
	in, out := w.Host("in", r.LAN), w.Host("out", inet)
	var l net.Listener
	var c net.Conn
	if err := out.Do(func() (err error) { l, err = net.Listen("tcp", out.Addr().String()+":80"); return err }); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if err := in.Do(func() (err error) { c, err = net.DialTimeout("tcp", l.Addr().String(), soon); return err }); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	if from := server.RemoteAddr().(*net.TCPAddr).AddrPort().Addr(); from != r.Addr() {
		t.Errorf("seen from %s, want %s", from, r.Addr())
	}
}

func TestForgetNAT(t *testing.T) {
	for _, kind := range []NAT{PortRestricted, FullCone} {
		n := newNATWorld(t, kind)
		outside := seen(t, n.in1, n.out1)
		n.router.ForgetNAT()
		send(t, n.out1, outside)
		if receive(t, n.in1, never).IsValid() {
			t.Errorf("kind %d: a packet comes in through a forgotten mapping", kind)
		}
		seen(t, n.in1, n.out1)
	}
}

func TestWANChanges(t *testing.T) {
	n := newNATWorld(t, PortRestricted)
	before := seen(t, n.in1, n.out1)
	n.router.WAN.SetAddress("198.51.100.77", "2001:db8::77")
	after := seen(t, n.in1, n.out1)
	if after.Addr().String() != "198.51.100.77" || after.Port() != before.Port() {
		t.Errorf("seen from %s before and %s after", before, after)
	}
}

func TestIPv6IsRoutedAndFiltered(t *testing.T) {
	w := New(t)
	inet := w.Internet()
	r := w.Router("home", PortRestricted, inet, "192.168.1.0/24", "2001:db8:1::/64")
	in, out := w.Host("in", r.LAN), w.Host("out", inet)
	check := func() {
		t.Helper()
		mustPing(t, in, out.Addr6())
		mustNotPing(t, out, in.Addr6())
	}
	check()
	r.WAN.SetAddress() // another one
	check()
}

func TestNATBehindNAT(t *testing.T) {
	w := New(t)
	inet := w.Internet()
	carrier := w.Router("carrier", PortRestricted, inet, "100.64.0.0/10")
	home := w.Router("home", PortRestricted, carrier.LAN, "192.168.1.0/24")
	in := socket(t, w.Host("in", home.LAN), 51820)
	if from := seen(t, in, socket(t, w.Host("out", inet), 4000)); from.Addr() != carrier.Addr() {
		t.Errorf("seen from %s, want the carrier's %s", from, carrier.Addr())
	}
}

func TestRoutedLAN(t *testing.T) {
	w := New(t)
	inet := w.Internet()
	r := w.Router("site", Routed, inet, "10.7.0.0/16")
	in := socket(t, w.Host("in", r.LAN), 51820)
	if from := seen(t, in, socket(t, w.Host("out", inet), 4000)); from != addrOf(in) {
		t.Errorf("seen from %s, want its own %s", from, addrOf(in))
	}
}

func TestRouterDropsPings(t *testing.T) {
	w := New(t)
	inet := w.Internet()
	r := w.Router("home", PortRestricted, inet, "192.168.1.0/24")
	mustPing(t, w.Host("in", r.LAN), r.LAN.prefixes[0].Addr().Next())
	mustNotPing(t, w.Host("out", inet), r.Addr())
}
