package platform

import (
	"net/netip"
	"slices"
	"sort"

	"ginnel/key"
)

// Apply does to s what c does to the interface that s describes, so that a
// model can be kept without reading the interface again. It follows WireGuard's
// rules: removals come first, an update of an absent peer does nothing, a
// prefix belongs to one peer only and moves to the last that names it, the
// interface's own key is no peer, an IPv4-mapped endpoint is an IPv4 one, and a
// zero one does nothing. It keeps nothing of c.
//
// It costs one walk over s, and O(n log n) of the n peers that c names.
//
// A ListenPort of 0 asks for any port: s then says 0, until it is observed.
func (s *TunnelState) Apply(c *TunnelChange) {
	s.applyDevice(c)
	if c.ReplacePeers {
		s.Peers = s.Peers[:0]
	}
	s.remove(c.Remove)
	added := s.insert(c.Peers)
	owners := s.owners(c.Peers)
	for i := range c.Peers {
		p := &c.Peers[i]
		j, ok := s.find(p.PublicKey)
		if !ok || i < added[p.PublicKey] {
			continue // an update of a peer that is not there, or not yet
		}
		s.applyPeer(j, p, owners)
	}
}

// remove takes peers out, those that are there.
func (s *TunnelState) remove(keys []key.PublicKey) {
	if len(keys) == 0 {
		return
	}
	keys = sorted(slices.Clone(keys))
	s.Peers = slices.DeleteFunc(s.Peers, func(p Peer) bool {
		_, gone := sort.Find(len(keys), func(i int) int { return p.PublicKey.Compare(keys[i]) })
		return gone
	})
}

// insert puts peers that know nothing where changes add some. It returns of
// each the index of the change that does.
func (s *TunnelState) insert(changes []PeerChange) (added map[key.PublicKey]int) {
	var keys []key.PublicKey
	var own key.PublicKey // made when it is needed: it costs a multiplication
	for i := range changes {
		k := changes[i].PublicKey
		_, there := s.find(k)
		_, again := added[k]
		if there || again || changes[i].Update {
			continue
		}
		if added == nil {
			own, added = s.PrivateKey.Public(), make(map[key.PublicKey]int, len(changes)-i)
		}
		if k != own {
			added[k], keys = i, append(keys, k)
		}
	}
	s.merge(sorted(keys))
	return added
}

func sorted(keys []key.PublicKey) []key.PublicKey {
	sort.Slice(keys, func(i, j int) bool { return keys[i].Compare(keys[j]) < 0 })
	return keys
}

// merge puts peers with sorted new keys among the others, from behind, so that
// each moves once at most.
func (s *TunnelState) merge(keys []key.PublicKey) {
	i := len(s.Peers) - 1
	s.Peers = append(s.Peers, make([]Peer, len(keys))...)
	for to := len(s.Peers) - 1; len(keys) > 0; to-- {
		last := keys[len(keys)-1]
		if i >= 0 && s.Peers[i].PublicKey.Compare(last) > 0 {
			s.Peers[to] = s.Peers[i]
			i--
			continue
		}
		s.Peers[to] = Peer{PublicKey: last}
		keys = keys[:len(keys)-1]
	}
}

// owners returns which peer has each of the prefixes that changes name, by its
// index; -1: none has.
func (s *TunnelState) owners(changes []PeerChange) map[netip.Prefix]int {
	owners := map[netip.Prefix]int{}
	for i := range changes {
		for _, a := range changes[i].AllowedIPs {
			owners[a.Masked()] = -1
		}
	}
	if len(owners) == 0 {
		return owners
	}
	for i := range s.Peers {
		for _, a := range s.Peers[i].AllowedIPs {
			if _, named := owners[a]; named {
				owners[a] = i
			}
		}
	}
	return owners
}

func (s *TunnelState) applyDevice(c *TunnelChange) {
	if c.Set&SetPrivateKey != 0 {
		s.PrivateKey = c.PrivateKey
		s.remove([]key.PublicKey{s.PrivateKey.Public()})
	}
	if c.Set&SetListenPort != 0 {
		s.ListenPort = c.ListenPort
	}
	if c.Set&SetFwMark != 0 {
		s.FwMark = c.FwMark
	}
}

func (s *TunnelState) applyPeer(i int, c *PeerChange, owners map[netip.Prefix]int) {
	p := &s.Peers[i]
	if c.Set&SetEndpoint != 0 && c.Endpoint.IsValid() {
		p.Endpoint = netip.AddrPortFrom(c.Endpoint.Addr().Unmap(), c.Endpoint.Port())
	}
	if c.Set&SetKeepalive != 0 {
		p.Keepalive = c.Keepalive
	}
	if c.ReplaceAllowedIPs {
		for _, a := range p.AllowedIPs {
			if _, named := owners[a]; named {
				owners[a] = -1
			}
		}
		p.AllowedIPs = p.AllowedIPs[:0]
	}
	for _, a := range c.AllowedIPs {
		s.allow(i, a.Masked(), owners)
	}
}

// allow gives prefix a to the peer at i, and takes it from any other.
func (s *TunnelState) allow(i int, a netip.Prefix, owners map[netip.Prefix]int) {
	had := owners[a]
	if had == i {
		return
	}
	if had >= 0 {
		ips := s.Peers[had].AllowedIPs
		at := place(ips, a)
		s.Peers[had].AllowedIPs = append(ips[:at], ips[at+1:]...)
	}
	ips := s.Peers[i].AllowedIPs
	at := place(ips, a)
	ips = append(ips, a)
	copy(ips[at+1:], ips[at:])
	ips[at] = a
	s.Peers[i].AllowedIPs = ips
	owners[a] = i
}

// place returns where in a sorted list a is, or belongs.
func place(ips []netip.Prefix, a netip.Prefix) int {
	return sort.Search(len(ips), func(i int) bool { return ips[i].Compare(a) >= 0 })
}

// find returns where the peer called k is, or belongs.
func (s *TunnelState) find(k key.PublicKey) (int, bool) {
	return sort.Find(len(s.Peers), func(i int) int { return k.Compare(s.Peers[i].PublicKey) })
}
