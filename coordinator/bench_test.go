package coordinator

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"ginnel/coordinator/commandtest"
	"ginnel/network"
	"ginnel/wire"
)

// bigHub is a hub with n active peers, all in one CIDR, each with endpoints.
func bigHub(b testing.TB, n int) *hub {
	src := commandtest.New(1)
	book, _, err := network.New("home", prefix("10.0.0.0/8"), "hub", src.Key())
	if err != nil {
		b.Fatal(err)
	}
	s := book.Snapshot()
	s.Peers = slices.Clone(s.Peers)
	for i := range n {
		a := netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
		s.Peers = append(s.Peers, network.Peer{Address: a, Name: fmt.Sprintf("peer%d", i), Key: src.Key()})
	}
	if book, err = network.Load(s); err != nil {
		b.Fatal(err)
	}
	h := newHub(book, nil, 1)
	for i := range book.Peers() {
		h.setEndpoints(book.Peers()[i].Address, wire.Endpoints{Seen: addrPort("192.0.2.1:1")})
	}
	return h
}

// TestNewsOfEverybodyGoesThroughThemOnce: not once per peer, as after a restart
// it would be.
func TestNewsOfEverybodyGoesThroughThemOnce(t *testing.T) {
	const peers = 2000
	h := bigHub(t, peers)
	var all []netip.Addr
	for i := range h.book.Peers() {
		all = append(all, h.book.Peers()[i].Address)
	}
	watchers := slices.Collect(h.watchers(all...))
	if n := len(watchers); n < peers || n > 3*peers {
		t.Errorf("%d peers are gone through for news of %d", n, peers)
	}
}

// BenchmarkEndpointNews is one peer's news: finding who sees it, and one of
// them fetching it.
func BenchmarkEndpointNews(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		h := bigHub(b, n)
		nudger, peers := newNudger(), h.book.Peers()
		b.Run(fmt.Sprintf("nudge/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				h.setEndpoints(peers[1].Address, wire.Endpoints{Seen: netip.AddrPortFrom(addr("192.0.2.1"), uint16(2+i%2))})
				for a := range h.watchers(peers[1].Address) {
					nudger.news(a, h.current(), start)
				}
			}
		})
		b.Run(fmt.Sprintf("fetch/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			pos := h.position(&peers[2])
			pos.Seq--
			for b.Loop() {
				h.update(pos, &peers[2])
			}
		})
		b.Run(fmt.Sprintf("whole/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.update(wire.Position{}, &peers[2])
			}
		})
	}
}
