package network_test

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"ginnel/key"
	"ginnel/network"
)

// model is a book that does everything the slow and obvious way: it looks at
// each record and each address, and knows nothing of ranges.
type model struct {
	root    netip.Prefix
	hub     netip.Addr
	cidrs   map[netip.Prefix]network.CIDR
	peers   map[netip.Addr]network.Peer
	joined  map[[2]netip.Prefix]bool // both orders
	retired map[netip.Addr]bool

	endpoints []string
}

func newModel(b *network.Book) *model {
	m := &model{root: b.Root(), hub: b.Coordinator().Address,
		cidrs: map[netip.Prefix]network.CIDR{}, peers: map[netip.Addr]network.Peer{},
		joined: map[[2]netip.Prefix]bool{}, retired: map[netip.Addr]bool{}}
	for _, c := range b.CIDRs() {
		m.cidrs[c.Prefix] = c
	}
	for _, p := range b.Peers() {
		m.peers[p.Address] = p
	}
	return m
}

func (m *model) clone() *model {
	c := *m
	c.cidrs, c.peers, c.joined, c.retired = maps.Clone(m.cidrs), maps.Clone(m.peers), maps.Clone(m.joined), maps.Clone(m.retired)
	return &c
}

// cidrOf returns the smallest CIDR that contains a.
func (m *model) cidrOf(a netip.Addr) (of network.CIDR) {
	for p, c := range m.cidrs {
		if p.Contains(a) && (of.Name == "" || p.Bits() > of.Prefix.Bits()) {
			of = c
		}
	}
	return of
}

func (m *model) cidr(name string) (network.CIDR, bool) {
	for _, c := range m.cidrs {
		if c.Name == name {
			return c, true
		}
	}
	return network.CIDR{}, false
}

func (m *model) peer(name string) (network.Peer, bool) {
	for _, p := range m.peers {
		if p.Name == name {
			return p, true
		}
	}
	return network.Peer{}, false
}

func (m *model) sees(p, q netip.Addr) bool {
	if p == q || !m.root.Contains(p) || !m.root.Contains(q) {
		return false
	}
	if p == m.hub || q == m.hub {
		return true
	}
	if c := m.cidrOf(p); c == m.cidrOf(q) && !c.Isolated {
		return true
	}
	for pair := range m.joined {
		if pair[0].Contains(p) && pair[1].Contains(q) {
			return true
		}
	}
	return false
}

// view returns what p may see, rendered, by address.
func (m *model) view(p netip.Addr) map[netip.Addr]string {
	view := map[netip.Addr]string{}
	self, ok := m.peers[p]
	if !ok || self.Disabled || self.IsInvited() {
		return view
	}
	for a, q := range m.peers {
		if m.sees(p, a) && !q.Disabled && (!q.IsInvited() || p == m.hub) {
			view[a] = m.render(q)
		}
	}
	return view
}

func (m *model) render(p network.Peer) string {
	s := fmt.Sprintf("%+v in %s", p, m.cidrOf(p.Address).Name)
	if p.Address == m.hub {
		s += fmt.Sprint(" at ", m.endpoints)
	}
	return s
}

// pairs returns who sees whom among active peers, by their names.
func (m *model) pairs() map[[2]string]bool {
	out := map[[2]string]bool{}
	for a, p := range m.peers {
		for b := range m.view(a) {
			if q := m.peers[b]; !q.IsInvited() {
				out[[2]string{min(p.Name, q.Name), max(p.Name, q.Name)}] = true
			}
		}
	}
	return out
}

func (m *model) peerNameFree(s string) bool {
	_, taken := m.peer(s)
	return !taken && network.CheckName(s) == nil
}

func (m *model) cidrNameFree(s string) bool {
	_, taken := m.cidr(s)
	return !taken && network.CheckName(s) == nil
}

func (m *model) keyFree(k key.PublicKey) bool {
	for _, p := range m.peers {
		if p.Key == k || p.Invited.Key == k {
			return false
		}
	}
	return !k.IsZero()
}

