package main

import (
	"net/netip"
	"slices"

	"ginnel/network"
	"ginnel/wire"
)

// freePrefix suggests the range of a new CIDR below the root.
func freePrefix(a *asking) (string, error) {
	var peers []wire.Peer
	cidrs, err := a.cidrs()
	if err != nil {
		return "", err
	}
	if err := a.get(wire.PathPeers, &peers); err != nil {
		return "", err
	}
	p, ok := suggestPrefix(cidrs, peers)
	if !ok {
		return "", nil
	}
	return p.String(), nil
}

// suggestPrefix returns the lowest range below the root that has neither CIDRs
// nor peers, of the size that the root's last CIDR has; false: there is none.
// The first CIDR of a network gets a 256th of it, at least 4 addresses.
func suggestPrefix(cidrs []wire.CIDR, peers []wire.Peer) (netip.Prefix, bool) {
	root := cidrs[slices.IndexFunc(cidrs, func(c wire.CIDR) bool { return c.Parent == "" })]
	bits := min(root.Prefix.Bits()+8, root.Prefix.Addr().BitLen()-2)
	if root.Prefix.Addr().Is6() && root.Prefix.Bits() < 64 {
		bits = 64 // as every subnet is (RFC 4291, section 2.5.4)
	}
	var taken []netip.Prefix
	for _, c := range cidrs {
		if c.Parent != root.Name {
			continue
		}
		taken = append(taken, c.Prefix)
		if c.Name != network.InfraName {
			bits = c.Prefix.Bits()
		}
	}
	for _, p := range peers {
		taken = append(taken, netip.PrefixFrom(p.Address, p.Address.BitLen()))
	}
	return lowestOutside(root.Prefix, bits, taken)
}

// lowestOutside returns the lowest range with so many bits inside root that
// overlaps none of taken. It tries as many as may be in the way.
func lowestOutside(root netip.Prefix, bits int, taken []netip.Prefix) (netip.Prefix, bool) {
	for p := netip.PrefixFrom(root.Addr(), bits); p.Addr().IsValid() && root.Contains(p.Addr()); p = after(p) {
		clash := slices.IndexFunc(taken, p.Overlaps)
		if clash < 0 {
			return p, bits > root.Bits()
		}
		if t := taken[clash]; t.Bits() < bits { // nothing is free before its end
			p = netip.PrefixFrom(network.LastAddr(t), bits).Masked()
		}
	}
	return netip.Prefix{}, false
}

// after returns the next range of p's size; past the last of all its address is
// the zero Addr.
func after(p netip.Prefix) netip.Prefix {
	return netip.PrefixFrom(network.LastAddr(p).Next(), p.Bits())
}
