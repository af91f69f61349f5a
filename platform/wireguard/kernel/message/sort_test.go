package message

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"ginnel/key"
	"ginnel/platform"
)

// TestSorter sorts peers that come, go and change places, some of whose keys
// begin alike, or are the same, with one sorter.
func TestSorter(t *testing.T) {
	r := random(t)
	var s sorter
	var peers []platform.Peer
	for range 300 {
		switch n := r.IntN(5); {
		case n == 0 && len(peers) > 0:
			peers = slices.Delete(peers, 0, 1+r.IntN(len(peers)))
		case n == 1:
			r.Shuffle(len(peers), func(i, j int) { peers[i], peers[j] = peers[j], peers[i] })
		default:
			for range r.IntN(20) {
				k := key.PublicKey{0: byte(r.IntN(3)), 31: byte(r.IntN(20))}
				peers = append(peers, platform.Peer{PublicKey: k, Rx: r.Uint64()})
			}
		}
		got, want := slices.Clone(peers), slices.Clone(peers)
		s.sort(got)
		slices.SortFunc(want, func(a, b platform.Peer) int { return a.PublicKey.Compare(b.PublicKey) })
		if !slices.EqualFunc(got, want, func(a, b platform.Peer) bool { return a.PublicKey == b.PublicKey }) {
			t.Fatalf("not sorted: %v", got)
		}
		for _, p := range got { // all of a peer goes along
			if !slices.ContainsFunc(peers, func(q platform.Peer) bool { return q.PublicKey == p.PublicKey && q.Rx == p.Rx }) {
				t.Fatalf("peer %s became another", p.PublicKey)
			}
		}
		want = slices.CompactFunc(want, func(a, b platform.Peer) bool { return a.PublicKey == b.PublicKey })
		if got = compact(got); len(got) != len(want) {
			t.Fatalf("%d peers with different keys, want %d", len(got), len(want))
		}
	}
}

// TestLess compares masked prefixes as netip.Prefix.Compare does.
func TestLess(t *testing.T) {
	r := random(t)
	var all []netip.Prefix
	for range 60 {
		a := netip.AddrFrom4([4]byte{byte(r.IntN(2) << 7), byte(r.IntN(3))})
		b := netip.AddrFrom16([16]byte{byte(r.IntN(2) << 7), byte(r.IntN(3))})
		all = append(all, netip.PrefixFrom(a, r.IntN(33)).Masked(), netip.PrefixFrom(b, r.IntN(129)).Masked())
	}
	for _, a := range all {
		for _, b := range all {
			if got, want := less(&a, &b), a.Compare(b) < 0; got != want {
				t.Fatalf("%s before %s: %v, want %v", a, b, got, want)
			}
		}
	}
}

// BenchmarkDecode reads 1,000 peers that are not in their keys' order.
func BenchmarkDecode(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	d := deviceOf(1000)
	r.Shuffle(len(d.Peers), func(i, j int) { d.Peers[i], d.Peers[j] = d.Peers[j], d.Peers[i] })
	datagrams := d.dump(r, 1)
	var s platform.TunnelState
	decoder := Decoder{Zone: zone}
	b.ReportAllocs()
	for b.Loop() {
		decoder.Start(&s)
		a := Answer{Sequence: 1}
		for _, datagram := range datagrams {
			if err := a.Take(datagram, &decoder); err != nil {
				b.Fatal(err)
			}
		}
		decoder.Finish()
	}
}
