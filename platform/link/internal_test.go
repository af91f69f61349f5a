package link

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/netlink"
)

func TestWhichLinksAreUnderlay(t *testing.T) {
	const up = unix.IFF_UP | unix.IFF_LOWER_UP
	for _, tt := range []struct {
		name string
		device
		want bool
	}{
		{"Ethernet", device{hardware: unix.ARPHRD_ETHER, flags: up}, true},
		{"bridge", device{hardware: unix.ARPHRD_ETHER, flags: up, kind: "bridge"}, true},
		{"PPPoE", device{hardware: unix.ARPHRD_PPP, flags: up | unix.IFF_POINTOPOINT, kind: "ppp"}, true},
		{"modem in raw IP mode", device{hardware: unix.ARPHRD_NONE, flags: up | unix.IFF_POINTOPOINT}, true},
		{"newer modem", device{hardware: unix.ARPHRD_NONE, flags: up, kind: "wwan"}, true},
		{"TAP", device{hardware: unix.ARPHRD_ETHER, flags: up, kind: "tun"}, true},
		{"TUN", device{hardware: unix.ARPHRD_NONE, flags: up, kind: "tun"}, false},
		{"WireGuard", device{hardware: unix.ARPHRD_NONE, flags: up, kind: "wireguard"}, false},
		{"a fork of WireGuard", device{hardware: unix.ARPHRD_NONE, flags: up, kind: "amneziawg"}, false},
		{"loopback", device{hardware: unix.ARPHRD_LOOPBACK, flags: up | unix.IFF_LOOPBACK}, false},
		{"down", device{hardware: unix.ARPHRD_ETHER}, false},
		{"without carrier", device{hardware: unix.ARPHRD_ETHER, flags: unix.IFF_UP}, false},
	} {
		if got := tt.isUnderlay(); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestWhichAddressesAreUsable(t *testing.T) {
	links := []device{
		{index: 1, name: "wan", flags: unix.IFF_UP | unix.IFF_LOWER_UP},
		{index: 2, name: "lan", flags: unix.IFF_UP | unix.IFF_LOWER_UP},
		{index: 3, name: "off"},
	}
	at := func(index, flags uint32, p string) address {
		return address{index: index, prefix: netip.MustParsePrefix(p), flags: flags}
	}
	all := []address{
		at(1, unix.IFA_F_TEMPORARY, "2001:db8::abcd/64"),
		at(1, 0, "2001:db8::1/64"),
		at(1, unix.IFA_F_DEPRECATED, "2001:db8::2/64"),
		at(1, unix.IFA_F_TENTATIVE, "2001:db8::3/64"),
		at(1, unix.IFA_F_DADFAILED, "2001:db8::4/64"),
		at(1, unix.IFA_F_PERMANENT, "198.51.100.7/24"),
		at(2, unix.IFA_F_SECONDARY, "192.168.1.2/24"),
		at(2, 0, "192.168.1.1/24"),
		at(2, 0, "127.0.0.9/8"),
		at(2, 0, "169.254.0.1/16"),
		at(2, 0, "fe80::1/64"),
		at(2, 0, "0.0.0.0/8"),
		at(3, 0, "192.0.2.1/24"),
		at(4, 0, "192.0.2.2/24"), // the link went away between the two dumps
	}
	var got []string
	for _, a := range usable(links, all) {
		got = append(got, a.Link+" "+a.Prefix.String())
	}
	want := []string{"lan 192.168.1.1/24", "wan 198.51.100.7/24", "wan 2001:db8::1/64",
		"lan 192.168.1.2/24", "wan 2001:db8::abcd/64"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestErrors(t *testing.T) {
	refused := &netlink.Refusal{Errno: unix.EACCES, Text: "IPv6 is disabled on this device"}
	for _, tt := range []struct {
		got  error
		want error
		text string
	}{
		{netlinkError(refused), platform.ErrUnsupported,
			"not supported by this kernel: IPv6 is disabled on this device: permission denied"},
		{netlinkError(&netlink.Refusal{Errno: unix.ENODEV}), platform.ErrNotExist,
			"does not exist: no such device"},
		{netlinkError(unix.EPERM), platform.ErrPermission, ""},
		{netlinkError(unix.EEXIST), platform.ErrExist, ""},
		{netlinkError(unix.EINVAL), unix.EINVAL, "invalid argument"},
		{socketError(unix.EACCES), platform.ErrPermission, ""},
		{socketError(unix.EADDRINUSE), platform.ErrInUse, ""},
		{socketError(unix.ECONNREFUSED), unix.ECONNREFUSED, "connection refused"},
		{socketError(netlinkError(unix.ENODEV)), platform.ErrNotExist, "does not exist: no such device"},
	} {
		if !errors.Is(tt.got, tt.want) || tt.text != "" && tt.got.Error() != tt.text {
			t.Errorf("got %q, want %q (%v)", tt.got, tt.text, tt.want)
		}
	}
}

// Kernels before 4.20 know no strict checking and send everything.
func TestObserveWithoutStrictChecking(t *testing.T) {
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	addresses := []netip.Prefix{netip.MustParsePrefix("10.42.0.1/32"), netip.MustParsePrefix("fd00::1/128")}
	routes := []netip.Prefix{netip.MustParsePrefix("10.43.0.0/16"), netip.MustParsePrefix("fd01::/48")}
	if err := New().Apply("lo", &platform.NetChange{SetUp: true, AddAddresses: addresses, AddRoutes: routes}); err != nil {
		t.Fatal(err)
	}
	for _, strict := range []bool{true, false} {
		c, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.close()
		if err := c.nl.CheckStrictly(strict); err != nil {
			t.Fatal(err)
		}
		var s platform.NetState
		if err := c.observe("lo", &s); err != nil {
			t.Fatal(err)
		}
		want := append([]netip.Prefix{addresses[0], netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("::1/128")}, addresses[1])
		if !s.Up || !slices.Equal(s.Addresses, want) || !slices.Equal(s.Routes, routes) {
			t.Errorf("strict %v: %+v", strict, s)
		}
	}
}

// Statistics may grow, other attributes may come: only what is used counts.
func TestParseDevice(t *testing.T) {
	got, err := parseDevice(linkMessage())
	want := device{index: 7, hardware: unix.ARPHRD_NONE, flags: unix.IFF_UP, mtu: 1420, name: "home", kind: "wireguard"}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for _, b := range [][]byte{nil, make([]byte, unix.SizeofIfInfomsg-1), append(make([]byte, unix.SizeofIfInfomsg), 1)} {
		if d, err := parseDevice(b); err == nil {
			t.Errorf("%d bytes are taken for %+v", len(b), d)
		}
	}
}

func linkMessage() []byte {
	b := make(netlink.Body, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint16(b[2:], unix.ARPHRD_NONE)
	binary.NativeEndian.PutUint32(b[4:], 7)
	binary.NativeEndian.PutUint32(b[8:], unix.IFF_UP)
	b.Text(unix.IFLA_IFNAME, "home")
	b.Uint32(unix.IFLA_MTU, 1420)
	b.Bytes(unix.IFLA_STATS64, make([]byte, 1000))
	b.Bytes(999, []byte{1})
	var info netlink.Body
	info.Text(unix.IFLA_INFO_KIND, "wireguard")
	info.Bytes(unix.IFLA_INFO_DATA, []byte{1, 2, 3})
	b.Bytes(unix.IFLA_LINKINFO|unix.NLA_F_NESTED, info)
	return b
}

func FuzzParseDevice(f *testing.F) {
	f.Add(linkMessage())
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := parseDevice(b); err != nil && d != (device{}) {
			t.Errorf("an error and %+v", d)
		}
	})
}

// The kernel's answers have the attributes in an order of its own, and more of
// them than are used.
func TestParseAddress(t *testing.T) {
	m := aboutAddress(unix.AF_INET, 30, 7)
	m[2] = unix.IFA_F_SECONDARY
	m.Bytes(unix.IFA_ADDRESS, []byte{10, 0, 0, 2}) // the other end's
	m.Bytes(unix.IFA_LOCAL, []byte{10, 0, 0, 1})
	m.Text(unix.IFA_LABEL, "ppp0")
	m.Uint32(unix.IFA_FLAGS, unix.IFA_F_NOPREFIXROUTE)
	got, err := parseAddress(m)
	want := address{unix.AF_INET, 7, netip.MustParsePrefix("10.0.0.1/30"), unix.IFA_F_SECONDARY | unix.IFA_F_NOPREFIXROUTE}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	m = aboutAddress(unix.AF_INET6, 64, 7)
	m.Bytes(unix.IFA_ADDRESS, netip.MustParseAddr("fd00::1").AsSlice())
	if got, err := parseAddress(m); err != nil || got.prefix != netip.MustParsePrefix("fd00::1/64") {
		t.Errorf("without IFA_LOCAL: got %+v, %v", got, err)
	}
	if got, err := parseAddress(aboutAddress(unix.AF_INET6, 64, 7)); err != nil || got.prefix.IsValid() {
		t.Errorf("without any: got %+v, %v", got, err)
	}
}

func TestParseRoute(t *testing.T) {
	m := aboutRoute(unix.AF_INET, 16, unix.RT_SCOPE_LINK, unix.RTN_UNICAST, 7)
	m.Bytes(unix.RTA_DST, []byte{10, 42, 0, 0})
	m.Uint32(unix.RTA_TABLE, 1000) // one that rtm_table has no room for
	got, err := parseRoute(m)
	want := route{unix.AF_INET, RouteProtocol, unix.RTN_UNICAST, 1000, 7, netip.MustParsePrefix("10.42.0.0/16")}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for family, all := range map[uint8]string{unix.AF_INET: "0.0.0.0/0", unix.AF_INET6: "::/0"} {
		got, err := parseRoute(aboutRoute(family, 0, 0, 0, 7))
		if err != nil || got.prefix != netip.MustParsePrefix(all) || got.table != unix.RT_TABLE_MAIN {
			t.Errorf("default route: got %+v, %v", got, err)
		}
	}
	if got, err := parseRoute(aboutRoute(unix.AF_MPLS, 20, 0, 0, 7)); err != nil || got.prefix.IsValid() {
		t.Errorf("of another family: got %+v, %v", got, err)
	}
}

func FuzzParseAddressAndRoute(f *testing.F) {
	f.Add([]byte(messageOfAddress(7, netip.MustParsePrefix("fd00::1/64"))))
	f.Add([]byte(messageOfRoute(7, netip.MustParsePrefix("10.42.0.0/16"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := parseAddress(b); err != nil && a != (address{}) {
			t.Errorf("an error and %+v", a)
		}
		if r, err := parseRoute(b); err != nil && r != (route{}) {
			t.Errorf("an error and %+v", r)
		}
	})
}
