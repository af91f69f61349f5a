package core

import (
	"net/netip"
	"slices"
	"sort"

	"ginnel/platform"
	"ginnel/wire"
)

// vantage is where candidates are judged from.
type vantage struct {
	seen     netip.AddrPort // our endpoint as the coordinator sees it; zero: unknown
	port     uint16         // our listen port; 0: unknown
	underlay []platform.UnderlayAddress
	root     netip.Prefix
}

// order returns the endpoints worth trying, best first: those in first, then
// the written ones, which are those that somebody wrote down and which were
// looked up, then those in e. It drops duplicates and what cannot be right.
//
// Behind the same NAT as the member its own addresses come first, since few
// NATs send packets back where they came from; so what was written of this NAT's
// address comes behind them. Behind different ones private addresses lead astray,
// and come last.
func (v *vantage) order(first, written []netip.AddrPort, e wire.Endpoints) []netip.AddrPort {
	var list []netip.AddrPort
	add := func(from []netip.AddrPort, which func(netip.Addr) bool) {
		for _, ep := range from {
			ep = netip.AddrPortFrom(ep.Addr().Unmap(), ep.Port())
			if which(ep.Addr()) && v.usable(ep) && !slices.Contains(list, ep) {
				list = append(list, ep)
			}
		}
	}
	seen := []netip.AddrPort{e.Seen}
	add(first, anyAddr)
	add(written, func(a netip.Addr) bool { return !v.seen.IsValid() || a != v.seen.Addr().Unmap() })
	switch {
	case !v.seen.IsValid() || !e.Seen.IsValid():
		add(e.Candidates, v.attached)
		add(seen, anyAddr)
	case v.seen.Addr().Unmap() == e.Seen.Addr().Unmap():
		add(e.Candidates, v.attached)
		add(e.Candidates, anyAddr)
		add(seen, anyAddr)
	default:
		add(seen, anyAddr)
		add(e.Candidates, wire.IsPublic)
		add(e.Candidates, v.attached)
	}
	add(written, anyAddr)
	add(e.Candidates, anyAddr)
	return v.familiesFirst(list)
}

// familiesFirst moves endpoints of an address family we have no underlay
// address of behind the others.
func (v *vantage) familiesFirst(list []netip.AddrPort) []netip.AddrPort {
	has := func(is4 bool) bool {
		return slices.ContainsFunc(v.underlay, func(u platform.UnderlayAddress) bool { return u.Prefix.Addr().Is4() == is4 })
	}
	has4, has6 := has(true), has(false)
	if has4 == has6 {
		return list
	}
	sort.SliceStable(list, func(i, j int) bool {
		return list[i].Addr().Is4() == has4 && list[j].Addr().Is4() != has4
	})
	return list
}

// usable tells whether ep may be the underlay endpoint of somebody else.
func (v *vantage) usable(ep netip.AddrPort) bool {
	a := ep.Addr()
	if ep.Port() == 0 || !a.IsGlobalUnicast() || v.root.Contains(a) || ep == v.seen {
		return false
	}
	return ep.Port() != v.port || !slices.ContainsFunc(v.underlay, func(u platform.UnderlayAddress) bool { return u.Prefix.Addr() == a })
}

// attached tells whether a lies in a subnet one of our links is attached to.
func (v *vantage) attached(a netip.Addr) bool {
	return slices.ContainsFunc(v.underlay, func(u platform.UnderlayAddress) bool { return u.Prefix.Contains(a) })
}

func anyAddr(netip.Addr) bool { return true }

// ownCandidates are the endpoints to report of this machine, in the order of
// its underlay addresses.
func (v *vantage) ownCandidates(exclude []netip.Prefix) []netip.AddrPort {
	list := []netip.AddrPort{}
	for _, u := range v.underlay {
		a := u.Prefix.Addr().Unmap()
		excluded := slices.ContainsFunc(exclude, func(p netip.Prefix) bool { return p.Contains(a) })
		ep := netip.AddrPortFrom(a, v.port)
		if !a.IsGlobalUnicast() || v.root.Contains(a) || excluded || slices.Contains(list, ep) {
			continue
		}
		if list = append(list, ep); len(list) == wire.MaxCandidates {
			break
		}
	}
	return list
}