// usable tells whether a may be given to a new peer.
func (m *model) usable(a netip.Addr) bool {
	_, used := m.peers[a]
	if used || m.retired[a] || !m.root.Contains(a) {
		return false
	}
	for _, p := range []netip.Prefix{m.root, m.cidrOf(a).Prefix} {
		tiny := p.Bits() >= a.BitLen()-1
		last := !p.Contains(a.Next())
		if !tiny && (a == p.Addr() || a.Is4() && last) {
			return false
		}
	}
	return true
}

// invited returns the address an invitation would get.
func (m *model) invited(c network.Invite) (netip.Addr, bool) {
	in, ok := m.cidr(c.CIDR)
	if c.CIDR != "" && (!ok || c.CIDR == "infra") {
		return netip.Addr{}, false
	}
	if c.Address.IsValid() {
		return c.Address, m.usable(c.Address) && (c.CIDR == "" || m.cidrOf(c.Address) == in)
	}
	for a := in.Prefix.Addr(); ok && in.Prefix.Contains(a); a = a.Next() {
		if m.cidrOf(a) == in && m.usable(a) {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// apply carries out a command if it is allowed.
func (m *model) apply(now time.Time, cmd network.Command) (ok bool) {
	switch c := cmd.(type) {
	case network.AddCIDR:
		ok = c.Prefix.IsValid() && c.Prefix.Masked() == c.Prefix && m.root.Contains(c.Prefix.Addr()) && m.cidrNameFree(c.Name)
		for p := range m.cidrs {
			ok = ok && !(c.Prefix.Contains(p.Addr()) && c.Prefix.Bits() <= p.Bits())
		}
		if ok {
			m.cidrs[c.Prefix] = network.CIDR(c)
		}
	case network.RenameCIDR:
		of, found := m.cidr(c.Name)
		if ok = found && (c.Name == c.NewName || m.cidrNameFree(c.NewName) && of.Prefix != m.root && of.Name != "infra"); ok {
			of.Name = c.NewName
			m.cidrs[of.Prefix] = of
		}
	case network.RemoveCIDR:
		of, found := m.cidr(c.Name)
		ok = found && of.Prefix != m.root && of.Name != "infra"
		for p := range m.cidrs {
			ok = ok && (p == of.Prefix || !(of.Prefix.Contains(p.Addr()) && of.Prefix.Bits() <= p.Bits()))
		}
		for a := range m.peers {
			ok = ok && !of.Prefix.Contains(a)
		}
		for pair := range m.joined {
			ok = ok && pair[0] != of.Prefix
		}
		if ok {
			delete(m.cidrs, of.Prefix)
		}
	case network.Associate:
		a, b, found := m.both(c.A, c.B)
		if ok = found && c.A != "infra" && c.B != "infra" && !m.joined[[2]netip.Prefix{a, b}]; ok {
			m.joined[[2]netip.Prefix{a, b}], m.joined[[2]netip.Prefix{b, a}] = true, true
		}
	case network.Dissociate:
		a, b, found := m.both(c.A, c.B)
		if ok = found && m.joined[[2]netip.Prefix{a, b}]; ok {
			delete(m.joined, [2]netip.Prefix{a, b})
			delete(m.joined, [2]netip.Prefix{b, a})
		}
	case network.SetEndpoints:
		if ok = len(c.Endpoints) > 0 && len(c.Endpoints) <= 8 && !slices.Contains(c.Endpoints, ""); ok {
			m.endpoints = c.Endpoints
		}
	default:
		ok = m.applyToPeers(now, cmd)
	}
	return ok
}

func (m *model) both(x, y string) (a, b netip.Prefix, ok bool) {
	cx, ok1 := m.cidr(x)
	cy, ok2 := m.cidr(y)
	return cx.Prefix, cy.Prefix, ok1 && ok2
}

func (m *model) redate(c network.Redate) bool {
	for a, p := range m.peers {
		if p.IsInvited() && slices.Contains(c.Keys, p.Invited.Key) {
			p.Invited.Expires = p.Invited.Expires.Add(c.By)
			m.peers[a] = p
		}
	}
	return true
}

func (m *model) applyToPeers(now time.Time, cmd network.Command) (ok bool) {
	change := func(name string, same func(network.Peer) bool, may func(network.Peer) bool, set func(*network.Peer)) bool {
		p, found := m.peer(name)
		if !found || !same(p) && (p.Address == m.hub || !may(p)) {
			return false
		}
		set(&p)
		m.peers[p.Address] = p
		return true
	}
	always := func(network.Peer) bool { return true }
	switch c := cmd.(type) {
	case network.Invite:
		var a netip.Addr
		a, ok = m.invited(c)
		if ok = ok && m.peerNameFree(c.Name) && m.keyFree(c.Key) && c.Expires.After(now); ok {
			m.peers[a] = network.Peer{Address: a, Name: c.Name, Admin: c.Admin, Invited: network.Invitation{Key: c.Key, Expires: c.Expires}}
		}
	case network.Reinvite:
		ok = change(c.Name, func(network.Peer) bool { return false },
			func(p network.Peer) bool { return p.IsInvited() && m.keyFree(c.Key) && c.Expires.After(now) },
			func(p *network.Peer) { p.Invited = network.Invitation{Key: c.Key, Expires: c.Expires} })
	case network.Redeem:
		p := m.peers[c.Address]
		if !p.IsInvited() {
			return p.Address.IsValid() && p.Key == c.Key
		}
		if ok = p.Invited.Key == c.Invited && now.Before(p.Invited.Expires) && m.keyFree(c.Key); ok {
			p.Key, p.Invited = c.Key, network.Invitation{}
			m.peers[c.Address] = p
		}
	case network.Redate:
		ok = m.redate(c)
	case network.Expire:
		maps.DeleteFunc(m.peers, func(_ netip.Addr, p network.Peer) bool { return p.IsInvited() && !now.Before(p.Invited.Expires) })
		ok = true
	case network.RenamePeer:
		ok = change(c.Name, func(p network.Peer) bool { return c.Name == c.NewName }, func(network.Peer) bool { return m.peerNameFree(c.NewName) },
			func(p *network.Peer) { p.Name = c.NewName })
	case network.SetDisabled:
		ok = change(c.Name, func(p network.Peer) bool { return p.Disabled == c.Disabled }, func(p network.Peer) bool { return !p.IsInvited() },
			func(p *network.Peer) { p.Disabled = c.Disabled })
	case network.SetAdmin:
		ok = change(c.Name, func(p network.Peer) bool { return p.Admin == c.Admin }, always, func(p *network.Peer) { p.Admin = c.Admin })
	case network.RemovePeer:
		p, found := m.peer(c.Name)
		if ok = found && p.Address != m.hub; ok {
			delete(m.peers, p.Address)
			if !p.IsInvited() && !c.FreeAddress {
				m.retired[p.Address] = true
			}
		}
	case network.FreeAddress:
		ok = m.retired[c.Address]
		delete(m.retired, c.Address)
	}
	return ok
}

// records returns the model's records in a book's order.
func (m *model) records() network.Records {
	var r network.Records
	r.CIDRs = slices.SortedFunc(maps.Values(m.cidrs), func(a, b network.CIDR) int { return a.Prefix.Compare(b.Prefix) })
	r.Peers = slices.SortedFunc(maps.Values(m.peers), func(a, b network.Peer) int { return a.Address.Compare(b.Address) })
	r.Retired = slices.SortedFunc(maps.Keys(m.retired), netip.Addr.Compare)
	for pair := range m.joined {
		if pair[0].Compare(pair[1]) <= 0 {
			r.Associations = append(r.Associations, network.Association{A: pair[0], B: pair[1]})
		}
	}
	slices.SortFunc(r.Associations, compareAssociations)
	r.Endpoints = m.endpoints
	return r
}

func compareAssociations(a, b network.Association) int {
	if c := a.A.Compare(b.A); c != 0 {
		return c
	}
	return a.B.Compare(b.B)
}
