package core

import (
	"fmt"
	"net/netip"
	"slices"
	"sort"

	"ginnel/wire"
)

// check refuses an update that is malformed, that starts elsewhere than at
// asked, or that speaks of another network, another peer or another
// coordinator than ours. The coordinator's key is pinned by the invitation: a
// map with another one is not believed at all.
func (c *Core) check(u *wire.Update, asked wire.Position) error {
	if err := u.Check(); err != nil {
		return err
	}
	switch {
	case u.From != wire.Position{} && u.From != asked:
		return fmt.Errorf("it starts from revision %d, and we asked from %d", u.From.Revision, asked.Revision)
	case u.Network != c.cfg.Network:
		return fmt.Errorf("it is network %s's, ours is %s", u.Network, c.cfg.Network)
	case u.Root != c.cfg.Root:
		return fmt.Errorf("its root CIDR is %s, ours %s", u.Root, c.cfg.Root)
	case u.Self.Address != c.cfg.Address:
		return fmt.Errorf("it is for %s, we are %s", u.Self.Address, c.cfg.Address)
	case u.Self.PublicKey != c.key:
		return fmt.Errorf("it is for a peer with another key than ours at %s", u.Self.Address)
	}
	pinned := &c.cfg.Coordinator
	for i := range u.Members {
		m := &u.Members[i]
		if m.Address == pinned.Address && m.PublicKey != pinned.PublicKey {
			return fmt.Errorf("the coordinator %s has another key than the invitation says", m.Address)
		}
		if m.Role == wire.RoleCoordinator && m.Address != pinned.Address {
			return fmt.Errorf("its coordinator is %s, ours %s", m.Address, pinned.Address)
		}
	}
	return nil
}

// restore takes the map saved last, with the same suspicion. It pins nobody:
// who was forgotten is to be presented again.
func (c *Core) restore(m *Map) {
	u := &wire.Update{
		Position: m.Position,
		Network:  c.cfg.Network,
		Root:     c.cfg.Root,
		Self:     m.Self,
		Ranges:   []netip.Prefix{c.cfg.Root},
		Members:  m.Members,
	}
	if err := c.check(u, wire.Position{}); err != nil {
		c.say(topicMap, "the saved map cannot be right, a new one is fetched: %v", err)
		return
	}
	c.merge(u)
	c.pins.recheck = len(c.pins.refused) > 0 // who contradicts a pin here is in no delta to come
	c.saved = m.Position.Revision
}

// maxDrift is how many revisions the saved map may lie behind. The coordinator
// has deltas for twice as many, so that a restart seldom needs a whole map.
const maxDrift = 500

// take merges an update that was checked, and has the map saved when more than
// soft state changed. Endpoints touch the flash once in a member's life, when
// the first become known, for a restart without the coordinator; changes of the
// book that do not concern us do not until there were many.
func (c *Core) take(u *wire.Update) {
	if u.Position.Epoch != c.world.Position.Epoch {
		c.report.known, c.report.refusal = false, nil // the coordinator restarted, and forgot; perhaps it is a newer one
	}
	changed := c.merge(u)
	changed = c.pinMembers(u) || changed
	if (u.From == wire.Position{}) {
		c.pins.recheck = false
	}
	now := u.Position.Revision
	if changed || now < c.saved || now-c.saved > maxDrift {
		c.saved = now
		c.do(c.Snapshot())
	}
}

// merge brings the map to where u leads and tells whether anything changed that
// is worth keeping.
func (c *Core) merge(u *wire.Update) (changed bool) {
	c.world.Position = u.Position
	changed = !sameRecord(&c.world.Self, &u.Self)
	c.world.Self = u.Self
	c.view.seen = u.Self.Endpoints.Seen
	if len(u.Ranges) > 0 {
		changed = c.mergeRanges(u) || changed
	}
	c.names.dirty = c.names.dirty || changed
	for _, p := range u.Patches {
		changed = c.patch(p) || changed
	}
	return changed
}

