package network

import (
	"net/netip"
	"sort"
)

// unusable are the ranges that no network may overlap.
var unusable = []struct {
	prefix netip.Prefix
	what   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "the unspecified address and this host"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("255.255.255.255/32"), "broadcast"},
	{netip.MustParsePrefix("::/127"), "the unspecified address and loopback"},
	{netip.MustParsePrefix("::ffff:0.0.0.0/96"), "IPv4 addresses written as IPv6"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
}

// checkPrefix refuses what is not a range, and host bits, naming the range that
// was probably meant.
func checkPrefix(p netip.Prefix) error {
	switch {
	case !p.IsValid():
		return refuse(Invalid, "a range is missing: write it as address/length, such as 10.42.0.0/16")
	case p != p.Masked():
		return refuse(Invalid, "%v has bits set outside its length: did you mean %v?", p, p.Masked())
	}
	return nil
}

// CheckRoot tells whether p may be a network's root: two assignable addresses
// at least, the coordinator's and another (/31, /127), and none that
// means something else everywhere.
func CheckRoot(p netip.Prefix) error {
	if err := checkPrefix(p); err != nil {
		return err
	}
	for _, u := range unusable {
		if u.prefix.Overlaps(p) {
			return refuse(Invalid, "%v overlaps %v (%s): choose a private range, such as 10.42.0.0/16 or fd42::/48", p, u.prefix, u.what)
		}
	}
	if p.IsSingleIP() {
		return refuse(Invalid, "%v has room for the coordinator only: a network needs /%d or larger", p, p.Bits()-1)
	}
	return nil
}

// FirstAssignable returns the first address of p that a peer may have: the one
// after p's own, or, where p has two addresses at most, p's own. Of an invalid
// p it is the zero Addr.
func FirstAssignable(p netip.Prefix) netip.Addr {
	a := p.Masked().Addr()
	if a.IsValid() && !assignable(p.Masked(), a) {
		return a.Next()
	}
	return a
}

// assignable tells whether a, in the masked p, may be given to a peer. Its
// first address may not: in IPv4 it is the network's own, in IPv6 any
// router's (RFC 4291, section 2.6.1). Neither may IPv4's last, broadcast.
// Ranges of one or two addresses have nothing to spare (RFC 3021, RFC 6164).
func assignable(p netip.Prefix, a netip.Addr) bool {
	switch {
	case p.Bits() >= a.BitLen()-1:
		return true
	case a == p.Addr():
		return false
	}
	return a.Is6() || a != LastAddr(p)
}

// lowestFree returns the lowest assignable address that belongs to the i-th
// CIDR and is neither used nor retired; false: it is full.
func (b *Book) lowestFree(i int) (netip.Addr, bool) {
	for _, r := range b.direct(i) {
		peers, retired := b.peersIn(r), b.retiredIn(r)
		for a := r.Addr(); r.Contains(a); a = a.Next() { // past the last of all, Next is the zero Addr
			switch {
			case len(peers) > 0 && peers[0].Address == a:
				peers = peers[1:]
			case len(retired) > 0 && retired[0] == a:
				retired = retired[1:]
			case b.assignable(i, a):
				return a, true
			}
		}
	}
	return netip.Addr{}, false
}

// assignable tells whether a, which belongs to the i-th CIDR, may be given to a
// peer: the root's network and broadcast addresses are nobody's either.
func (b *Book) assignable(i int, a netip.Addr) bool {
	return assignable(b.s.CIDRs[i].Prefix, a) && assignable(b.Root(), a)
}

// checkFree tells why a, which belongs to the i-th CIDR, cannot be given to a
// new peer.
func (b *Book) checkFree(i int, a netip.Addr) error {
	if p, used := b.Peer(a); used {
		return refuse(Conflict, "%v is %s's: addresses are unique", a, p.Name)
	}
	if b.isRetired(a) {
		return refuse(Conflict, "%v is retired: it was a removed peer's: choose another, or free it first (`ginnel peer free-address %[1]v`)", a)
	}
	if !b.assignable(i, a) {
		return refuse(Invalid, "%v is the network's own or the broadcast address of %v or %v: take another", a, &b.s.CIDRs[i], b.Root())
	}
	return nil
}

// isRetired tells whether a was a removed peer's and has not been freed.
func (b *Book) isRetired(a netip.Addr) bool {
	_, retired := b.searchRetired(a)
	return retired
}

// searchRetired returns where a is among the retired, or belongs.
func (b *Book) searchRetired(a netip.Addr) (int, bool) {
	return sort.Find(len(b.s.Retired), func(i int) int { return a.Compare(b.s.Retired[i]) })
}

// retiredIn returns the retired addresses in p.
func (b *Book) retiredIn(p netip.Prefix) []netip.Addr {
	i, _ := b.searchRetired(p.Addr())
	rest := b.s.Retired[i:]
	return rest[:sort.Search(len(rest), func(j int) bool { return !p.Contains(rest[j]) })]
}
