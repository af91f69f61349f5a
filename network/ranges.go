package network

import (
	"net/netip"
	"sort"
)

// Sets of addresses are slices of masked prefixes: sorted, disjoint, and
// aggregated, that is, no two of them are the halves of a bigger one. So equal
// sets are equal slices.

// host returns the range of one address.
func host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// covers tells whether all of q lies in p. Prefixes are nested or disjoint, so
// two overlap only if one covers the other.
func covers(p, q netip.Prefix) bool { return p.Bits() <= q.Bits() && p.Contains(q.Addr()) }

// LastAddr returns the highest address of p, which is masked.
func LastAddr(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// halves splits p, which must be larger than one address.
func halves(p netip.Prefix) (lo, hi netip.Prefix) {
	b := p.Addr().AsSlice()
	b[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
	a, _ := netip.AddrFromSlice(b)
	return netip.PrefixFrom(p.Addr(), p.Bits()+1), netip.PrefixFrom(a, p.Bits()+1)
}

// union makes a set of masked prefixes in any order. It reuses their memory.
func union(ps []netip.Prefix) []netip.Prefix {
	sort.Slice(ps, func(i, j int) bool { return ps[i].Compare(ps[j]) < 0 })
	set := ps[:0]
	for _, p := range ps {
		if n := len(set); n > 0 && covers(set[n-1], p) {
			continue
		}
		set = append(set, p)
		for len(set) > 1 && joinLast(set) {
			set = set[:len(set)-1]
		}
	}
	return set
}

// joinLast puts, if the last two of the set are halves of a bigger one, that
// one in the place of the first of them.
func joinLast(set []netip.Prefix) bool {
	a, b := set[len(set)-2], set[len(set)-1]
	if a.Bits() != b.Bits() {
		return false
	}
	whole := netip.PrefixFrom(a.Addr(), a.Bits()-1).Masked()
	if !whole.Contains(b.Addr()) {
		return false
	}
	set[len(set)-2] = whole
	return true
}

// locate returns the members of set that lie in p, or tells that one of them
// covers p.
func locate(set []netip.Prefix, p netip.Prefix) (inside []netip.Prefix, covered bool) {
	i, found := sort.Find(len(set), func(i int) int { return p.Compare(set[i]) })
	if found || i > 0 && covers(set[i-1], p) {
		return nil, true
	}
	rest := set[i:]
	return rest[:sort.Search(len(rest), func(j int) bool { return !p.Contains(rest[j].Addr()) })], false
}

// subtract returns the set of what is in a and not in b.
func subtract(a, b []netip.Prefix) []netip.Prefix {
	var set []netip.Prefix
	for _, p := range a {
		set = appendOutside(set, p, b)
	}
	return set
}

func appendOutside(set []netip.Prefix, p netip.Prefix, b []netip.Prefix) []netip.Prefix {
	inside, covered := locate(b, p)
	switch {
	case covered:
		return set
	case len(inside) == 0:
		return append(set, p)
	}
	lo, hi := halves(p)
	return appendOutside(appendOutside(set, lo, inside), hi, inside)
}

// intersect returns the set of what is in both a and b.
func intersect(a, b []netip.Prefix) []netip.Prefix {
	var set []netip.Prefix
	for _, p := range a {
		inside, covered := locate(b, p)
		if covered {
			set = append(set, p)
		}
		set = append(set, inside...)
	}
	return set
}