// mergeRanges replaces the members within u's ranges. Where u has another key
// than the pinned one, the member stays as it was, and nobody comes who was not
// there.
func (c *Core) mergeRanges(u *wire.Update) (changed bool) {
	c.comparePins(u)
	members := make([]wire.Member, 0, len(c.world.Members)+len(u.Members))
	for _, m := range c.world.Members {
		if !within(u.Ranges, m.Address) || c.pins.refusesAt(m.Address) {
			members = append(members, m)
		}
	}
	c.leaveOut(u)
	for _, m := range u.Members {
		if c.leftOut[m.Address] || c.pins.refusesAt(m.Address) {
			continue
		}
		if p := c.addrs[m.Address]; p != nil && p.member.PublicKey == m.PublicKey {
			recall(&m.Endpoints, p.member.Endpoints)
			changed = isDurable(p.member.Endpoints, &m) || changed
		}
		members = append(members, m)
	}
	members = c.withoutRenamed(members)
	sort.Slice(members, func(i, j int) bool { return members[i].Address.Less(members[j].Address) })
	changed = changed || !slices.EqualFunc(members, c.world.Members, func(a, b wire.Member) bool { return sameRecord(&a, &b) })
	c.world.Members = members
	c.syncPeers()
	return changed
}

// leaveOut finds the members of u with the key of a member that stays:
// WireGuard knows peers by their keys, and one would take the other's place;
// and those whom no pin can be made for.
func (c *Core) leaveOut(u *wire.Update) {
	was := c.leftOut
	c.leftOut = map[netip.Addr]bool{}
	for i := range u.Members {
		m := &u.Members[i]
		if c.pins.refusesAt(m.Address) {
			continue
		}
		if holder, ok := c.keyHolder(u, m); ok {
			c.leftOut[m.Address] = true
			c.say(topicMember+m.Address.String(), "%s (%s) has the key of %s and is left out", m.Address, m.Name, holder)
		}
	}
	c.leaveOutUnpinnable(u)
	for a := range was {
		if !within(u.Ranges, a) {
			c.leftOut[a] = true
		}
	}
	for _, a := range sortedKeys(was) {
		if !c.leftOut[a] {
			c.over(topicMember + a.String())
		}
	}
}

// sortedKeys lists the addresses that m has.
func sortedKeys[V any](m map[netip.Addr]V) (as []netip.Addr) {
	for a := range m {
		as = append(as, a)
	}
	return sortedSet(as)
}

// keyHolder returns who else has m's key after u: the coordinator, or a member
// that u does not speak of or does not move from its pin. Within u every key is
// there once, ours included.
func (c *Core) keyHolder(u *wire.Update, m *wire.Member) (netip.Addr, bool) {
	if p := c.keys[m.PublicKey]; p != nil && p.member.Address != m.Address {
		a := p.member.Address
		return a, p == c.coordinator() || !within(u.Ranges, a) || c.pins.refusesAt(a)
	}
	return netip.Addr{}, false
}

// recall keeps what a coordinator that restarted has forgotten of a member,
// which need not have moved.
func recall(e *wire.Endpoints, was wire.Endpoints) {
	if e.Seen.IsValid() || len(e.Candidates) > 0 {
		return
	}
	e.Seen, e.Candidates = was.Seen, was.Candidates
	if len(e.Announced) == 0 {
		e.Announced = was.Announced
	}
}

// isDurable tells whether the endpoints that m has now are worth keeping: the
// first of a kind, and wherever the coordinator's book says it is found: a
// restart must find it though it has moved.
func isDurable(was wire.Endpoints, m *wire.Member) bool {
	now := &m.Endpoints
	return !was.Seen.IsValid() && now.Seen.IsValid() || len(was.Candidates) == 0 && len(now.Candidates) > 0 ||
		len(was.Announced) == 0 && len(now.Announced) > 0 ||
		m.Role == wire.RoleCoordinator && !slices.Equal(was.Announced, now.Announced)
}

// patch gives a member new endpoints and tells whether they are worth keeping.
// Those of a key that is not the pinned one are none of the member's.
func (c *Core) patch(p wire.Patch) (durable bool) {
	i, ok := sort.Find(len(c.world.Members), func(i int) int { return p.Address.Compare(c.world.Members[i].Address) })
	if !ok || c.pins.refusesAt(p.Address) {
		return false
	}
	m := &c.world.Members[i]
	was := m.Endpoints
	m.Endpoints = p.Endpoints
	c.renew(c.addrs[p.Address], m)
	return isDurable(was, m)
}

// within tells whether a lies in one of the ranges.
func within(ranges []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(ranges, func(r netip.Prefix) bool { return r.Contains(a) })
}

// sameRecord tells whether two members are the same but for their endpoints.
func sameRecord(a, b *wire.Member) bool {
	return a.Address == b.Address && a.Name == b.Name && a.CIDR == b.CIDR &&
		a.PublicKey == b.PublicKey && a.Role == b.Role && a.Admin == b.Admin
}

func sameEndpoints(a, b wire.Endpoints) bool {
	return a.Seen == b.Seen && slices.Equal(a.Candidates, b.Candidates) && slices.Equal(a.Announced, b.Announced)
}
