package scenarios_test

import (
	"fmt"
	"net/netip"
	"testing"

	"ginnel/netlab"
)

// A scenario is written once and runs in two worlds: an IPv4 network over an
// IPv4 underlay, and a network of unique local addresses over an underlay that
// has no IPv4 at all. It takes every address from its lab. Where IPv4 has NATs,
// IPv6 has routers that let nothing in unasked.

// family is one of these worlds, by the name of its tests.
type family string

const (
	ipv4 family = "IPv4"
	ipv6 family = "IPv6"
)

// families runs a scenario in both, at the same time as other scenarios.
func families(t *testing.T, scenario func(t *testing.T, l *lab)) {
	t.Helper()
	t.Parallel()
	for _, f := range []family{ipv4, ipv6} {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			scenario(t, labOf(t, f))
		})
	}
}

// familiesInTurn runs a scenario that holds the product to a time in both, with
// no other at the same time.
func familiesInTurn(t *testing.T, scenario func(t *testing.T, l *lab)) {
	t.Helper()
	for _, f := range []family{ipv4, ipv6} {
		t.Run(string(f), func(t *testing.T) { scenario(t, labOf(t, f)) })
	}
}

// pick is what a family has in some place.
func pick[T any](f family, four, six T) T {
	if f == ipv6 {
		return six
	}
	return four
}

// ranges are the overlay addresses of a network.
type ranges struct {
	family family
	number int // of the network, from 0
}

// root is the network's whole range: 10.42.0.0/16 or fd42::/48 for number 0,
// 10.43.0.0/16 or fd43::/48 for number 1.
func (r ranges) root() string {
	return netip.PrefixFrom(r.address(0, 0), pick(r.family, 16, 48)).String()
}

// cidr is the range of the CIDR number n, from 1: 10.42.1.0/24 or
// fd42:0:0:1::/64.
func (r ranges) cidr(n int) string {
	return netip.PrefixFrom(r.address(n, 0), pick(r.family, 24, 64)).String()
}

// address is one in the CIDR number n: 10.42.1.7 or fd42:0:0:1::7. The first
// peer of a CIDR is host 1, and the coordinator is host 1 of number 0.
func (r ranges) address(n, host int) netip.Addr {
	if r.family == ipv6 {
		return netip.AddrFrom16([16]byte{0: 0xfd, 1: byte(0x42 + r.number), 7: byte(n), 15: byte(host)})
	}
	return netip.AddrFrom4([4]byte{10, byte(42 + r.number), byte(n), byte(host)})
}

// pair is a range of two addresses, of which the first has the host number
// given.
func (r ranges) pair(n, host int) string {
	a := r.address(n, host)
	return netip.PrefixFrom(a, a.BitLen()-1).String()
}

// Internet makes the switch that hosts with public addresses, and routers, are
// plugged into. It is of the lab's family only; netlab's own has both.
func (l *lab) Internet() *netlab.Switch {
	l.t.Helper()
	if l.family == ipv6 {
		return l.Switch("internet", "2001:db8::/64", "2001:db8:ffff::/64")
	}
	return l.Switch("internet", "203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24")
}

// public is an address of the internet, by a number from 2, that no host gets
// without asking for it.
func (l *lab) public(n int) netip.Addr {
	return netip.MustParseAddr(fmt.Sprintf(pick(l.family, "198.51.100.%d", "2001:db8:ffff::%x"), n))
}

// lan is the range of the LAN number n, from 1.
func (l *lab) lan(n int) netip.Prefix {
	return netip.MustParsePrefix(fmt.Sprintf(pick(l.family, "192.168.%d.0/24", "2001:db8:%x::/64"), n))
}

// router makes one with the LAN number n behind it.
func (l *lab) router(name string, nat netlab.NAT, inet *netlab.Switch, n int) *netlab.Router {
	l.t.Helper()
	return l.Router(name, nat, inet, l.lan(n).String())
}

// seenAs is the address by which the internet sees a host behind a router:
// translated in IPv4, its own in IPv6.
func (l *lab) seenAs(h *netlab.Host, behind *netlab.Router) netip.Addr {
	return pick(l.family, behind.WAN.Addrs()[0].Addr(), h.Addr())
}

// ip runs the command of that name for the lab's family.
func (m *machine) ip(args ...string) string {
	m.lab.t.Helper()
	return m.Run("ip", append([]string{pick(m.lab.family, "-4", "-6")}, args...)...)
}
