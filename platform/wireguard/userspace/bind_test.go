package userspace

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/conn"

	"ginnel/platform/platformtest"
)

// opened returns an open bind on a port of both families.
func opened(t *testing.T) (b *bind, receive []conn.ReceiveFunc, port uint16) {
	t.Helper()
	b = &bind{}
	receive, port, err := b.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	if len(receive) != 2 || port == 0 {
		t.Fatalf("%d sockets on port %d, want one for each family", len(receive), port)
	}
	return b, receive, port
}

// take receives one packet.
func take(t *testing.T, receive conn.ReceiveFunc) (packet string, from conn.Endpoint) {
	t.Helper()
	b, sizes, eps := [][]byte{make([]byte, 2048)}, []int{0}, []conn.Endpoint{nil}
	if n, err := receive(b, sizes, eps); n != 1 || err != nil {
		t.Fatalf("received %d packets: %v", n, err)
	}
	return string(b[0][:sizes[0]]), eps[0]
}

func give(t *testing.T, b *bind, to conn.Endpoint, packets ...string) {
	t.Helper()
	var list [][]byte
	for _, p := range packets {
		list = append(list, []byte(p))
	}
	if err := b.Send(list, to); err != nil {
		t.Fatal(err)
	}
}

func parse(t *testing.T, s string) conn.Endpoint {
	t.Helper()
	e, err := (&bind{}).ParseEndpoint(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestFamiliesTakeTurns: an address of one family never shows in a packet of
// the other.
func TestFamiliesTakeTurns(t *testing.T) {
	platformtest.Namespace(t)()
	a, _, _ := opened(t)
	_, receive, port := opened(t)
	for range 3 {
		for i, host := range []string{"127.0.0.1", "::1"} {
			to := netip.AddrPortFrom(netip.MustParseAddr(host), port).String()
			give(t, a, parse(t, to), host)
			got, from := take(t, receive[i])
			if got != host || from.DstIP() != netip.MustParseAddr(host) {
				t.Errorf("%q arrived from %s, want %q from there", got, from.DstToString(), host)
			}
		}
	}
}

// TestAnswersComeFromWhereWasSpokenTo, until that address is gone.
func TestAnswersComeFromWhereWasSpokenTo(t *testing.T) {
	platformtest.Namespace(t)()
	a, atA, _ := opened(t)
	b, atB, port := opened(t)
	second := netip.MustParseAddr("127.0.0.2") // all of 127/8 is ours
	give(t, a, parse(t, netip.AddrPortFrom(second, port).String()), "hello", "again")
	got, from := take(t, atB[0])
	if got != "hello" || from.SrcIP() != second {
		t.Fatalf("%q came to %s, want hello to %s", got, from.SrcIP(), second)
	}
	if _, more := take(t, atB[0]); more != from {
		t.Error("the same way makes another endpoint")
	}
	give(t, b, from, "yes")
	if _, answer := take(t, atA[0]); answer.DstIP() != second {
		t.Errorf("the answer came from %s, want %s", answer.DstIP(), second)
	}
	gone := newEndpoint(from.(*endpoint).remote, arrival{local: netip.MustParseAddr("192.0.2.1")})
	give(t, b, gone, "moved")
	if got, _ := take(t, atA[0]); got != "moved" || gone.SrcIP().IsValid() {
		t.Errorf("got %q from source %s, want it sent from another", got, gone.SrcIP())
	}
}

func TestBindErrors(t *testing.T) {
	platformtest.Namespace(t)()
	b, receive, port := opened(t)
	if _, _, err := b.Open(0); !errors.Is(err, conn.ErrBindAlreadyOpen) {
		t.Errorf("opened twice: %v", err)
	}
	if _, _, err := (&bind{}).Open(port); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("a port in use: %v", err)
	}
	if err := b.SetMark(7); err != nil {
		t.Error(err)
	}
	ended := make(chan error, len(receive))
	for _, r := range receive {
		go func() {
			_, err := r([][]byte{make([]byte, 64)}, []int{0}, []conn.Endpoint{nil})
			ended <- err
		}()
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	for range receive {
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("receiving ended with %v", err)
		}
	}
	if err := b.Send([][]byte{{1}}, parse(t, "127.0.0.1:9")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("sent on a closed bind: %v", err)
	}
	if _, _, err := b.Open(port); err != nil {
		t.Errorf("opened again: %v", err)
	}
	for _, s := range []string{"", "192.0.2.1", "host:1", "[::1]"} {
		if e, err := b.ParseEndpoint(s); err == nil {
			t.Errorf("%q is taken for %v", s, e)
		}
	}
	if e := parse(t, "[::ffff:192.0.2.1]:5"); e.DstToString() != "192.0.2.1:5" || bytes.Equal(e.DstToBytes(), parse(t, "192.0.2.1:6").DstToBytes()) {
		t.Errorf("IPv4 in IPv6 reads as %s", e.DstToString())
	}
}
