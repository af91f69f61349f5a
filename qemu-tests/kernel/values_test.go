package kernel_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"ginnel/key"
	"ginnel/platform"
	"ginnel/platform/platformtest"
	"ginnel/platform/wireguard/userspace"
)

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the random tests")

func random(t *testing.T) *rand.Rand {
	t.Logf("-seed %d", *seed)
	return rand.New(rand.NewPCG(*seed, 1))
}

// TestKeysAreClamped: a private key reads back as the one that was set, of
// whatever bytes it was made, so that setting it comes to an end.
func TestKeysAreClamped(t *testing.T) {
	platformtest.Namespace(t)
	r := random(t)
	tn := open(t, "wg0")
	for range 50 {
		var b [key.Size]byte
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		want := &platform.TunnelState{PrivateKey: key.NewPrivate(b)}
		tn.converge(t, want)
		tn.want(t, want)
		if s := tn.observe(t); s.PrivateKey.Public() != want.PrivateKey.Public() {
			t.Fatal("another key than was set")
		}
	}
}

// TestEndpoints: addresses of both families come back as they went, port and
// all: a wrong byte order would be ignored in silence by the kernel.
func TestEndpoints(t *testing.T) {
	platformtest.Namespace(t)
	r := random(t)
	tn := open(t, "wg0")
	want := &platform.TunnelState{}
	p := platform.Peer{PublicKey: key.PublicKey{1}}
	for i := range 100 {
		var a [16]byte
		for j := range a {
			a[j] = byte(r.Uint32())
		}
		a[0] = 0x20 // global, and no network of its own in IPv4
		addr := netip.AddrFrom16(a)
		if i%2 == 0 {
			addr = netip.AddrFrom4([4]byte(a[:4]))
		}
		p.Endpoint = netip.AddrPortFrom(addr, uint16(1+r.IntN(65535)))
		p.Keepalive = uint16(r.Uint32())
		want.FwMark = r.Uint32()
		want.Peers = []platform.Peer{p}
		tn.converge(t, want)
		tn.want(t, want)
	}
}

// TestZones: the zone of a link-local endpoint is the name of the link, and
// not of another.
func TestZones(t *testing.T) {
	platformtest.Namespace(t)
	var links []platform.Tunnel
	for i := range 3 {
		l, err := userspace.New(quiet).Open(fmt.Sprintf("link%d", i), mtu)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		links = append(links, l)
	}
	tn := open(t, "wg0")
	want := &platform.TunnelState{}
	for i := range 9 {
		zone := fmt.Sprintf("link%d", i%3)
		want.Peers = append(want.Peers, platform.Peer{PublicKey: key.PublicKey{byte(i)},
			Endpoint: netip.AddrPortFrom(netip.MustParseAddr("fe80::1").WithZone(zone), 51820)})
	}
	tn.converge(t, want)
	tn.want(t, want)
	set := func(i int, zone string) {
		tn.apply(t, platform.TunnelChange{Peers: []platform.PeerChange{{PublicKey: want.Peers[i].PublicKey, Update: true, Set: platform.SetEndpoint,
			Endpoint: netip.AddrPortFrom(netip.MustParseAddr("fe80::2").WithZone(zone), 1)}}})
	}
	// A zone that is nowhere changes nothing; a number is the link's.
	set(0, "nowhere")
	tn.want(t, want)
	set(1, "1")
	want.Peers[1].Endpoint = netip.MustParseAddrPort("[fe80::2%lo]:1")
	tn.want(t, want)
	// The zone of a link that is gone is its number.
	if err := links[2].Close(); err != nil {
		t.Fatal(err)
	}
	for i, p := range tn.observe(t).Peers {
		var index int
		gone := want.Peers[i].Endpoint.Addr().Zone() == "link2"
		n, _ := fmt.Sscan(p.Endpoint.Addr().Zone(), &index)
		if gone != (n == 1) {
			t.Errorf("peer %d is at %v", i, p.Endpoint)
		}
	}
}
