package link_test

import (
	"errors"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/jsimonetti/rtnetlink/v2/driver"
	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/link"
)

// deadline is long for whatever is waited for.
const deadline = 20 * time.Second

// space is a network namespace. It ends with the test.
type space struct{ fd int }

// newSpace makes an empty namespace, with lo up, on a thread that is then
// thrown away: a goroutine that ends while locked to its thread takes the
// thread with it.
func newSpace(t *testing.T) space {
	t.Helper()
	s := space{-1}
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return
		}
		if s.fd, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return
		}
		err = link.New().Apply("lo", &platform.NetChange{SetUp: true})
	}()
	<-done
	if err != nil {
		t.Fatalf("network namespace: %v", err)
	}
	t.Cleanup(func() { unix.Close(s.fd) })
	return s
}

// enter moves the calling goroutine into the namespace for the rest of its
// life: its thread is never unlocked.
func (s space) enter() {
	runtime.LockOSThread()
	if err := unix.Setns(s.fd, unix.CLONE_NEWNET); err != nil {
		panic(err)
	}
}

// do runs f in the namespace and waits for it.
func (s space) do(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.enter()
		f()
	}()
	<-done
}

// alone moves the calling test into a namespace of its own.
func alone(t *testing.T) space {
	t.Helper()
	s := newSpace(t)
	s.enter()
	return s
}

// kernel calls f with a netlink socket of the current namespace.
func kernel(t *testing.T, f func(*rtnetlink.Conn) error) {
	t.Helper()
	nl, err := rtnetlink.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f(nl), nl.Close()); err != nil {
		t.Fatal(err)
	}
}

// cable makes a link that is down and has somebody at its other end.
func cable(t *testing.T, name string) {
	t.Helper()
	far := newSpace(t)
	veth(t, name, far, "far")
	far.do(func() { apply(t, "far", platform.NetChange{SetUp: true}) })
}

// veth makes a pair of links, both down, from here to another namespace.
func veth(t *testing.T, here string, other space, there string) {
	t.Helper()
	kernel(t, func(nl *rtnetlink.Conn) error {
		return nl.Link.New(&rtnetlink.LinkMessage{Attributes: &rtnetlink.LinkAttributes{
			Name: here,
			Info: &rtnetlink.LinkInfo{Kind: "veth", Data: &driver.Veth{
				PeerInfo: &rtnetlink.LinkMessage{Attributes: &rtnetlink.LinkAttributes{
					Name: there, NetNS: rtnetlink.NetNSForFD(uint32(other.fd))}},
			}},
		}})
	})
}

// tun makes a TUN, or with unix.IFF_TAP a TAP, that lives as long as the test.
func tun(t *testing.T, name string, mode uint16) {
	t.Helper()
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	r, err := unix.NewIfreq(name)
	if err != nil {
		t.Fatal(err)
	}
	r.SetUint16(mode | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(int(f.Fd()), unix.TUNSETIFF, r); err != nil {
		t.Fatal(err)
	}
}

// index returns the index of a link.
func index(t *testing.T, name string) uint32 {
	t.Helper()
	var found uint32
	kernel(t, func(nl *rtnetlink.Conn) error {
		links, err := nl.Link.List()
		for _, l := range links {
			if l.Attributes.Name == name {
				found = l.Index
			}
		}
		return err
	})
	if found == 0 {
		t.Fatalf("no link %s", name)
	}
	return found
}

func remove(t *testing.T, name string) {
	t.Helper()
	i := index(t, name)
	kernel(t, func(nl *rtnetlink.Conn) error { return nl.Link.Delete(i) })
}

// setDown does what platform.Network never does.
func setDown(t *testing.T, name string) {
	t.Helper()
	i := index(t, name)
	kernel(t, func(nl *rtnetlink.Conn) error {
		return nl.Link.Set(&rtnetlink.LinkMessage{Index: i, Change: unix.IFF_UP})
	})
}

// dropCapabilities takes everything from the calling thread, which has to be
// one of its own that ends soon (space.do).
func dropCapabilities(t *testing.T) {
	t.Helper()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		t.Fatal(err)
	}
}

// foreignRoute adds a route as another program would; change alters it first.
func foreignRoute(t *testing.T, name, to string, change func(*rtnetlink.RouteMessage)) {
	t.Helper()
	p := netip.MustParsePrefix(to)
	m := &rtnetlink.RouteMessage{Family: unix.AF_INET, DstLength: uint8(p.Bits()), Table: unix.RT_TABLE_MAIN,
		Protocol: unix.RTPROT_STATIC, Scope: unix.RT_SCOPE_LINK, Type: unix.RTN_UNICAST,
		Attributes: rtnetlink.RouteAttributes{Dst: p.Addr().AsSlice(), OutIface: index(t, name)}}
	if p.Addr().Is6() {
		m.Family = unix.AF_INET6
	}
	if change != nil {
		change(m)
	}
	kernel(t, func(nl *rtnetlink.Conn) error { return nl.Route.Add(m) })
}

// routeTo returns by which link and from which address the kernel would send.
func routeTo(t *testing.T, to string) (out uint32, from netip.Addr) {
	t.Helper()
	a := netip.MustParseAddr(to)
	m := &rtnetlink.RouteMessage{Family: unix.AF_INET, DstLength: uint8(a.BitLen()),
		Attributes: rtnetlink.RouteAttributes{Dst: a.AsSlice()}}
	if a.Is6() {
		m.Family = unix.AF_INET6
	}
	kernel(t, func(nl *rtnetlink.Conn) error {
		answer, err := nl.Route.Get(m)
		if err == nil {
			out = answer[0].Attributes.OutIface
			from, _ = netip.AddrFromSlice(answer[0].Attributes.Src)
		}
		return err
	})
	return out, from
}

func prefixes(s ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, p := range s {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}

func apply(t *testing.T, name string, c platform.NetChange) {
	t.Helper()
	if err := link.New().Apply(name, &c); err != nil {
		t.Fatal(err)
	}
}

func observe(t *testing.T, name string) platform.NetState {
	t.Helper()
	var s platform.NetState
	if err := link.New().Observe(name, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func wantState(t *testing.T, got, want platform.NetState) {
	t.Helper()
	if got.Up != want.Up || got.MTU != want.MTU ||
		!slices.Equal(got.Addresses, want.Addresses) || !slices.Equal(got.Routes, want.Routes) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want one that is %q", err, want)
	}
}
