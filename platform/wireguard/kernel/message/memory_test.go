package message

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"ginnel/key"
	"ginnel/platform"
)

// manyPeers updates n peers: endpoint and two allowed IPs each. Keys are not in
// their order.
func manyPeers(n int) *platform.TunnelChange {
	c := new(platform.TunnelChange)
	for i := range n {
		var k key.PublicKey
		binary.LittleEndian.PutUint32(k[:], uint32(i))
		a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		b := netip.AddrFrom16([16]byte{0: 0xfd, 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)})
		c.Peers = append(c.Peers, platform.PeerChange{PublicKey: k, Update: true, Set: platform.SetEndpoint,
			Endpoint: netip.AddrPortFrom(a, 51820), AllowedIPs: []netip.Prefix{netip.PrefixFrom(a, 32), netip.PrefixFrom(b, 128)}})
	}
	return c
}

// deviceOf has n peers.
func deviceOf(n int) *device {
	c := manyPeers(n)
	c.Set, c.PrivateKey = platform.SetPrivateKey, key.NewPrivate([key.Size]byte{5: 5})
	for i := range c.Peers {
		c.Peers[i].Update = false
	}
	d := new(device)
	d.Apply(c)
	return d
}

func TestEncodeAllocatesNothing(t *testing.T) {
	e := zoned()
	for _, n := range []int{1, 1000} {
		c := manyPeers(n)
		c.Set = platform.SetPrivateKey
		c.PrivateKey = key.NewPrivate([key.Size]byte{1})
		encode := func() {
			if err := e.Start(1, 1, c); err != nil {
				t.Fatal(err)
			}
			for m := e.Next(); m != nil; m = e.Next() {
				Number(m, 1)
			}
			e.Clear()
		}
		if allocations := testing.AllocsPerRun(10, encode); allocations != 0 {
			t.Errorf("%d peers: %v allocations", n, allocations)
		}
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	datagrams := deviceOf(1000).dump(rand.New(rand.NewPCG(1, 1)), 1)
	var s platform.TunnelState
	d := Decoder{Zone: zone}
	read := func() {
		d.Start(&s)
		a := Answer{Sequence: 1}
		for _, b := range datagrams {
			if err := a.Take(b, &d); err != nil {
				t.Fatal(err)
			}
		}
		d.Finish()
	}
	if n := testing.AllocsPerRun(10, read); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if len(s.Peers) != 1000 || !slices.IsSortedFunc(s.Peers, func(a, b platform.Peer) int { return a.PublicKey.Compare(b.PublicKey) }) {
		t.Errorf("%d peers, or not sorted", len(s.Peers))
	}
}

// TestMemoryIsTheStates: what a state keeps between dumps is its own, of
// whatever size the next is, and what is done to it harms nothing.
func TestMemoryIsTheStates(t *testing.T) {
	r := random(t)
	var one, two platform.TunnelState
	for _, n := range []int{0, 3, 100, 99, 101, 1, 0, 50, 50} {
		d := deviceOf(n)
		decode(t, &one, 1, d.dump(r, 1))
		compare(t, "one", &one, &d.TunnelState)
		other := deviceOf(n + 7)
		decode(t, &two, 1, other.dump(r, 1))
		compare(t, "one, after two", &one, &d.TunnelState)
		// An allowed IP more for each, and peers more and fewer.
		c := platform.TunnelChange{Peers: []platform.PeerChange{{PublicKey: repeated(9), AllowedIPs: prefixes("192.0.2.0/24")}}}
		for i := range d.Peers {
			if i%7 == 3 {
				c.Remove = append(c.Remove, d.Peers[i].PublicKey)
				continue
			}
			c.Peers = append(c.Peers, platform.PeerChange{PublicKey: d.Peers[i].PublicKey,
				AllowedIPs: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{1, 2, 3, byte(i)}), 32)}})
		}
		one.Apply(&c)
		d.Apply(&c)
		compare(t, "one, changed", &one, &d.TunnelState)
		compare(t, "two", &two, &other.TunnelState)
	}
}

// TestOneArray: however often a state is filled, all allowed IPs are in one
// array, which is not larger than it has to be by more than append makes it.
func TestOneArray(t *testing.T) {
	r := random(t)
	var s platform.TunnelState
	for range 5 {
		decode(t, &s, 1, deviceOf(1000).dump(r, 1))
	}
	all := s.Peers[:cap(s.Peers)]
	array := all[len(all)-1].AllowedIPs
	if len(array) != 2000 || cap(array) > 3000 || cap(s.Peers) > 1500 {
		t.Errorf("%d of %d allowed IPs, %d peers", len(array), cap(array), cap(s.Peers))
	}
	for i := range s.Peers {
		ips := s.Peers[i].AllowedIPs
		if len(ips) != 2 || cap(ips) != 2 {
			t.Fatalf("peer %d has %d allowed IPs and room for %d", i, len(ips), cap(ips))
		}
		array[2*i] = netip.Prefix{}
	}
	for i := range s.Peers {
		if s.Peers[i].AllowedIPs[0].IsValid() && s.Peers[i].AllowedIPs[1].IsValid() {
			t.Errorf("the allowed IPs of peer %d are elsewhere", i)
		}
	}
}

// TestForgetsPeers: peers that are gone keep no older array alive.
func TestForgetsPeers(t *testing.T) {
	r := random(t)
	var s platform.TunnelState
	for _, n := range []int{100, 3} {
		decode(t, &s, 1, deviceOf(n).dump(r, 1))
	}
	for i, p := range s.Peers[3 : cap(s.Peers)-1] {
		if p.AllowedIPs != nil || p.Endpoint.IsValid() {
			t.Fatalf("behind the last peer, at %d, is %+v", i, p)
		}
	}
}

// TestClear: no key stays behind.
func TestClear(t *testing.T) {
	e := zoned()
	c := manyPeers(100)
	c.Set, c.PrivateKey = platform.SetPrivateKey, key.NewPrivate([key.Size]byte{1: 0xaa, 2: 0xbb})
	if err := e.Start(1, 1, c); err != nil {
		t.Fatal(err)
	}
	secret := c.PrivateKey.Bytes()
	if !bytes.Contains(e.Next(), secret[:]) {
		t.Fatal("the key is not in the message")
	}
	e.Clear()
	if b := e.w.b[:cap(e.w.b)]; len(bytes.Trim(b, "\x00")) != 0 {
		t.Error("the buffer was not cleared")
	}
}
