package platformtest

import (
	"net/netip"
	"testing"

	"ginnel/key"
	"ginnel/platform"
)

// peerTests are about peers.
var peerTests = []tunnelTest{
	{"add, update, remove", testPeers},
	{"endpoints and keepalive", testEndpoints},
	{"fields not named stay", testPeerUntouched},
	{"update of an absent peer", testUpdateAbsent},
	{"remove and add in one change", testRemoveAndAdd},
	{"replace peers", testReplacePeers},
	{"allowed IPs are added and replaced", testAllowedIPs},
	{"allowed IPs are masked", testMasked},
	{"allowed IPs move", testMove},
	{"a thousand peers", testMany},
}

func testPeers(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	one := platform.Peer{PublicKey: public(1), AllowedIPs: prefixes("10.0.0.1/32", "fd00::1/128")}
	two := platform.Peer{PublicKey: public(2), AllowedIPs: prefixes("10.0.0.2/32"), Keepalive: 25}
	wantPeers(t, tn.setPeers(t, add(one), add(two)), one, two)
	two.Keepalive = 30
	wantPeers(t, tn.setPeers(t, platform.PeerChange{PublicKey: public(2), Update: true, Set: platform.SetKeepalive, Keepalive: 30}), one, two)
	remove := platform.TunnelChange{Remove: []key.PublicKey{public(1), public(9)}}
	tn.apply(t, remove)
	wantPeers(t, tn.observe(t).Peers, two)
	tn.apply(t, remove)
	wantPeers(t, tn.observe(t).Peers, two)
}

// add returns the change that makes p.
func add(p platform.Peer) platform.PeerChange {
	c := platform.PeerChange{PublicKey: p.PublicKey, Set: platform.SetKeepalive, Keepalive: p.Keepalive,
		AllowedIPs: p.AllowedIPs, ReplaceAllowedIPs: true}
	if p.Endpoint.IsValid() {
		c.Set |= platform.SetEndpoint
		c.Endpoint = p.Endpoint
	}
	return c
}

func testEndpoints(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	p := platform.Peer{PublicKey: public(1)}
	for _, e := range []string{"192.0.2.1:51820", "[2001:db8::1]:1", "[fe80::1%lo]:2", "198.51.100.255:65535"} {
		for _, p.Keepalive = range []uint16{0, 1, 65535, 0} {
			p.Endpoint = endpoint(e)
			wantPeers(t, tn.setPeers(t, add(p)), p)
		}
	}
	mapped := netip.MustParseAddrPort("[::ffff:192.0.2.7]:7")
	p.Endpoint = endpoint("192.0.2.7:7")
	change := platform.PeerChange{PublicKey: public(1), Update: true, Set: platform.SetEndpoint, Endpoint: mapped}
	wantPeers(t, tn.setPeers(t, change), p)
	change.Endpoint = netip.AddrPort{} // cannot be taken away
	wantPeers(t, tn.setPeers(t, change), p)
}

func testPeerUntouched(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	p := platform.Peer{PublicKey: public(1), Endpoint: endpoint("192.0.2.1:1"), Keepalive: 25, AllowedIPs: prefixes("10.0.0.1/32")}
	tn.setPeers(t, add(p))
	change := platform.PeerChange{PublicKey: public(1), Endpoint: endpoint("192.0.2.2:2"), Keepalive: 99}
	for _, change.Update = range []bool{true, false} {
		wantPeers(t, tn.setPeers(t, change), p)
	}
}

func testUpdateAbsent(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	there := platform.Peer{PublicKey: public(1), AllowedIPs: prefixes("10.0.0.1/32")}
	absent := add(platform.Peer{PublicKey: public(2), Endpoint: endpoint("192.0.2.2:2"), Keepalive: 25, AllowedIPs: prefixes("10.0.0.1/32")})
	absent.Update = true
	wantPeers(t, tn.setPeers(t, add(there), absent), there)
}

