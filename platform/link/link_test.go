package link_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/link"
)

func TestApplyReachesTheDesiredState(t *testing.T) {
	for name, want := range map[string][]platform.NetState{
		"IPv4": {
			{Up: true, MTU: 1280, Addresses: prefixes("10.42.0.1/32"), Routes: prefixes("10.42.0.0/16", "192.168.7.0/24")},
			{Up: true, MTU: 1420, Addresses: prefixes("10.42.0.1/32", "10.43.0.9/24"), Routes: prefixes("10.42.0.0/16", "10.43.0.0/24")},
			{Up: true, MTU: 1420, Addresses: prefixes("10.43.0.9/24"), Routes: prefixes("0.0.0.0/0")},
			{Up: true, MTU: 1420},
		},
		"IPv6": {
			{Up: true, MTU: 1280, Addresses: prefixes("fd00::1/128"), Routes: prefixes("fd00::/48")},
			{Up: true, MTU: 1420, Addresses: prefixes("fd00::1/128", "fd01::9/64"), Routes: prefixes("fd00::/48", "fd01::/64")},
			{Up: true, MTU: 1420, Addresses: prefixes("fd01::9/64"), Routes: prefixes("::/0")},
			{Up: true, MTU: 1420},
		},
		"both": {
			{Up: true, MTU: 1300, Addresses: prefixes("10.42.0.1/32", "fd00::1/128"), Routes: prefixes("10.42.0.0/16", "fd00::/48")},
			{Up: true, MTU: 1300},
		},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			cable(t, "home")
			for _, want := range want {
				have := observe(t, "home")
				c := platform.DiffNet(&have, &want)
				apply(t, "home", c)
				have = observe(t, "home")
				wantState(t, have, want)
				if rest := platform.DiffNet(&have, &want); !rest.IsEmpty() {
					t.Errorf("left to do: %+v", rest)
				}
				apply(t, "home", c)
				wantState(t, observe(t, "home"), want)
			}
		})
	}
}

func TestObserveReusesMemory(t *testing.T) {
	alone(t)
	cable(t, "home")
	s := platform.NetState{Up: true, MTU: 1, Addresses: prefixes("1.1.1.1/32"), Routes: prefixes("1.0.0.0/8")}
	if err := link.New().Observe("home", &s); err != nil {
		t.Fatal(err)
	}
	wantState(t, s, platform.NetState{MTU: 1500})
}

// The kernel sends our routes only, however many others there are.
func TestObserveDoesNotReadTheWholeTable(t *testing.T) {
	alone(t)
	cable(t, "home")
	cable(t, "other")
	apply(t, "home", platform.NetChange{SetUp: true, AddRoutes: prefixes("10.42.0.0/16")})
	apply(t, "other", platform.NetChange{SetUp: true})
	cost := func() float64 { return testing.AllocsPerRun(3, func() { observe(t, "home") }) }
	before := cost()
	apply(t, "other", platform.NetChange{AddRoutes: many(2000), AddAddresses: many(2000)})
	if after := cost(); after > before+1000 {
		t.Errorf("%.0f allocations became %.0f", before, after)
	}
}

func TestStrangersAreLeftAlone(t *testing.T) {
	alone(t)
	cable(t, "home")
	cable(t, "other")
	apply(t, "home", platform.NetChange{SetUp: true, AddAddresses: prefixes("10.42.0.1/32")})
	apply(t, "other", platform.NetChange{SetUp: true, AddAddresses: prefixes("10.9.0.1/32"), AddRoutes: prefixes("10.9.0.0/16")})
	foreignRoute(t, "home", "10.1.0.0/16", nil)
	foreignRoute(t, "home", "fd01::/64", nil)
	foreignRoute(t, "home", "10.2.0.0/16", func(m *rtnetlink.RouteMessage) { m.Protocol, m.Table = link.RouteProtocol, 100 })
	before := routes(t)
	apply(t, "home", platform.NetChange{
		RemoveAddresses: prefixes("10.9.0.1/32"),
		RemoveRoutes:    prefixes("10.1.0.0/16", "fd01::/64", "10.2.0.0/16", "10.9.0.0/16"),
	})
	if after := routes(t); after != before {
		t.Errorf("routes were\n%s\nare\n%s", before, after)
	}
	wantState(t, observe(t, "home"), platform.NetState{Up: true, MTU: 1500, Addresses: prefixes("10.42.0.1/32")})
	wantState(t, observe(t, "other"), platform.NetState{Up: true, MTU: 1500,
		Addresses: prefixes("10.9.0.1/32"), Routes: prefixes("10.9.0.0/16")})
}

// routes lists all routes of the namespace, but for those to link-local and
// multicast addresses, which IPv6 makes some time after a link came up.
func routes(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	kernel(t, func(nl *rtnetlink.Conn) error {
		all, err := nl.Route.List()
		for _, r := range all {
			if dst := r.Attributes.Dst; dst.IsLinkLocalUnicast() || dst.IsMulticast() {
				continue
			}
			fmt.Fprintf(&b, "%v/%d dev %d table %d protocol %d\n", r.Attributes.Dst, r.DstLength,
				r.Attributes.OutIface, r.Attributes.Table, r.Protocol)
		}
		return err
	})
	return b.String()
}

