package network

import "net/netip"

// active tells whether p takes part: it was redeemed and is not disabled.
func (p *Peer) active() bool { return !p.Disabled && !p.IsInvited() }

// Sees tells whether peers at p and q see each other by the rules of ranges
// alone, whether or not there are active peers. It is symmetric; no address
// sees itself, or one outside the root.
func (b *Book) Sees(p, q netip.Addr) bool {
	i, j := b.cidrOf(p), b.cidrOf(q)
	switch {
	case i < 0 || j < 0 || p == q:
		return false
	case p == b.s.Coordinator || q == b.s.Coordinator:
		return true
	case i == j && !b.s.CIDRs[i].Isolated:
		return true
	}
	for _, as := range b.s.Associations {
		if as.A.Contains(p) && as.B.Contains(q) || as.A.Contains(q) && as.B.Contains(p) {
			return true
		}
	}
	return false
}

// VisibleRanges returns where a peer at p may see others, and, since sight is
// symmetric, where those are who may see it. The prefixes are masked, sorted,
// disjoint and as few as possible; they may contain p itself. It is nil
// outside the root. All addresses that belong to one CIDR see the same.
func (b *Book) VisibleRanges(p netip.Addr) []netip.Prefix {
	i := b.cidrOf(p)
	switch {
	case i < 0:
		return nil
	case p == b.s.Coordinator:
		return []netip.Prefix{b.Root()}
	}
	seen := []netip.Prefix{host(b.s.Coordinator)}
	if !b.s.CIDRs[i].Isolated {
		seen = append(seen, b.direct(i)...)
	}
	for _, as := range b.s.Associations {
		if as.A.Contains(p) {
			seen = append(seen, as.B)
		}
		if as.B.Contains(p) {
			seen = append(seen, as.A)
		}
	}
	return union(seen)
}

// View returns the peers that p may see within ranges that are masked, sorted
// and disjoint, as [Touched] returns them; nil means everywhere, an empty
// slice nowhere. The peers are sorted by address, p itself is not among them,
// nor are disabled and invited ones; only the coordinator sees invited ones
// too. A peer that is disabled, invited or unknown sees nobody. The slice is
// the caller's.
func (b *Book) View(p netip.Addr, within []netip.Prefix) []Peer {
	self, ok := b.Peer(p)
	if !ok || !self.active() {
		return nil
	}
	ranges := b.VisibleRanges(p)
	if within != nil {
		ranges = intersect(ranges, within)
	}
	most := 0
	for _, r := range ranges {
		most += len(b.peersIn(r))
	}
	view := make([]Peer, 0, most)
	for _, r := range ranges {
		for _, q := range b.peersIn(r) {
			if q.Address != p && (q.active() || q.IsInvited() && p == b.s.Coordinator) {
				view = append(view, q)
			}
		}
	}
	return view
}

// Touched returns what p must look at again after changes, in any order: the
// peers it may see there, and its own record if p is in them. The prefixes are
// masked, sorted, disjoint and as few as possible. It is never nil, so that it
// can be handed to [Book.View], where nil means everywhere.
func Touched(changes []Change, p netip.Addr) []netip.Prefix {
	touched := []netip.Prefix{}
	for _, c := range changes {
		for _, part := range c.Parts {
			if part.Audience.Contains(p) {
				touched = append(touched, part.Touched)
			}
		}
	}
	return union(touched)
}
