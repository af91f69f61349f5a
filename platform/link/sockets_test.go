package link_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/link"
)

// pair is two machines joined by two cables:
//
//	server "home" .1 ---- .2 "home" client     10.1.0.0/24  fd01::/64
//	server "back" .1 ---- .2 "back" client     10.2.0.0/24  fd02::/64
//
// The client also has a way to the server's address on home through back.
type pair struct{ server, client space }

func newPair(t *testing.T) pair {
	t.Helper()
	p := pair{newSpace(t), newSpace(t)}
	p.server.do(func() {
		veth(t, "home", p.client, "home")
		veth(t, "back", p.client, "back")
	})
	for _, end := range []struct {
		space
		home, back []netip.Prefix
	}{
		{p.server, prefixes("10.1.0.1/32", "fd01::1/128"), prefixes("10.2.0.1/32", "fd02::1/128")},
		{p.client, prefixes("10.1.0.2/32", "fd01::2/128"), prefixes("10.2.0.2/32", "fd02::2/128")},
	} {
		end.do(func() {
			apply(t, "home", platform.NetChange{SetUp: true, AddAddresses: end.home, AddRoutes: prefixes("10.1.0.0/24", "fd01::/64")})
			apply(t, "back", platform.NetChange{SetUp: true, AddAddresses: end.back, AddRoutes: prefixes("10.2.0.0/24", "fd02::/64")})
		})
	}
	p.client.do(func() {
		for to, via := range map[string]string{"10.1.0.1/32": "10.2.0.1", "fd01::1/128": "fd02::1"} {
			foreignRoute(t, "back", to, func(m *rtnetlink.RouteMessage) {
				m.Scope, m.Attributes.Gateway = unix.RT_SCOPE_UNIVERSE, netip.MustParseAddr(via).AsSlice()
				m.Attributes.Priority = 9999
			})
		}
	})
	return p
}

// families are the addresses of a pair's ends.
var families = []struct{ name, home, fromHome, fromBack string }{
	{"IPv4", "10.1.0.1", "10.1.0.2", "10.2.0.2"},
	{"IPv6", "fd01::1", "fd01::2", "fd02::2"},
}

func TestTCPByTheLinkOnly(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			p := newPair(t)
			home := netip.AddrPortFrom(netip.MustParseAddr(f.home), 7000)
			var l net.Listener
			p.server.do(func() {
				var err error
				if l, err = link.New().ListenTCP("home", home); err != nil {
					t.Error(err)
				}
			})
			if l == nil {
				return
			}
			defer l.Close()
			p.server.do(func() {
				if c, err := net.DialTimeout("tcp", home.String(), 100*time.Millisecond); err == nil {
					t.Errorf("connected by lo, from %s", c.LocalAddr())
					c.Close()
				}
			})
			p.client.do(func() {
				ctx, cancel := context.WithTimeout(context.Background(), deadline)
				defer cancel()
				_, err := link.New().DialTCP(ctx, "back", netip.MustParseAddr(f.fromBack), home)
				wantErr(t, err, unix.ECONNREFUSED)
				echo(t, l, netip.MustParseAddr(f.fromHome), home)
				echo(t, l, netip.Addr{}, home)
			})
		})
	}
}

// echo dials, accepts, and sends a byte; it checks both ends' addresses and
// timeouts.
func echo(t *testing.T, l net.Listener, from netip.Addr, to netip.AddrPort) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	near, err := link.New().DialTCP(ctx, "home", from, to)
	if err != nil {
		t.Error(err)
		return
	}
	defer near.Close()
	far, err := l.Accept()
	if err != nil {
		t.Error(err)
		return
	}
	defer far.Close()
	if got := far.RemoteAddr().(*net.TCPAddr).AddrPort().Addr(); from.IsValid() && got != from {
		t.Errorf("the connection comes from %s, want %s", got, from)
	}
	far.SetDeadline(time.Now().Add(deadline))
	var b [1]byte
	_, werr := near.Write([]byte{42})
	if _, err := io.ReadFull(far, b[:]); err != nil || werr != nil || b[0] != 42 {
		t.Errorf("sent 42, got %d; %v, %v", b[0], werr, err)
	}
	for _, c := range []net.Conn{near, far} {
		if got := userTimeout(t, c); got != 10_000 {
			t.Errorf("the user timeout is %d ms", got)
		}
	}
}

func userTimeout(t *testing.T, c net.Conn) (ms int) {
	t.Helper()
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if e := raw.Control(func(fd uintptr) {
		ms, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
	}); e != nil || err != nil {
		t.Fatal(e, err)
	}
	return ms
}

