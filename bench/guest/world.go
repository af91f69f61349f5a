package main

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"

	"ginnel/key"
	"ginnel/platform"
)

// population draws n peers as a network has them: an endpoint, a keepalive,
// and two allowed IPs of their own, one of each family.
func population(r *rand.Rand, n int) []platform.Peer {
	peers := make([]platform.Peer, n)
	for i := range peers {
		peers[i] = platform.Peer{
			PublicKey:  drawKey(r),
			Endpoint:   drawEndpoint(r),
			Keepalive:  25,
			AllowedIPs: []netip.Prefix{own4(i, 0, 32), own6(i, 0, 128)},
		}
	}
	return peers
}

// moved is what becomes of peers when they are updated: other endpoints, and
// each has the allowed IPs of the next.
func moved(r *rand.Rand, peers []platform.Peer) []platform.Peer {
	after := slices.Clone(peers)
	for i := range after {
		after[i].Endpoint = drawEndpoint(r)
		after[i].AllowedIPs = peers[(i+1)%len(peers)].AllowedIPs
	}
	return after
}

// maxAllowed is how many allowed IPs of a family a peer of [variety] may have.
const maxAllowed = 5

// variety draws n peers of every kind: with and without endpoint, keepalive
// and allowed IPs of both families and many lengths.
func variety(r *rand.Rand, n int) []platform.Peer {
	peers := make([]platform.Peer, n)
	for i := range peers {
		p := platform.Peer{PublicKey: drawKey(r)}
		if r.IntN(4) > 0 {
			p.Endpoint = drawEndpoint(r)
		}
		if r.IntN(2) > 0 {
			p.Keepalive = uint16(r.IntN(1 << 16))
		}
		for j := range r.IntN(maxAllowed + 1) {
			p.AllowedIPs = append(p.AllowedIPs, own4(i, j, 28+r.IntN(5)))
		}
		for j := range r.IntN(maxAllowed + 1) {
			p.AllowedIPs = append(p.AllowedIPs, own6(i, j, 64+r.IntN(65)))
		}
		peers[i] = p
	}
	return peers
}

// own4 is the j-th prefix, of at least 28 bits, that belongs to the i-th peer;
// below 65,536 and 16 no two overlap.
func own4(i, j, bits int) netip.Prefix {
	a := [4]byte{10, byte(i >> 8), byte(i), byte(j << 4)}
	return netip.PrefixFrom(netip.AddrFrom4(a), bits)
}

// own6 is own4 for IPv6 and at least 64 bits.
func own6(i, j, bits int) netip.Prefix {
	a := [16]byte{0: 0xfd}
	binary.BigEndian.PutUint32(a[2:], uint32(i))
	binary.BigEndian.PutUint16(a[6:], uint16(j))
	return netip.PrefixFrom(netip.AddrFrom16(a), bits)
}

// drawKey draws 32 bytes with the last bit clear, as the keys of people have
// it: the kernel computes with any such.
func drawKey(r *rand.Rand) key.PublicKey {
	var k key.PublicKey
	for i := 0; i < len(k); i += 8 {
		binary.LittleEndian.PutUint64(k[i:], r.Uint64())
	}
	k[31] &= 0x7f
	return k
}

func drawPrivate(r *rand.Rand) key.PrivateKey { return key.NewPrivate(drawKey(r)) }

// drawEndpoint draws an address of either family, from what is set aside for
// documentation (RFC 5737, RFC 3849).
func drawEndpoint(r *rand.Rand) netip.AddrPort {
	port := uint16(1 + r.IntN(1<<16-1))
	if r.IntN(2) == 0 {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(1 + r.IntN(254))}), port)
	}
	a := [16]byte{0x20, 0x01, 0x0d, 0xb8}
	binary.BigEndian.PutUint64(a[8:], r.Uint64())
	return netip.AddrPortFrom(netip.AddrFrom16(a), port)
}
