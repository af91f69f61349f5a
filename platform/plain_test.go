package platform_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"ginnel/key"
	"ginnel/platform"
)

// applyPlainly is Apply said as plainly as possible: each change by itself, with
// a look at every peer.
func applyPlainly(s *platform.TunnelState, c *platform.TunnelChange) {
	without := func(k key.PublicKey) {
		s.Peers = slices.DeleteFunc(s.Peers, func(p platform.Peer) bool { return p.PublicKey == k })
	}
	if c.Set&platform.SetPrivateKey != 0 {
		s.PrivateKey = c.PrivateKey
		without(s.PrivateKey.Public())
	}
	if c.ReplacePeers {
		s.Peers = nil
	}
	for _, k := range c.Remove {
		without(k)
	}
	for _, p := range c.Peers {
		there := slices.ContainsFunc(s.Peers, func(o platform.Peer) bool { return o.PublicKey == p.PublicKey })
		if !there && (p.Update || p.PublicKey == s.PrivateKey.Public()) {
			continue
		}
		if !there {
			s.Peers = append(s.Peers, platform.Peer{PublicKey: p.PublicKey})
		}
		for i := range s.Peers {
			applyPlainlyTo(&s.Peers[i], &p)
		}
	}
	slices.SortFunc(s.Peers, func(a, b platform.Peer) int { return a.PublicKey.Compare(b.PublicKey) })
}

// applyPlainlyTo does to o, which may be the peer of c or another, what c does.
func applyPlainlyTo(o *platform.Peer, c *platform.PeerChange) {
	mine := o.PublicKey == c.PublicKey
	if mine && c.Set&platform.SetKeepalive != 0 {
		o.Keepalive = c.Keepalive
	}
	if mine && c.ReplaceAllowedIPs {
		o.AllowedIPs = nil
	}
	for _, a := range c.AllowedIPs {
		o.AllowedIPs = slices.DeleteFunc(slices.Clone(o.AllowedIPs), func(b netip.Prefix) bool { return a == b })
		if mine {
			o.AllowedIPs = append(o.AllowedIPs, a)
		}
	}
	slices.SortFunc(o.AllowedIPs, netip.Prefix.Compare)
}

// randomChange is of few peers and prefixes, so that they meet: peers twice in
// any order, prefixes that wander, the interface's own key.
func randomChange(r *rand.Rand, own key.PrivateKey) *platform.TunnelChange {
	who := func() key.PublicKey {
		if r.IntN(12) == 0 {
			return own.Public()
		}
		return key.PublicKey{byte(r.IntN(12)), 1}
	}
	c := &platform.TunnelChange{ReplacePeers: r.IntN(10) == 0}
	if r.IntN(10) == 0 {
		c.Set, c.PrivateKey = platform.SetPrivateKey, own
	}
	for range r.IntN(4) {
		c.Remove = append(c.Remove, who())
	}
	for range r.IntN(10) {
		p := platform.PeerChange{PublicKey: who(), Update: r.IntN(2) == 0, ReplaceAllowedIPs: r.IntN(3) == 0}
		if r.IntN(2) == 0 {
			p.Set, p.Keepalive = platform.SetKeepalive, uint16(r.IntN(100))
		}
		for range r.IntN(4) {
			p.AllowedIPs = append(p.AllowedIPs, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(9))}), 32))
		}
		c.Peers = append(c.Peers, p)
	}
	return c
}

func TestApplyAsPlainly(t *testing.T) {
	own := key.NewPrivate([key.Size]byte{9})
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		var got, want platform.TunnelState
		for step := range 50 {
			c := randomChange(r, own)
			got.Apply(c)
			applyPlainly(&want, c)
			if diff := unlike(&got, &want); diff != "" {
				t.Fatalf("seed %d, step %d: %s after %+v\ngot  %+v\nwant %+v", seed, step, diff, c, got.Peers, want.Peers)
			}
		}
	}
}
