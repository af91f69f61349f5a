package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sort"

	"ginnel/key"
)

// Check tells whether u is well-formed, as its comments promise; a peer
// believes no other. It says nothing of what the peer knew before, such as its
// own address or pins.
func (u *Update) Check() error {
	if err := CheckNetworkName(u.Network); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	if err := CheckRoot(u.Root); err != nil {
		return err
	}
	if err := u.Self.check(u.Root); err != nil {
		return fmt.Errorf("self: %w", err)
	}
	ranges, err := u.sortedRanges()
	if err != nil {
		return err
	}
	if err := u.checkFrom(); err != nil {
		return err
	}
	if err := u.checkMembers(ranges); err != nil {
		return err
	}
	return u.checkPatches(ranges)
}

// Check tells whether r keeps the rules of [Report]'s fields that can be told
// from r alone; an overlay address is for the coordinator to see.
func (r *Report) Check() error {
	if err := checkAll(r.Announced, MaxAnnounced, CheckAnnounced); err != nil {
		return fmt.Errorf("announced: %w", err)
	}
	if n := len(r.Candidates); n > MaxCandidates {
		return fmt.Errorf("%d candidates, at most %d are taken", n, MaxCandidates)
	}
	for i, c := range r.Candidates {
		a := c.Addr()
		if err := CheckUnderlay(c); err != nil {
			return fmt.Errorf("candidate: %w", err)
		}
		if a.IsLoopback() || a.IsLinkLocalUnicast() {
			return fmt.Errorf("candidate %s cannot be reached from another network", c)
		}
		if slices.Contains(r.Candidates[:i], c) {
			return fmt.Errorf("candidate %s is there twice", c)
		}
	}
	return nil
}

// checkFrom tells whether u is what its From says: a whole map, or a delta.
func (u *Update) checkFrom() error {
	switch {
	case u.From == Position{} && !slices.Equal(u.Ranges, []netip.Prefix{u.Root}):
		return errors.New("it is neither a whole map nor does it say from which position it starts")
	case u.From != Position{} && u.From.Revision == 0:
		return errors.New("it starts from revision 0, which is before every map")
	case u.From.Revision > u.Position.Revision:
		return fmt.Errorf("it leads from revision %d back to %d", u.From.Revision, u.Position.Revision)
	}
	return nil
}

// sortedRanges returns a sorted copy of the ranges after checking them.
func (u *Update) sortedRanges() ([]netip.Prefix, error) {
	ranges := slices.Clone(u.Ranges)
	sort.Slice(ranges, func(i, j int) bool { return ranges[i].Compare(ranges[j]) < 0 })
	for i, r := range ranges {
		switch {
		case !r.IsValid() || r != r.Masked():
			return nil, fmt.Errorf("range %s is not a masked prefix", r)
		case !u.Root.Contains(r.Addr()) || r.Bits() < u.Root.Bits():
			return nil, fmt.Errorf("range %s is not inside the root %s", r, u.Root)
		// Of sorted prefixes one that overlaps any later one overlaps the next.
		case i > 0 && ranges[i-1].Overlaps(r):
			return nil, fmt.Errorf("ranges %s and %s overlap", ranges[i-1], r)
		}
	}
	return ranges, nil
}

// checkMembers checks the members each and against one another. A name or key
// of two would make one take the other's place.
func (u *Update) checkMembers(ranges []netip.Prefix) error {
	names := map[string]bool{u.Self.Name: true}
	keys := map[key.PublicKey]bool{u.Self.PublicKey: true}
	for i := range u.Members {
		m := &u.Members[i]
		if err := m.check(u.Root); err != nil {
			return fmt.Errorf("member: %w", err)
		}
		switch {
		case i > 0 && u.Members[i-1].Address.Compare(m.Address) >= 0:
			return fmt.Errorf("member %s does not come after %s: members are sorted, each once", m.Address, u.Members[i-1].Address)
		case m.Address == u.Self.Address:
			return fmt.Errorf("member %s is the receiver itself", m.Address)
		case !covered(ranges, m.Address):
			return fmt.Errorf("member %s is in none of the ranges", m.Address)
		case names[m.Name]:
			return fmt.Errorf("member %s has the name %s of another", m.Address, m.Name)
		case keys[m.PublicKey]:
			return fmt.Errorf("member %s has the key of another", m.Address)
		}
		names[m.Name], keys[m.PublicKey] = true, true
	}
	return nil
}

func (u *Update) checkPatches(ranges []netip.Prefix) error {
	seen := map[netip.Addr]bool{}
	for _, p := range u.Patches {
		if err := checkInside(p.Address, u.Root); err != nil {
			return fmt.Errorf("patch: %w", err)
		}
		if seen[p.Address] || covered(ranges, p.Address) {
			return fmt.Errorf("patch of %s: its endpoints are there already", p.Address)
		}
		seen[p.Address] = true
		if err := p.Endpoints.check(); err != nil {
			return fmt.Errorf("patch of %s: %w", p.Address, err)
		}
	}
	return nil
}

// covered tells whether a is in one of the ranges, which are sorted and
// disjoint.
func covered(ranges []netip.Prefix, a netip.Addr) bool {
	i, exact := sort.Find(len(ranges), func(i int) int { return a.Compare(ranges[i].Addr()) })
	return exact || i > 0 && ranges[i-1].Contains(a)
}

func (m *Member) check(root netip.Prefix) error {
	if err := checkInside(m.Address, root); err != nil {
		return err
	}
	if err := CheckLabel(m.Name, MaxName); err != nil {
		return fmt.Errorf("%s: %w", m.Address, err)
	}
	if err := CheckLabel(m.CIDR, MaxName); err != nil {
		return fmt.Errorf("CIDR of %s: %w", m.Address, err)
	}
	if m.PublicKey.IsZero() { // others of low order were refused by UnmarshalText
		return fmt.Errorf("%s has no public key", m.Address)
	}
	switch m.Role {
	case RolePeer, RoleCoordinator, RoleInvitee:
	default:
		return fmt.Errorf("%s has the unknown role %s", m.Address, quote(string(m.Role)))
	}
	if err := m.Endpoints.check(); err != nil {
		return fmt.Errorf("%s: %w", m.Address, err)
	}
	return nil
}

func (e *Endpoints) check() error {
	if e.Seen != (netip.AddrPort{}) {
		if err := CheckUnderlay(e.Seen); err != nil {
			return fmt.Errorf("seen: %w", err)
		}
	}
	if n := len(e.Candidates); n > MaxCandidates {
		return fmt.Errorf("%d candidates, at most %d are taken", n, MaxCandidates)
	}
	for _, c := range e.Candidates {
		if err := CheckUnderlay(c); err != nil {
			return fmt.Errorf("candidate: %w", err)
		}
	}
	if err := checkAll(e.Announced, MaxAnnounced, CheckEndpoint); err != nil {
		return fmt.Errorf("announced: %w", err)
	}
	return nil
}

// checkInside checks an overlay address.
func checkInside(a netip.Addr, root netip.Prefix) error {
	if !a.IsValid() {
		return errors.New("the address is missing")
	}
	if !root.Contains(a) {
		return fmt.Errorf("address %s is not inside the root %s", a, root)
	}
	return nil
}
