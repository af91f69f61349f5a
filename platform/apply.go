package platform

import (
	"net/netip"
	"slices"

	"ginnel/key"
)

// Apply does to s what c does to the interface that s describes, so that a
// model can be kept without reading the interface again. It follows WireGuard's
// rules: removals come first, an update of an absent peer does nothing, a
// prefix belongs to one peer only and moves to the last that names it, the
// interface's own key is no peer, an IPv4-mapped endpoint is an IPv4 one, and a
// zero one does nothing. It keeps nothing of c.
//
// A ListenPort of 0 asks for any port: s then says 0, until it is observed.
func (s *TunnelState) Apply(c *TunnelChange) {
	s.applyDevice(c)
	if c.ReplacePeers {
		s.Peers = s.Peers[:0]
	}
	for _, k := range c.Remove {
		if i, ok := s.find(k); ok {
			s.Peers = slices.Delete(s.Peers, i, i+1)
		}
	}
	var own key.PublicKey // made when it is needed: it costs a multiplication
	for i := range c.Peers {
		p := &c.Peers[i]
		j, ok := s.find(p.PublicKey)
		if !ok {
			if p.Update {
				continue
			}
			if own.IsZero() {
				own = s.PrivateKey.Public()
			}
			if p.PublicKey == own {
				continue
			}
			s.Peers = slices.Insert(s.Peers, j, Peer{PublicKey: p.PublicKey})
		}
		s.applyPeer(j, p)
	}
}

func (s *TunnelState) applyDevice(c *TunnelChange) {
	if c.Set&SetPrivateKey != 0 {
		s.PrivateKey = c.PrivateKey
		if i, ok := s.find(s.PrivateKey.Public()); ok {
			s.Peers = slices.Delete(s.Peers, i, i+1)
		}
	}
	if c.Set&SetListenPort != 0 {
		s.ListenPort = c.ListenPort
	}
	if c.Set&SetFwMark != 0 {
		s.FwMark = c.FwMark
	}
}

func (s *TunnelState) applyPeer(i int, c *PeerChange) {
	p := &s.Peers[i]
	if c.Set&SetEndpoint != 0 && c.Endpoint.IsValid() {
		p.Endpoint = netip.AddrPortFrom(c.Endpoint.Addr().Unmap(), c.Endpoint.Port())
	}
	if c.Set&SetKeepalive != 0 {
		p.Keepalive = c.Keepalive
	}
	if c.ReplaceAllowedIPs {
		p.AllowedIPs = p.AllowedIPs[:0]
	}
	for _, a := range c.AllowedIPs {
		s.allow(i, a.Masked())
	}
}

// allow gives prefix a to the peer at i, and takes it from any other.
func (s *TunnelState) allow(i int, a netip.Prefix) {
	for j := range s.Peers {
		ips := s.Peers[j].AllowedIPs
		at, ok := slices.BinarySearchFunc(ips, a, netip.Prefix.Compare)
		switch {
		case j == i && !ok:
			s.Peers[j].AllowedIPs = slices.Insert(ips, at, a)
		case j != i && ok:
			s.Peers[j].AllowedIPs = slices.Delete(ips, at, at+1)
		}
	}
}

// find returns where the peer called k is, or belongs.
func (s *TunnelState) find(k key.PublicKey) (int, bool) {
	return slices.BinarySearchFunc(s.Peers, k, func(p Peer, k key.PublicKey) int { return p.PublicKey.Compare(k) })
}
