package link_test

import (
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/link"
)

func TestUnderlay(t *testing.T) {
	s := alone(t)
	for _, name := range []string{"wan", "lan", "down"} {
		cable(t, name)
	}
	veth(t, "unplugged", s, "unplugged1")
	tun(t, "tunnel", unix.IFF_TUN)
	tun(t, "tap", unix.IFF_TAP)
	add := func(name string, up bool, addresses ...string) {
		t.Helper()
		apply(t, name, platform.NetChange{SetUp: up, AddAddresses: prefixes(addresses...)})
	}
	add("lo", true, "10.255.0.1/32")
	add("wan", true, "198.51.100.7/24", "2001:db8::7/64", "169.254.7.7/16")
	add("lan", true, "192.168.1.1/24", "fd00::1/64")
	add("down", false, "192.0.2.1/24")
	add("unplugged", true, "192.0.2.2/24")
	add("tunnel", true, "10.42.0.1/32")
	add("tap", true, "10.0.2.100/24")
	want := []platform.UnderlayAddress{
		{Link: "lan", Prefix: netip.MustParsePrefix("192.168.1.1/24")},
		{Link: "lan", Prefix: netip.MustParsePrefix("fd00::1/64")},
		{Link: "tap", Prefix: netip.MustParsePrefix("10.0.2.100/24")},
		{Link: "wan", Prefix: netip.MustParsePrefix("198.51.100.7/24")},
		{Link: "wan", Prefix: netip.MustParsePrefix("2001:db8::7/64")},
	}
	for range 3 {
		got, err := link.New().Underlay()
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got  %v, %v\nwant %v", got, err, want)
		}
	}
}

func TestUnderlayOfLonelyMachine(t *testing.T) {
	alone(t)
	if got, err := link.New().Underlay(); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}
