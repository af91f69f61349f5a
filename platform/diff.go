package platform

import (
	"net/netip"
	"slices"
)

// Reset returns what leaves an interface that is not ours as if it were new:
// without key, port, mark and peers.
func Reset() TunnelChange {
	return TunnelChange{Set: SetPrivateKey | SetListenPort | SetFwMark, ReplacePeers: true}
}

// DiffNet returns what makes have equal to want. Where addresses go, all routes
// are added: with its last IPv4 address, though another comes, a link loses its
// IPv4 routes.
func DiffNet(have, want *NetState) NetChange {
	c := NetChange{SetUp: want.Up && !have.Up}
	if want.MTU != 0 && have.MTU != want.MTU {
		c.SetMTU = want.MTU
	}
	c.AddAddresses, c.RemoveAddresses = diffPrefixes(have.Addresses, want.Addresses)
	c.AddRoutes, c.RemoveRoutes = diffPrefixes(have.Routes, want.Routes)
	if len(c.RemoveAddresses) > 0 {
		c.AddRoutes = slices.Clone(want.Routes)
	}
	return c
}

// diffPrefixes returns what is only in want and what is only in have.
func diffPrefixes(have, want []netip.Prefix) (add, remove []netip.Prefix) {
	for _, p := range want {
		if !slices.Contains(have, p) {
			add = append(add, p)
		}
	}
	for _, p := range have {
		if !slices.Contains(want, p) {
			remove = append(remove, p)
		}
	}
	return add, remove
}

// DiffTunnel appends to dst, which is usually empty and reused, what makes
// have equal to want. Both lists of peers are sorted by public key. An
// endpoint is set where want names one that differs: the caller decides which
// endpoints it wants and leaves the others zero.
func DiffTunnel(dst *TunnelChange, have, want *TunnelState) {
	if !have.PrivateKey.Equal(want.PrivateKey) {
		dst.Set |= SetPrivateKey
		dst.PrivateKey = want.PrivateKey
	}
	if want.ListenPort != 0 && have.ListenPort != want.ListenPort {
		dst.Set |= SetListenPort
		dst.ListenPort = want.ListenPort
	}
	if have.FwMark != want.FwMark {
		dst.Set |= SetFwMark
		dst.FwMark = want.FwMark
	}
	h, w := have.Peers, want.Peers
	for len(h) > 0 || len(w) > 0 {
		switch {
		case len(w) == 0 || len(h) > 0 && h[0].PublicKey.Compare(w[0].PublicKey) < 0:
			dst.Remove = append(dst.Remove, h[0].PublicKey)
			h = h[1:]
		case len(h) == 0 || h[0].PublicKey != w[0].PublicKey:
			dst.Peers = append(dst.Peers, addPeer(&w[0]))
			w = w[1:]
		default:
			if c, changed := updatePeer(&h[0], &w[0]); changed {
				dst.Peers = append(dst.Peers, c)
			}
			h, w = h[1:], w[1:]
		}
	}
}

func addPeer(want *Peer) PeerChange {
	c := PeerChange{PublicKey: want.PublicKey, Set: SetKeepalive, Keepalive: want.Keepalive,
		AllowedIPs: want.AllowedIPs, ReplaceAllowedIPs: true}
	if want.Endpoint.IsValid() {
		c.Set |= SetEndpoint
		c.Endpoint = want.Endpoint
	}
	return c
}

// updatePeer only adds allowed IPs where nothing has to go: replacing them
// leaves a moment without any.
func updatePeer(have, want *Peer) (c PeerChange, changed bool) {
	c = PeerChange{PublicKey: want.PublicKey, Update: true}
	if want.Endpoint.IsValid() && have.Endpoint != want.Endpoint {
		c.Set |= SetEndpoint
		c.Endpoint = want.Endpoint
	}
	if have.Keepalive != want.Keepalive {
		c.Set |= SetKeepalive
		c.Keepalive = want.Keepalive
	}
	if !slices.Equal(have.AllowedIPs, want.AllowedIPs) {
		add, remove := diffPrefixes(have.AllowedIPs, want.AllowedIPs)
		c.AllowedIPs, c.ReplaceAllowedIPs = add, len(remove) > 0
		if c.ReplaceAllowedIPs {
			c.AllowedIPs = want.AllowedIPs
		}
	}
	return c, c.Set != 0 || len(c.AllowedIPs) > 0 || c.ReplaceAllowedIPs
}
