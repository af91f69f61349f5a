package config

import (
	"net/netip"
	"testing"

	"ginnel/key"
	"ginnel/network"
	"ginnel/wire"
)

// TestRulesOfBookAndWire keeps the rules that the book and the wire both have,
// and that neither may take from the other, the same. This package is the
// lowest that uses both.
func TestRulesOfBookAndWire(t *testing.T) {
	for _, s := range []string{
		"", "a", "home-1", "infra", "lo", "all", "default", "Home", "-a", "a-", "a--b", "a_b", "a.b", "é",
		"fifteen-letters", "sixteen-letters-", "sixteen-lettersx", "a\x00",
	} {
		book, w := network.CheckNetworkName(s), wire.CheckNetworkName(s)
		if (book == nil) != (w == nil) {
			t.Errorf("network's name %q: the book says %v, the wire %v", s, book, w)
		}
		book, w = network.CheckName(s), wire.CheckLabel(s, wire.MaxName)
		if (book == nil) != (w == nil) {
			t.Errorf("name %q: the book says %v, the wire %v", s, book, w)
		}
	}
	hub := key.NewPrivate([key.Size]byte{1}).Public()
	for _, base := range []string{
		"0.0.0.0", "8.8.8.8", "10.42.0.1", "127.0.0.1", "169.254.1.1", "192.168.1.1", "223.255.255.255", "224.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:0.0.0.0", "::fffe:1:1", "2001:db8::1", "fd42::1", "fe7f:ffff::1", "fe80::1", "fec0::1", "ff02::1",
	} {
		a := netip.MustParseAddr(base)
		for bits := range a.BitLen() + 1 {
			for _, p := range []netip.Prefix{netip.PrefixFrom(a, bits), netip.PrefixFrom(a, bits).Masked()} {
				_, _, book := network.New("home", p, "hub", hub)
				if w := wire.CheckRoot(p); (book == nil) != (w == nil) {
					t.Errorf("root CIDR %s: the book says %v, the wire %v", p, book, w)
				}
			}
		}
	}
	if book, _, err := network.New("home", netip.Prefix{}, "hub", hub); err == nil || wire.CheckRoot(netip.Prefix{}) == nil {
		t.Errorf("no root is accepted: %v", book)
	}
}
