package platformtest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"ginnel/platform"
)

// stateTests are about whole states and changes between them.
var stateTests = []tunnelTest{
	{"applying twice is harmless", testTwice},
	{"nothing is kept of a change", testKeepsNothing},
	{"random states converge", testConverge},
}

func testTwice(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	r := rand.New(rand.NewPCG(1, 1))
	var first, second platform.TunnelState
	for range 5 {
		want := RandomTunnel(r)
		var c platform.TunnelChange
		platform.DiffTunnel(&c, tn.observe(t), &want)
		tn.apply(t, c)
		first = *tn.observe(t)
		tn.apply(t, c)
		second = *tn.observe(t)
		wantState(t, &second, &first)
	}
}

func testKeepsNothing(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	ips := prefixes("10.0.0.1/32")
	c := platform.TunnelChange{Peers: []platform.PeerChange{{PublicKey: public(1), AllowedIPs: ips}}}
	tn.apply(t, c)
	ips[0] = netip.MustParsePrefix("10.0.0.99/32")
	c.Peers[0].PublicKey = public(2)
	wantPeers(t, tn.observe(t).Peers, platform.Peer{PublicKey: public(1), AllowedIPs: prefixes("10.0.0.1/32")})
}

// testConverge applies differences between random states: what is observed
// then is what was wanted, nothing is left to do, and the model of the change
// says the same as the tunnel.
func testConverge(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	const seed = 20
	r := rand.New(rand.NewPCG(seed, seed))
	model := *tn.observe(t)
	for i := range 40 {
		want := RandomTunnel(r)
		have := tn.observe(t)
		var c, rest platform.TunnelChange
		platform.DiffTunnel(&c, have, &want)
		tn.apply(t, c)
		model.Apply(&c)
		got := tn.observe(t)
		wantState(t, got, &model)
		if platform.DiffTunnel(&rest, got, &want); !rest.IsEmpty() {
			t.Errorf("still to do: %+v", rest)
		}
		if t.Failed() {
			t.Fatalf("seed %d, step %d", seed, i)
		}
	}
}

// wantState compares the configuration of two tunnels.
func wantState(t *testing.T, got, want *platform.TunnelState) {
	t.Helper()
	if !got.PrivateKey.Equal(want.PrivateKey) {
		t.Error("the private keys differ")
	}
	if got.ListenPort != want.ListenPort || got.FwMark != want.FwMark {
		t.Errorf("port %d, mark %#x; want %d, %#x", got.ListenPort, got.FwMark, want.ListenPort, want.FwMark)
	}
	wantPeers(t, got.Peers, want.Peers...)
}

// RandomTunnel draws a desired state: of few keys, prefixes and values, so
// that two draws have much in common. Some endpoints are zero (as it is).
func RandomTunnel(r *rand.Rand) platform.TunnelState {
	s := platform.TunnelState{PrivateKey: private(r.IntN(2)), ListenPort: uint16(40001 + r.IntN(3)), FwMark: uint32(r.IntN(3))}
	for i := range 12 {
		if r.IntN(3) == 0 {
			continue
		}
		p := platform.Peer{PublicKey: public(100 + i), Keepalive: uint16(r.IntN(2) * 25)}
		if r.IntN(3) > 0 {
			p.Endpoint = endpoint(fmt.Sprintf("192.0.2.%d:%d", 1+r.IntN(2), 1+r.IntN(2)))
		}
		s.Peers = append(s.Peers, p)
	}
	slices.SortFunc(s.Peers, func(a, b platform.Peer) int { return a.PublicKey.Compare(b.PublicKey) })
	shareOut(r, s.Peers)
	return s
}

// shareOut gives each prefix of a small pool to one of the peers, or to none.
func shareOut(r *rand.Rand, peers []platform.Peer) {
	for i := range 24 {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 32)
		if i%3 == 0 {
			p = netip.PrefixFrom(netip.AddrFrom16([16]byte{0: 0xfd, 7: byte(i)}), 64)
		}
		if n := r.IntN(len(peers) + 2); n < len(peers) {
			peers[n].AllowedIPs = append(peers[n].AllowedIPs, p)
		}
	}
	for i := range peers {
		slices.SortFunc(peers[i].AllowedIPs, netip.Prefix.Compare)
	}
}
