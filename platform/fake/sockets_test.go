package fake_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"ginnel/platform"
)

// joined is a pair with a session.
func joined(t *testing.T) (cut func(), a, b *side) {
	t.Helper()
	w, a, b := newPair(t)
	b.knows(t, a)
	a.calls(t, b, b.endpoint())
	return func() { w.Cut(a.under, b.under) }, a, b
}

func TestTCP(t *testing.T) {
	cut, a, b := joined(t)
	at := netip.AddrPortFrom(b.over, 80)
	l, err := b.ListenTCP("wg0", at)
	must(t, err)
	defer l.Close()
	c, err := a.DialTCP(context.Background(), "wg0", a.over, at)
	must(t, err)
	defer c.Close()
	s, err := l.Accept()
	must(t, err)
	defer s.Close()
	if got := s.RemoteAddr().(*net.TCPAddr).AddrPort().Addr(); got != a.over || l.Addr().String() != at.String() {
		t.Errorf("connection from %v to %v, want %v and %v", got, l.Addr(), a.over, at)
	}
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write([]byte("hello"))
		sent <- errors.Join(err, c.Close())
	}()
	if got, err := io.ReadAll(s); err != nil || string(got) != "hello" {
		t.Errorf("read %q, %v", got, err)
	}
	must(t, <-sent)
	cut()
	if _, err := s.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write after the cut: %v, want a timeout", err)
	}
}

func TestDialFails(t *testing.T) {
	cut, a, b := joined(t)
	at := netip.AddrPortFrom(b.over, 80)
	dial := func(link string, from netip.Addr, to netip.AddrPort) error {
		_, err := a.DialTCP(context.Background(), link, from, to)
		return err
	}
	nobody := netip.MustParseAddrPort("10.0.0.99:80")
	for name, test := range map[string]struct{ got, want error }{
		"nobody listens": {dial("wg0", a.over, at), syscall.ECONNREFUSED},
		"no such peer":   {dial("wg0", a.over, nobody), os.ErrDeadlineExceeded},
		"no such link":   {dial("wg9", a.over, at), platform.ErrNotExist},
		"no tunnel":      {dial("eth0", a.under, at), platform.ErrUnsupported},
		"not our source": {dial("wg0", b.over, at), platform.ErrNotExist},
	} {
		if !errors.Is(test.got, test.want) {
			t.Errorf("%s: %v, want %v", name, test.got, test.want)
		}
	}
	cut()
	if err := dial("wg0", a.over, at); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("cut off: %v, want a timeout", err)
	}
}

// TestForgedSource checks that a tunnel takes from a peer only what its allowed
// IPs cover.
func TestForgedSource(t *testing.T) {
	_, a, b := joined(t)
	forged := netip.MustParseAddr("10.0.0.77")
	must(t, a.OS.Apply("wg0", &platform.NetChange{AddAddresses: []netip.Prefix{netip.PrefixFrom(forged, 32)}}))
	at := netip.AddrPortFrom(b.over, 80)
	l, err := b.ListenTCP("wg0", at)
	must(t, err)
	defer l.Close()
	if _, err := a.DialTCP(context.Background(), "wg0", forged, at); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error is %v, want a timeout", err)
	}
	if _, err := a.DialTCP(context.Background(), "wg0", netip.Addr{}, at); err != nil {
		t.Errorf("from any address: %v", err)
	}
}

func TestListenFails(t *testing.T) {
	_, a, b := joined(t)
	at := netip.AddrPortFrom(a.over, 80)
	l, err := a.ListenTCP("wg0", at)
	must(t, err)
	if _, err := a.ListenTCP("wg0", at); !errors.Is(err, platform.ErrInUse) {
		t.Errorf("twice: %v, want in use", err)
	}
	if _, err := a.ListenUDP("wg0", netip.AddrPortFrom(b.over, 80)); !errors.Is(err, platform.ErrNotExist) {
		t.Errorf("at another's address: %v, want that it does not exist", err)
	}
	waiting, err := a.DialTCP(context.Background(), "wg0", a.over, at)
	must(t, err)
	must(t, l.Close())
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept after close: %v", err)
	}
	if _, err := waiting.Read(make([]byte, 1)); err == nil {
		t.Error("a connection that nobody accepted stayed")
	}
	l, err = a.ListenTCP("wg0", at)
	must(t, err)
	must(t, l.Close())
}

func TestUDP(t *testing.T) {
	cut, a, b := joined(t)
	from, to := netip.AddrPortFrom(a.over, 7), netip.AddrPortFrom(b.over, 8)
	x, err := a.ListenUDP("wg0", from)
	must(t, err)
	defer x.Close()
	y, err := b.ListenUDP("wg0", to)
	must(t, err)
	send := func(text string, to netip.AddrPort) {
		t.Helper()
		if n, err := x.WriteToUDPAddrPort([]byte(text), to); n != len(text) || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	send("one", to)
	send("lost", netip.AddrPortFrom(b.over, 9))
	cut()
	send("cut off", to)
	b2 := make([]byte, 10)
	if n, got, err := y.ReadFromUDPAddrPort(b2); string(b2[:n]) != "one" || got != from || err != nil {
		t.Errorf("read %q from %v, %v", b2[:n], got, err)
	}
	must(t, y.SetReadDeadline(time.Now()))
	if _, _, err := y.ReadFromUDPAddrPort(b2); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %v, want a timeout", err)
	}
	must(t, y.SetReadDeadline(time.Time{}))
	ended := make(chan error, 1)
	go func() { _, _, err := y.ReadFromUDPAddrPort(b2); ended <- err }()
	must(t, y.SetReadDeadline(time.Now().Add(time.Millisecond)))
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("waiting read: %v, want a timeout", err)
	}
	must(t, y.Close())
	if _, _, err := y.ReadFromUDPAddrPort(b2); err == nil {
		t.Error("read from a closed socket")
	}
}

// TestTrafficGreets checks that traffic makes the handshake it needs, without a
// keepalive.
func TestTrafficGreets(t *testing.T) {
	_, a, b := newPair(t)
	b.knows(t, a)
	a.change(t, platform.TunnelChange{Peers: []platform.PeerChange{{PublicKey: b.private.Public(), Set: platform.SetEndpoint,
		Endpoint: b.endpoint(), AllowedIPs: []netip.Prefix{netip.PrefixFrom(b.over, 32)}}}})
	wantHandshake(t, a, b, time.Time{})
	x, err := a.ListenUDP("wg0", netip.AddrPortFrom(a.over, 7))
	must(t, err)
	defer x.Close()
	if _, err := x.WriteToUDPAddrPort([]byte("hi"), netip.AddrPortFrom(b.over, 8)); err != nil {
		t.Fatal(err)
	}
	wantHandshake(t, a, b, start)
}
