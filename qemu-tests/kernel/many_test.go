package kernel_test

import (
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"ginnel/key"
	"ginnel/platform"
	"ginnel/platform/platformtest"
)

// PeersVariable is the environment variable that says how many peers a tunnel
// must take; 10,000 unless it is set. Small machines want fewer.
const PeersVariable = "GINNEL_PEERS"

func manyPeers(t *testing.T) int {
	t.Helper()
	s := os.Getenv(PeersVariable)
	if s == "" {
		return 10_000
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q: want a number of peers", PeersVariable, s)
	}
	return n
}

// peers makes a state of n peers: each an endpoint and two allowed IPs. The
// kernel does not ask whether a public key is one.
func peers(n int) *platform.TunnelState {
	r := rand.New(rand.NewPCG(7, 7))
	s := &platform.TunnelState{PrivateKey: private(1), ListenPort: 40001}
	for i := range n {
		var k key.PublicKey
		for j := range k {
			k[j] = byte(r.Uint32())
		}
		a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		b := netip.AddrFrom16([16]byte{0: 0xfd, 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)})
		s.Peers = append(s.Peers, platform.Peer{PublicKey: k, Endpoint: netip.AddrPortFrom(a, 51820),
			AllowedIPs: []netip.Prefix{netip.PrefixFrom(a, 32), netip.PrefixFrom(b, 128)}})
	}
	slices.SortFunc(s.Peers, func(a, b platform.Peer) int { return a.PublicKey.Compare(b.PublicKey) })
	return s
}

// move gives all peers another endpoint, and returns the change that does.
func move(s *platform.TunnelState, port uint16) *platform.TunnelChange {
	c := new(platform.TunnelChange)
	for i := range s.Peers {
		p := &s.Peers[i]
		p.Endpoint = netip.AddrPortFrom(p.Endpoint.Addr(), port)
		c.Peers = append(c.Peers, platform.PeerChange{PublicKey: p.PublicKey, Update: true, Set: platform.SetEndpoint,
			Endpoint: p.Endpoint, AllowedIPs: p.AllowedIPs})
	}
	return c
}

// TestMany sets, reads, updates and removes as many peers as a coordinator may
// have. It prints what it took, and judges only what came of it.
func TestMany(t *testing.T) {
	platformtest.Namespace(t)
	n := manyPeers(t)
	want := peers(n)
	tn := up(t, "wg0")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	took := func(what string, f func()) {
		start := time.Now()
		f()
		t.Logf("%s %d peers: %v", what, n, time.Since(start).Round(10*time.Microsecond))
	}
	took("add", func() { tn.converge(t, want) })
	var s platform.TunnelState
	for range 3 {
		took("read", func() {
			if err := tn.Observe(&s); err != nil {
				t.Fatal(err)
			}
		})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("memory of what was read: %d bytes a peer", (after.HeapAlloc-before.HeapAlloc)/uint64(n))
	tn.want(t, want)
	change := move(want, 51821)
	took("update", func() { tn.apply(t, *change) })
	tn.want(t, want)
	runtime.KeepAlive(&s)
	took("remove", func() { tn.converge(t, &platform.TunnelState{PrivateKey: want.PrivateKey}) })
	if left := tn.observe(t).Peers; len(left) != 0 {
		t.Errorf("%d peers are left", len(left))
	}
}

// TestAllocatesNothing: after the first time, an endpoint is set, 1,000 peers
// are updated, and 1,000 are read, without a single allocation.
func TestAllocatesNothing(t *testing.T) {
	platformtest.Namespace(t)
	want := peers(1000)
	tn := up(t, "wg0")
	tn.converge(t, want)
	one := &platform.TunnelChange{Peers: []platform.PeerChange{{PublicKey: want.Peers[500].PublicKey, Update: true, Set: platform.SetEndpoint}}}
	all := move(want, 51821)
	all.Set, all.PrivateKey = platform.SetPrivateKey, want.PrivateKey
	var port uint16
	var s platform.TunnelState
	for _, test := range []struct {
		name string
		runs int
		f    func() error
	}{
		{"setting an endpoint", 100, func() error {
			port++
			one.Peers[0].Endpoint = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), port)
			return tn.Apply(one)
		}},
		{"updating 1,000 peers", 5, func() error { return tn.Apply(all) }},
		{"reading 1,000 peers", 5, func() error { return tn.Observe(&s) }},
	} {
		allocations := testing.AllocsPerRun(test.runs, func() {
			if err := test.f(); err != nil {
				t.Fatal(err)
			}
		})
		if allocations != 0 {
			t.Errorf("%s allocates %v times", test.name, allocations)
		}
	}
	if len(s.Peers) != 1000 {
		t.Errorf("%d peers were read", len(s.Peers))
	}
}

// TestManyAllowedIPs: a gateway's list is longer than any message.
func TestManyAllowedIPs(t *testing.T) {
	platformtest.Namespace(t)
	tn := up(t, "wg0")
	want := platform.TunnelState{PrivateKey: private(1), ListenPort: 40001}
	for _, name := range []byte{1, 2, 3} {
		p := platform.Peer{PublicKey: key.PublicKey{name}}
		for i := range 2000 {
			p.AllowedIPs = append(p.AllowedIPs, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, name, byte(i >> 8), byte(i)}), 32))
		}
		want.Peers = append(want.Peers, p)
	}
	tn.converge(t, &want)
	tn.want(t, &want)
	for i := range want.Peers {
		want.Peers[i].AllowedIPs = want.Peers[i].AllowedIPs[500:]
	}
	tn.converge(t, &want)
	tn.want(t, &want)
}
