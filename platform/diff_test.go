package platform_test

import (
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"ginnel/key"
	"ginnel/platform"
	"ginnel/platform/platformtest"
)

func TestDiffNet(t *testing.T) {
	a, b, c := netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("10.0.0.2/24"), netip.MustParsePrefix("fd00::/64")
	tests := []struct {
		name       string
		have, want platform.NetState
		change     platform.NetChange
	}{
		{"nothing to do", platform.NetState{Up: true, MTU: 1420}, platform.NetState{Up: true, MTU: 1420}, platform.NetChange{}},
		{"any MTU", platform.NetState{Up: true, MTU: 1420}, platform.NetState{Up: true}, platform.NetChange{}},
		{"up and MTU", platform.NetState{MTU: 1500}, platform.NetState{Up: true, MTU: 1420}, platform.NetChange{SetUp: true, SetMTU: 1420}},
		{"never down", platform.NetState{Up: true}, platform.NetState{}, platform.NetChange{}},
		{"addresses", platform.NetState{Addresses: []netip.Prefix{a, c}}, platform.NetState{Addresses: []netip.Prefix{b, c}},
			platform.NetChange{AddAddresses: []netip.Prefix{b}, RemoveAddresses: []netip.Prefix{a}}},
		{"renumbered", platform.NetState{Addresses: []netip.Prefix{a}, Routes: []netip.Prefix{c}}, platform.NetState{Addresses: []netip.Prefix{b}, Routes: []netip.Prefix{c}},
			platform.NetChange{AddAddresses: []netip.Prefix{b}, RemoveAddresses: []netip.Prefix{a}, AddRoutes: []netip.Prefix{c}}},
		{"routes", platform.NetState{Routes: []netip.Prefix{a}}, platform.NetState{Routes: []netip.Prefix{a, c}},
			platform.NetChange{AddRoutes: []netip.Prefix{c}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := platform.DiffNet(&test.have, &test.want)
			if !reflect.DeepEqual(got, test.change) {
				t.Errorf("change is %+v, want %+v", got, test.change)
			}
			if got.IsEmpty() != reflect.DeepEqual(test.change, platform.NetChange{}) {
				t.Errorf("IsEmpty is %v", got.IsEmpty())
			}
		})
	}
}

// TestDiffTunnelConverges checks that applying a difference gives the state
// that was wanted, and leaves no difference.
func TestDiffTunnelConverges(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		var have platform.TunnelState
		for step := range 30 {
			want := platformtest.RandomTunnel(r)
			before := clone(&have)
			var c, rest platform.TunnelChange
			platform.DiffTunnel(&c, &have, &want)
			have.Apply(&c)
			if diff := unlike(&have, inherit(&want, before)); diff != "" {
				t.Fatalf("seed %d, step %d: %s after the change\n%+v", seed, step, diff, c)
			}
			if platform.DiffTunnel(&rest, &have, &want); !rest.IsEmpty() {
				t.Fatalf("seed %d, step %d: still to do: %+v", seed, step, rest)
			}
		}
	}
}