// A LAN with our network's range keeps its route.
func TestForeignRouteWins(t *testing.T) {
	for range4, probe := range map[string]string{"10.42.0.0/16": "10.42.0.9", "fd00::/64": "fd00::9"} {
		t.Run(probe, func(t *testing.T) {
			alone(t)
			cable(t, "lan")
			cable(t, "home")
			apply(t, "lan", platform.NetChange{SetUp: true, AddAddresses: prefixes("10.42.0.1/32", "fd00::1/128")})
			foreignRoute(t, "lan", range4, nil)
			apply(t, "home", platform.NetChange{SetUp: true, AddAddresses: prefixes("10.42.1.1/32", "fd00:1::1/128"), AddRoutes: prefixes(range4)})
			if got := observe(t, "home").Routes; len(got) != 1 {
				t.Errorf("our routes: %v", got)
			}
			if out, _ := routeTo(t, probe); out != index(t, "lan") {
				t.Errorf("the route goes by link %d, not by the LAN", out)
			}
			remove(t, "lan")
			if out, _ := routeTo(t, probe); out != index(t, "home") {
				t.Errorf("without the LAN the route goes by link %d", out)
			}
		})
	}
}

func TestKernelSendsFromTheLinksAddress(t *testing.T) {
	alone(t)
	cable(t, "lan")
	cable(t, "home")
	apply(t, "lan", platform.NetChange{SetUp: true, AddAddresses: prefixes("10.0.0.1/24", "fd11::1/64")})
	apply(t, "home", platform.NetChange{SetUp: true, AddAddresses: prefixes("10.42.0.7/32", "fd00::7/128"),
		AddRoutes: prefixes("10.42.0.0/16", "192.168.7.0/24", "fd00::/48", "fd07::/64")})
	for to, want := range map[string]string{
		"10.42.0.9": "10.42.0.7", "192.168.7.9": "10.42.0.7", "fd00::9": "fd00::7", "fd07::9": "fd00::7",
	} {
		if out, from := routeTo(t, to); out != index(t, "home") || from.String() != want {
			t.Errorf("to %s: from %s by link %d", to, from, out)
		}
	}
}

func TestAddressBringsNoRoute(t *testing.T) {
	alone(t)
	cable(t, "home")
	apply(t, "home", platform.NetChange{SetUp: true, AddAddresses: prefixes("10.42.0.7/16", "fd00::7/64")})
	if all := routes(t); strings.Contains(all, "table 254 ") {
		t.Errorf("there are routes in the main table:\n%s", all)
	}
}

func TestAddressAnotherProgramAddedIsTaken(t *testing.T) {
	alone(t)
	cable(t, "home")
	i := index(t, "home")
	kernel(t, func(nl *rtnetlink.Conn) error {
		return nl.Address.New(&rtnetlink.AddressMessage{Family: unix.AF_INET, PrefixLength: 32, Index: i,
			Attributes: &rtnetlink.AddressAttributes{Address: []byte{10, 42, 0, 1}, Local: []byte{10, 42, 0, 1}}})
	})
	apply(t, "home", platform.NetChange{AddAddresses: prefixes("10.42.0.1/32")})
	wantState(t, observe(t, "home"), platform.NetState{MTU: 1500, Addresses: prefixes("10.42.0.1/32")})
}

func TestMissingLink(t *testing.T) {
	alone(t)
	cable(t, "home")
	remove(t, "home")
	for _, name := range []string{"home", "", "sixteen-letters-", "a/b"} {
		wantErr(t, link.New().Observe(name, new(platform.NetState)), platform.ErrNotExist)
		wantErr(t, link.New().Apply(name, &platform.NetChange{SetUp: true}), platform.ErrNotExist)
		wantErr(t, link.New().Apply(name, &platform.NetChange{RemoveRoutes: prefixes("10.0.0.0/8")}), platform.ErrNotExist)
	}
}

func TestOneFailureDoesNotStopTheRest(t *testing.T) {
	alone(t)
	cable(t, "home")
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/home/disable_ipv6", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	err := link.New().Apply("home", &platform.NetChange{SetUp: true,
		AddAddresses: prefixes("fd00::1/128", "10.42.0.1/32"),
		AddRoutes:    prefixes("fd00::/48", "10.42.0.0/16")})
	wantErr(t, err, platform.ErrUnsupported)
	if err != nil && !strings.Contains(err.Error(), "add address fd00::1/128") {
		t.Errorf("the error does not say what failed: %v", err)
	}
	wantState(t, observe(t, "home"), platform.NetState{Up: true, MTU: 1500,
		Addresses: prefixes("10.42.0.1/32"), Routes: prefixes("10.42.0.0/16")})
	apply(t, "home", platform.NetChange{RemoveAddresses: prefixes("fd00::1/128"), RemoveRoutes: prefixes("fd00::/48")})
}

func TestImpossibleMTU(t *testing.T) {
	alone(t)
	cable(t, "home")
	if err := link.New().Apply("home", &platform.NetChange{SetMTU: -1}); err == nil {
		t.Error("an MTU of -1 was accepted")
	}
	if got := observe(t, "home").MTU; got != 1500 {
		t.Errorf("MTU is now %d", got)
	}
}

func TestWithoutCapability(t *testing.T) {
	s := newSpace(t)
	s.do(func() { cable(t, "home") })
	s.do(func() {
		dropCapabilities(t)
		wantErr(t, link.New().Apply("home", &platform.NetChange{SetUp: true}), platform.ErrPermission)
		if err := link.New().Observe("home", new(platform.NetState)); err != nil {
			t.Errorf("observing takes no capability: %v", err)
		}
	})
}
