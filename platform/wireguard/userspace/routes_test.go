package userspace

import (
	"fmt"
	"net"
	"net/netip"
	"testing"

	"ginnel/platform/platformtest"
)

// linkIndex returns the index of a link in the namespace of the test.
func linkIndex(t *testing.T, name string) uint32 {
	t.Helper()
	l, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(l.Index)
}

// TestWaysAreBounded: whoever writes from many addresses does not fill memory.
func TestWaysAreBounded(t *testing.T) {
	platformtest.Namespace(t)
	b, _, port := opened(t)
	home := netip.MustParseAddr("127.0.0.1")
	lo, from := linkIndex(t, "lo"), netip.AddrPortFrom(home, port)
	for n := range 2 * mostWays {
		if link := b.routes.link(way{from, netip.AddrPortFrom(home, uint16(1+n))}); link != lo {
			t.Fatalf("packets to port %d leave by link %d, want %d", 1+n, link, lo)
		}
	}
	if n := len(b.routes.links); n == 0 || n > mostWays {
		t.Errorf("%d ways are remembered, want 1 to %d", n, mostWays)
	}
}

// TestSourceFollowsRoute: answers come from the address that was spoken to as
// long as they leave by the link they are answers to, whatever rule has them do
// so; then from another.
func TestSourceFollowsRoute(t *testing.T) {
	for _, family := range []struct{ option, all, first, second, far string }{
		{"-4", "0.0.0.0/0", "192.0.2.1", "198.51.100.1", "203.0.113.9"},
		{"-6", "::/0", "2001:db8:1::1", "2001:db8:2::1", "2001:db8:3::9"},
	} {
		t.Run(family.option, func(t *testing.T) {
			platformtest.Namespace(t)
			for i, a := range []string{family.first, family.second} {
				ip(t, "link", "add", fmt.Sprint("wan", i), "type", "veth", "peer", "name", fmt.Sprint("isp", i))
				ip(t, "link", "set", fmt.Sprint("isp", i), "up")
				ip(t, "link", "set", fmt.Sprint("wan", i), "up")
				ip(t, "address", "add", a, "dev", fmt.Sprint("wan", i), "nodad")
				ip(t, family.option, "route", "add", family.all, "dev", fmt.Sprint("wan", i), "table", fmt.Sprint(100+i))
			}
			b, _, port := opened(t)
			from := arrival{netip.MustParseAddr(family.first), linkIndex(t, "wan0")}
			to := netip.AddrPortFrom(netip.MustParseAddr(family.far), 9)
			// sends tells whether the source of what is sent now is kept.
			sends := func() bool {
				e := newEndpoint(to, from)
				give(t, b, e, "hello")
				return e.SrcIP() == from.local
			}
			ip(t, family.option, "route", "add", family.all, "dev", "wan0")
			b.look()
			if !sends() {
				t.Error("the source is given up while the route is the one it was")
			}
			ip(t, family.option, "route", "change", family.all, "dev", "wan1")
			b.look()
			if sends() {
				t.Error("the source is kept when the route has moved")
			}
			if err := b.SetMark(7); err != nil {
				t.Fatal(err)
			}
			for _, rule := range [][]string{
				{"from", family.first}, {"to", family.far}, {"fwmark", "7"},
				{"ipproto", "udp"}, {"sport", fmt.Sprint(port)}, {"dport", "9"},
			} {
				rule = append(rule, "table", "100")
				ip(t, append([]string{family.option, "rule", "add"}, rule...)...)
				b.look()
				if !sends() {
					t.Errorf("the source is given up in spite of the rule %v", rule)
				}
				ip(t, append([]string{family.option, "rule", "delete"}, rule...)...)
				b.look()
				if sends() {
					t.Errorf("the source is kept after the rule %v", rule)
				}
			}
		})
	}
}
