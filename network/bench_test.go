package network_test

import (
	"fmt"
	"net/netip"
	"testing"

	"ginnel/key"
	"ginnel/network"
)

// bigBook makes a book of n peers in CIDRs of 250. Their keys are any bytes,
// which nothing but redeeming looks at.
func bigBook(b *testing.B, n int) *network.Book {
	b.Helper()
	book, _, err := network.New("net", prefix("10.0.0.0/8"), "hub", testKey(0))
	if err != nil {
		b.Fatal(err)
	}
	s := book.Snapshot()
	for i := range n {
		high, low := byte(i/250), byte(i%250)
		if low == 0 {
			s.CIDRs = append(s.CIDRs, network.CIDR{Name: fmt.Sprintf("c%d", high), Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 1, high, 0}), 24)})
		}
		s.Peers = append(s.Peers, network.Peer{Address: netip.AddrFrom4([4]byte{10, 1, high, low + 1}), Name: fmt.Sprintf("p%d", i), Key: key.PublicKey{8: high, 9: low, 10: 1}})
	}
	if book, err = network.Load(s); err != nil {
		b.Fatal(err)
	}
	return book
}

func BenchmarkRenamePeer10000(b *testing.B) {
	book := bigBook(b, 10000)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := book.Apply(now, network.RenamePeer{Name: "p9000", NewName: "x"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkView10000(b *testing.B) {
	book := bigBook(b, 10000)
	for name, a := range map[string]string{"peer": "10.1.20.7", "coordinator": "10.0.0.1"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if len(book.View(addr(a), nil)) == 0 {
					b.Fatal("sees nobody")
				}
			}
		})
	}
	b.Run("delta", func(b *testing.B) {
		one := []netip.Prefix{prefix("10.1.20.9/32")}
		b.ReportAllocs()
		for b.Loop() {
			if len(book.View(addr("10.1.20.7"), one)) != 1 {
				b.Fatal("does not see one")
			}
		}
	})
}

func BenchmarkInvite10000(b *testing.B) {
	book := bigBook(b, 10000)
	cmd := network.Invite{Name: "x", CIDR: "c39", Key: testKey(1), Expires: later}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := book.Apply(now, cmd); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad10000(b *testing.B) {
	s := bigBook(b, 10000).Snapshot()
	for b.Loop() {
		if _, err := network.Load(s); err != nil {
			b.Fatal(err)
		}
	}
}
