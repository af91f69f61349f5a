package fake_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ginnel/platform"
	"ginnel/platform/fake"
)

func TestString(t *testing.T) {
	w, a, b := newPair(t)
	b.knows(t, a)
	a.calls(t, b, b.endpoint())
	must(t, a.OS.Apply("wg0", &platform.NetChange{AddRoutes: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}}))
	a.change(t, platform.TunnelChange{Set: platform.SetFwMark, FwMark: 0x51})
	must(t, a.Set("home", []platform.HostEntry{{Address: b.over, Names: []string{"b.home.wg", "b"}}}))
	must(t, a.Set("away", nil))
	w.Advance(30 * time.Second)
	want := `machine a
link eth0 up mtu 1500
  address 192.0.2.1/24
tunnel wg0 up mtu 1420
  address 10.0.0.1/24
  route 10.0.0.0/16
  key ` + a.private.Public().String() + `
  port 51820
  fwmark 0x51
  peer ` + b.private.Public().String() + `
    endpoint 192.0.2.2:51820
    keepalive 25
    allowed 10.0.0.2/32
    handshake 30s ago, received 92, sent 212
names of home
  10.0.0.2 b.home.wg b
`
	if got := a.String(); got != want {
		t.Errorf("machine is\n%s\nwant\n%s", got, want)
	}
}

func TestFaults(t *testing.T) {
	_, a, b := newPair(t)
	broken := errors.New("broken")
	var c platform.TunnelChange
	a.Fail(fake.ApplyTunnel, 2, broken)
	a.Fail(fake.ApplyTunnel, 3, platform.ErrPermission)
	for i, want := range []error{nil, broken, platform.ErrPermission, nil} {
		if err := a.Tunnel.Apply(&c); !errors.Is(err, want) {
			t.Errorf("call %d: error is %v, want %v", i+1, err, want)
		}
	}
	for op, call := range map[fake.Op]func() error{
		fake.OpenTunnel:    func() error { _, err := a.Open("wg9", 1420); return err },
		fake.ObserveTunnel: func() error { return a.Tunnel.Observe(new(platform.TunnelState)) },
		fake.ApplyNet:      func() error { return a.OS.Apply("wg0", new(platform.NetChange)) },
		fake.ObserveNet:    func() error { return a.OS.Observe("wg0", new(platform.NetState)) },
		fake.Underlay:      func() error { _, err := a.Underlay(); return err },
		fake.SetNames:      func() error { return a.Set("n", nil) },
	} {
		a.Fail(op, 1, broken)
		if err := call(); !errors.Is(err, broken) {
			t.Errorf("%s: error is %v, want %v", op, err, broken)
		}
		if err := call(); err != nil {
			t.Errorf("%s again: %v", op, err)
		}
	}
	if err := b.Tunnel.Apply(&c); err != nil {
		t.Errorf("another machine: %v", err)
	}
}

func TestTear(t *testing.T) {
	w, a, b := newPair(t)
	a.knows(t, b)
	a.knows(t, newSide(t, w, "c", 3))
	a.Tear(1)
	var s platform.TunnelState
	if err := a.Tunnel.Observe(&s); !errors.Is(err, platform.ErrTorn) || len(s.Peers) != 1 {
		t.Errorf("torn: %v with %d peers, want one", err, len(s.Peers))
	}
	if err := a.Tunnel.Observe(&s); err != nil || len(s.Peers) != 2 {
		t.Errorf("whole: %v with %d peers, want two", err, len(s.Peers))
	}
}

// TestStranger checks what the owner sees of what others do.
func TestStranger(t *testing.T) {
	_, a, b := newPair(t)
	other, err := a.Open("wg0", 1420)
	must(t, err)
	must(t, other.Apply(&platform.TunnelChange{Peers: []platform.PeerChange{{PublicKey: b.private.Public()}}}))
	a.peer(t, b)
	must(t, a.RemoveLink("wg0"))
	if err := a.Tunnel.Observe(new(platform.TunnelState)); !errors.Is(err, platform.ErrNotExist) {
		t.Errorf("observe: %v, want that it does not exist", err)
	}
	if _, err := a.ListenTCP("wg0", netip.AddrPortFrom(a.over, 80)); !errors.Is(err, platform.ErrNotExist) {
		t.Errorf("listen: %v, want that it does not exist", err)
	}
	if err := a.RemoveLink("wg0"); !errors.Is(err, platform.ErrNotExist) {
		t.Errorf("remove again: %v, want that it does not exist", err)
	}
	if strings.Contains(a.String(), "wg0") {
		t.Errorf("the link is still there:\n%s", a)
	}
}

func TestTakenPort(t *testing.T) {
	_, a, _ := newPair(t)
	a.TakePort(7)
	err := a.Tunnel.Apply(&platform.TunnelChange{Set: platform.SetListenPort, ListenPort: 7})
	if !errors.Is(err, platform.ErrInUse) {
		t.Errorf("error is %v, want that the port is in use", err)
	}
	must(t, a.SetUp("wg0", false))
	a.change(t, platform.TunnelChange{Set: platform.SetListenPort, ListenPort: 7})
	if err := a.SetUp("wg0", true); !errors.Is(err, platform.ErrInUse) {
		t.Errorf("error is %v, want that the port is in use", err)
	}
}