func TestUDPByTheLinkOnly(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			p := newPair(t)
			home := netip.AddrPortFrom(netip.MustParseAddr(f.home), 7000)
			var c platform.UDPConn
			p.server.do(func() { c = listenUDP(t, "home", home) })
			defer c.Close()
			p.server.do(func() {
				own, err := net.Dial("udp", home.String())
				if err != nil {
					t.Error(err)
					return
				}
				defer own.Close()
				own.Write([]byte("by lo"))
			})
			p.client.do(func() {
				back := listenUDP(t, "back", netip.AddrPortFrom(netip.MustParseAddr(f.fromBack), 7001))
				defer back.Close()
				front := listenUDP(t, "home", netip.AddrPortFrom(netip.MustParseAddr(f.fromHome), 7001))
				defer front.Close()
				// Datagrams on one path stay in order, and "by home" is sent
				// last: whatever was let in would be read before it.
				for _, err := range []error{send(back, "by back", home), send(front, "by home", home)} {
					if err != nil {
						t.Error(err)
					}
				}
			})
			var b [100]byte
			c.SetReadDeadline(time.Now().Add(deadline))
			n, from, err := c.ReadFromUDPAddrPort(b[:])
			if err != nil || string(b[:n]) != "by home" || from.Addr().String() != f.fromHome {
				t.Errorf("got %q from %s, %v", b[:n], from, err)
			}
		})
	}
}

func listenUDP(t *testing.T, name string, a netip.AddrPort) platform.UDPConn {
	t.Helper()
	c, err := link.New().ListenUDP(name, a)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func send(c platform.UDPConn, s string, to netip.AddrPort) error {
	_, err := c.WriteToUDPAddrPort([]byte(s), to)
	return err
}

func TestSocketErrors(t *testing.T) {
	alone(t)
	cable(t, "home")
	cable(t, "other")
	there := netip.MustParseAddrPort("10.42.0.1:7000")
	missing := netip.MustParseAddrPort("10.42.0.2:7000")
	missing6 := netip.MustParseAddrPort("[fd00::2]:7000")
	apply(t, "home", platform.NetChange{SetUp: true, AddAddresses: prefixes("10.42.0.1/32")})
	l := link.New()
	listen := map[string]func(string, netip.AddrPort) error{
		"TCP": func(name string, a netip.AddrPort) error {
			l, err := l.ListenTCP(name, a)
			if err == nil {
				t.Cleanup(func() { l.Close() })
			}
			return err
		},
		"UDP": func(name string, a netip.AddrPort) error {
			c, err := l.ListenUDP(name, a)
			if err == nil {
				t.Cleanup(func() { c.Close() })
			}
			return err
		},
		"dial": func(name string, a netip.AddrPort) error {
			c, err := l.DialTCP(context.Background(), name, a.Addr(), netip.MustParseAddrPort("[fd00::9]:1"))
			if a.Addr().Is4() {
				c, err = l.DialTCP(context.Background(), name, a.Addr(), netip.MustParseAddrPort("10.42.0.9:1"))
			}
			if err == nil {
				c.Close()
			}
			return err
		},
	}
	for kind, listen := range listen {
		t.Log(kind)
		for _, name := range []string{"", "gone", "sixteen-letters-"} {
			wantErr(t, listen(name, there), platform.ErrNotExist)
		}
		wantErr(t, listen("home", missing), platform.ErrNotExist)
		wantErr(t, listen("home", missing6), platform.ErrNotExist)
		if kind == "dial" {
			continue
		}
		if err := listen("home", netip.AddrPort{}); err == nil {
			t.Error("listens on no address")
		}
		if err := listen("home", there); err != nil {
			t.Error(err)
		}
		wantErr(t, listen("home", there), platform.ErrInUse)
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	alone(t)
	cable(t, "home")
	apply(t, "home", platform.NetChange{SetUp: true, AddAddresses: prefixes("10.42.0.1/32"), AddRoutes: prefixes("10.42.0.0/16")})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := link.New().DialTCP(ctx, "home", netip.MustParseAddr("10.42.0.1"), netip.MustParseAddrPort("10.42.0.9:1"))
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("got %v", err)
	}
}

func TestPrivilegedPort(t *testing.T) {
	s := alone(t)
	cable(t, "home")
	apply(t, "home", platform.NetChange{SetUp: true, AddAddresses: prefixes("10.42.0.1/32")})
	s.do(func() {
		dropCapabilities(t)
		_, err := link.New().ListenTCP("home", netip.MustParseAddrPort("10.42.0.1:80"))
		wantErr(t, err, platform.ErrPermission)
	})
}
