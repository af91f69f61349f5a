package platform_test

import (
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"ginnel/key"
	"ginnel/platform"
)

// TestApplyForgets checks what an observation said of a peer that was removed,
// or replaced, and added again.
func TestApplyForgets(t *testing.T) {
	k := key.PublicKey{1}
	for name, c := range map[string]platform.TunnelChange{
		"removed":  {Remove: []key.PublicKey{k}, Peers: []platform.PeerChange{{PublicKey: k}}},
		"replaced": {ReplacePeers: true, Peers: []platform.PeerChange{{PublicKey: k}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := platform.TunnelState{Peers: []platform.Peer{{PublicKey: k, LastHandshake: time.Unix(1, 0), Rx: 1, Tx: 1}}}
			s.Apply(&c)
			if len(s.Peers) != 1 || !s.Peers[0].LastHandshake.IsZero() || s.Peers[0].Rx+s.Peers[0].Tx != 0 {
				t.Errorf("peers are %+v, want one that knows nothing", s.Peers)
			}
		})
	}
}

// TestApplyKeepsObserved checks that an update leaves alone what was observed.
func TestApplyKeepsObserved(t *testing.T) {
	k := key.PublicKey{1}
	s := platform.TunnelState{Backend: platform.Kernel, Peers: []platform.Peer{{PublicKey: k, LastHandshake: time.Unix(1, 0), Rx: 2, Tx: 3}}}
	s.Apply(&platform.TunnelChange{Peers: []platform.PeerChange{{PublicKey: k, Update: true, Set: platform.SetKeepalive, Keepalive: 5}}})
	p := s.Peers[0]
	if s.Backend != platform.Kernel || p.LastHandshake != time.Unix(1, 0) || p.Rx != 2 || p.Tx != 3 || p.Keepalive != 5 {
		t.Errorf("peer is %+v", p)
	}
}

// TestApplyOwnsMemory checks that no two peers, and not the change, share
// memory with the state.
func TestApplyOwnsMemory(t *testing.T) {
	ips := make([]netip.Prefix, 0, 8)
	for _, s := range []string{"10.0.0.1/32", "10.0.0.2/32", "10.0.0.3/32"} {
		ips = append(ips, netip.MustParsePrefix(s))
	}
	var s platform.TunnelState
	s.Apply(&platform.TunnelChange{Peers: []platform.PeerChange{
		{PublicKey: key.PublicKey{2}, AllowedIPs: ips[:1]}, {PublicKey: key.PublicKey{1}, AllowedIPs: ips[1:2]}}})
	s.Apply(&platform.TunnelChange{Peers: []platform.PeerChange{{PublicKey: key.PublicKey{2}, AllowedIPs: ips[2:]}}})
	want := [][]netip.Prefix{slices.Clone(ips[1:2]), {ips[0], ips[2]}}
	clear(ips)
	for i, p := range s.Peers {
		if !slices.Equal(p.AllowedIPs, want[i]) {
			t.Errorf("peer %d has %v, want %v", i, p.AllowedIPs, want[i])
		}
	}
}

func TestCheckLinkName(t *testing.T) {
	for _, name := range []string{"a", "wg0", "fifteen-letters", "Ä.b_c"} {
		if err := platform.CheckLinkName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", "sixteen-letters-", ".", "..", "a/b", "a:b", "wg%d", "a b", "a\tb", "a\x7f"} {
		if platform.CheckLinkName(name) == nil {
			t.Errorf("%q was taken for a name", name)
		}
	}
}

// BenchmarkApply adds peers to a model that has none: ten times as many take
// about ten times as long.
func BenchmarkApply(b *testing.B) {
	for _, n := range []int{1000, 10000, 100000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			var c platform.TunnelChange
			platform.DiffTunnel(&c, &platform.TunnelState{}, manyPeers(n))
			b.ReportAllocs()
			for b.Loop() {
				var s platform.TunnelState
				s.Apply(&c)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/peer")
		})
	}
}