// TestApplyTwice checks that a change applied again changes nothing.
func TestApplyTwice(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		have, want := platformtest.RandomTunnel(r), platformtest.RandomTunnel(r)
		var c platform.TunnelChange
		platform.DiffTunnel(&c, &have, &want)
		have.Apply(&c)
		once := clone(&have)
		have.Apply(&c)
		if diff := unlike(&have, once); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

// inherit returns want as it is reached from before: endpoints that are not
// wanted stay.
func inherit(want, before *platform.TunnelState) *platform.TunnelState {
	s := clone(want)
	for i := range s.Peers {
		p := &s.Peers[i]
		if p.Endpoint.IsValid() {
			continue
		}
		for _, old := range before.Peers {
			if old.PublicKey == p.PublicKey {
				p.Endpoint = old.Endpoint
			}
		}
	}
	return s
}

func clone(s *platform.TunnelState) *platform.TunnelState {
	c := *s
	c.Peers = slices.Clone(s.Peers)
	for i := range c.Peers {
		c.Peers[i].AllowedIPs = slices.Clone(s.Peers[i].AllowedIPs)
	}
	return &c
}

// unlike says how two states differ, or nothing.
func unlike(got, want *platform.TunnelState) string {
	switch {
	case !got.PrivateKey.Equal(want.PrivateKey):
		return "the private key differs"
	case got.ListenPort != want.ListenPort || got.FwMark != want.FwMark:
		return "port or mark differ"
	case len(got.Peers) != len(want.Peers):
		return "the number of peers differs"
	}
	for i, p := range got.Peers {
		w := want.Peers[i]
		if p.PublicKey != w.PublicKey || p.Endpoint != w.Endpoint || p.Keepalive != w.Keepalive || !slices.Equal(p.AllowedIPs, w.AllowedIPs) {
			return "peer " + p.PublicKey.String() + " differs"
		}
	}
	return ""
}

// TestDiffTunnelIsMinimal pins what must not be sent.
func TestDiffTunnelIsMinimal(t *testing.T) {
	k := key.PublicKey{1}
	one, two := netip.MustParsePrefix("10.0.0.1/32"), netip.MustParsePrefix("10.0.0.2/32")
	here, there := netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.2:2")
	have := platform.Peer{PublicKey: k, Endpoint: here, Keepalive: 25, AllowedIPs: []netip.Prefix{one}}
	tests := []struct {
		name string
		want platform.Peer
		diff []platform.PeerChange
	}{
		{"same", have, nil},
		{"endpoint as it is", platform.Peer{PublicKey: k, Keepalive: 25, AllowedIPs: have.AllowedIPs}, nil},
		{"endpoint", platform.Peer{PublicKey: k, Endpoint: there, Keepalive: 25, AllowedIPs: have.AllowedIPs},
			[]platform.PeerChange{{PublicKey: k, Update: true, Set: platform.SetEndpoint, Endpoint: there}}},
		{"keepalive off", platform.Peer{PublicKey: k, AllowedIPs: have.AllowedIPs},
			[]platform.PeerChange{{PublicKey: k, Update: true, Set: platform.SetKeepalive}}},
		{"only more allowed IPs", platform.Peer{PublicKey: k, Keepalive: 25, AllowedIPs: []netip.Prefix{one, two}},
			[]platform.PeerChange{{PublicKey: k, Update: true, AllowedIPs: []netip.Prefix{two}}}},
		{"other allowed IPs", platform.Peer{PublicKey: k, Keepalive: 25, AllowedIPs: []netip.Prefix{two}},
			[]platform.PeerChange{{PublicKey: k, Update: true, AllowedIPs: []netip.Prefix{two}, ReplaceAllowedIPs: true}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var c platform.TunnelChange
			platform.DiffTunnel(&c, &platform.TunnelState{Peers: []platform.Peer{have}}, &platform.TunnelState{Peers: []platform.Peer{test.want}})
			if !reflect.DeepEqual(c.Peers, test.diff) || len(c.Remove) != 0 || c.Set != 0 || c.ReplacePeers {
				t.Errorf("change is %+v, want peers %+v", c, test.diff)
			}
		})
	}
}

// BenchmarkDiffTunnel compares two equal states of a thousand peers, as every
// observation does.
func BenchmarkDiffTunnel(b *testing.B) {
	have, want := thousand(), thousand()
	var c platform.TunnelChange
	b.ReportAllocs()
	for b.Loop() {
		c = platform.TunnelChange{Remove: c.Remove[:0], Peers: c.Peers[:0]}
		platform.DiffTunnel(&c, have, want)
	}
}

// TestDiffTunnelAllocates nothing where nothing, or only an endpoint, changed.
func TestDiffTunnelAllocates(t *testing.T) {
	have, want := thousand(), thousand()
	want.Peers[500].Endpoint = netip.MustParseAddrPort("192.0.2.2:2")
	var c platform.TunnelChange
	platform.DiffTunnel(&c, have, want)
	n := testing.AllocsPerRun(10, func() {
		c = platform.TunnelChange{Remove: c.Remove[:0], Peers: c.Peers[:0]}
		platform.DiffTunnel(&c, have, want)
	})
	if n != 0 || len(c.Peers) != 1 {
		t.Errorf("%v allocations for %d changes, want none for one", n, len(c.Peers))
	}
}

func thousand() *platform.TunnelState { return manyPeers(1000) }

func manyPeers(n int) *platform.TunnelState {
	s := &platform.TunnelState{Peers: make([]platform.Peer, n)}
	for i := range s.Peers {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		s.Peers[i] = platform.Peer{PublicKey: key.PublicKey{byte(i >> 16), byte(i >> 8), byte(i)}, Endpoint: netip.AddrPortFrom(a, 1),
			Keepalive: 25, AllowedIPs: []netip.Prefix{netip.PrefixFrom(a, 32)}}
	}
	return s
}