func testRemoveAndAdd(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	tn.setPeers(t, add(platform.Peer{PublicKey: public(1), Endpoint: endpoint("192.0.2.1:1"), Keepalive: 25, AllowedIPs: prefixes("10.0.0.1/32")}))
	tn.apply(t, platform.TunnelChange{Remove: []key.PublicKey{public(1)}, Peers: []platform.PeerChange{{PublicKey: public(1)}}})
	wantPeers(t, tn.observe(t).Peers, platform.Peer{PublicKey: public(1)})
}

func testReplacePeers(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	one := platform.Peer{PublicKey: public(1), Keepalive: 25, AllowedIPs: prefixes("10.0.0.1/32")}
	two := platform.Peer{PublicKey: public(2), AllowedIPs: prefixes("10.0.0.2/32")}
	tn.setPeers(t, add(one), add(two))
	tn.apply(t, platform.TunnelChange{ReplacePeers: true, Peers: []platform.PeerChange{{PublicKey: public(1)}}})
	wantPeers(t, tn.observe(t).Peers, platform.Peer{PublicKey: public(1)})
	tn.apply(t, platform.TunnelChange{ReplacePeers: true})
	wantPeers(t, tn.observe(t).Peers)
}

func testAllowedIPs(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	p := platform.Peer{PublicKey: public(1), AllowedIPs: prefixes("10.0.0.0/24", "10.0.0.1/32", "fd00::/64", "fd00::1/128")}
	change := platform.PeerChange{PublicKey: public(1), AllowedIPs: prefixes("fd00::1/128", "10.0.0.1/32", "10.0.0.0/24")}
	tn.setPeers(t, change)
	change.AllowedIPs = prefixes("fd00::/64", "10.0.0.1/32")
	wantPeers(t, tn.setPeers(t, change), p)
	change.ReplaceAllowedIPs = true
	change.AllowedIPs = prefixes("0.0.0.0/0", "::/0")
	p.AllowedIPs = change.AllowedIPs
	wantPeers(t, tn.setPeers(t, change), p)
	change.AllowedIPs, p.AllowedIPs = nil, nil
	wantPeers(t, tn.setPeers(t, change), p)
}

func testMasked(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	got := tn.setPeers(t, platform.PeerChange{PublicKey: public(1), AllowedIPs: prefixes("10.9.9.9/24", "fd00::9/64")})
	wantPeers(t, got, platform.Peer{PublicKey: public(1), AllowedIPs: prefixes("10.9.9.0/24", "fd00::/64")})
}

func testMove(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	one := platform.Peer{PublicKey: public(1), AllowedIPs: prefixes("10.0.0.1/32", "10.0.0.2/32")}
	two := platform.Peer{PublicKey: public(2)}
	tn.setPeers(t, add(one), add(two))
	one.AllowedIPs, two.AllowedIPs = prefixes("10.0.0.1/32"), prefixes("10.0.0.2/32")
	moved := platform.PeerChange{PublicKey: public(2), Update: true, AllowedIPs: two.AllowedIPs}
	wantPeers(t, tn.setPeers(t, moved), one, two)
}

// testMany also checks that Observe fits a shrinking state in a grown memory.
func testMany(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	peers := make([]platform.Peer, 1000)
	var c platform.TunnelChange
	for i := range peers {
		a := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		peers[i] = platform.Peer{PublicKey: public(i), Endpoint: netip.AddrPortFrom(a, 1), AllowedIPs: []netip.Prefix{netip.PrefixFrom(a, 32)}}
		c.Peers = append(c.Peers, add(peers[i]))
	}
	tn.apply(t, c)
	s := tn.observe(t)
	wantPeers(t, s.Peers, peers...)
	c = platform.TunnelChange{}
	for i := range s.Peers[:999] {
		c.Remove = append(c.Remove, s.Peers[i].PublicKey)
	}
	last := s.Peers[999]
	tn.apply(t, c)
	if err := tn.Observe(s); err != nil {
		t.Fatalf("observe: %v", err)
	}
	wantPeers(t, s.Peers, last)
}
