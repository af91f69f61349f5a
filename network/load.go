package network

import (
	"errors"
	"fmt"
	"net/netip"

	"ginnel/key"
)

// Load makes a book of its records, which it keeps. It checks every rule that
// commands keep, and returns an error that names the record that breaks one.
func Load(s Snapshot) (*Book, error) {
	b, err := load(s)
	if err != nil {
		return nil, fmt.Errorf("the network's book is damaged: %w", err)
	}
	return b, nil
}

func load(s Snapshot) (*Book, error) {
	if s.Revision == 0 {
		return nil, errors.New("its revision is 0")
	}
	if err := checkCIDRs(s); err != nil {
		return nil, err
	}
	b := newBook(s)
	for _, check := range []func() error{b.checkInfra, b.checkPeers, b.checkKeys, b.checkAssociations, b.checkRetired, b.checkEndpoints} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// checkCIDRs checks what [newBook] relies on: a root first, all others in it.
func checkCIDRs(s Snapshot) error {
	if len(s.CIDRs) == 0 {
		return errors.New("it has no root CIDR")
	}
	root := s.CIDRs[0]
	if err := CheckNetworkName(s.Name); err != nil {
		return err
	}
	if err := CheckRoot(root.Prefix); err != nil {
		return fmt.Errorf("root %v: %w", &root, err)
	}
	if root.Name != s.Name || root.Isolated {
		return fmt.Errorf("root %v is isolated, or not called as the network, %s", &root, s.Name)
	}
	if i := unsorted(s.CIDRs, compareCIDRs); i > 0 {
		return fmt.Errorf("CIDR %v is out of order or there twice", &s.CIDRs[i])
	}
	names := make(map[string]bool, len(s.CIDRs))
	for _, c := range s.CIDRs {
		err := CheckName(c.Name)
		switch {
		case err != nil:
			return fmt.Errorf("CIDR %v: %w", &c, err)
		case names[c.Name]:
			return fmt.Errorf("CIDR %v has the name of another", &c)
		case c.Prefix != c.Prefix.Masked() || !covers(root.Prefix, c.Prefix):
			return fmt.Errorf("CIDR %v is not a range in the root %v", &c, root.Prefix)
		}
		names[c.Name] = true
	}
	return nil
}

func (b *Book) checkInfra() error {
	if want := FirstAssignable(b.Root()); b.s.Coordinator != want {
		return fmt.Errorf("the coordinator is at %v, not at the root's first address %v", b.s.Coordinator, want)
	}
	i := b.cidrOf(b.s.Coordinator)
	if c := &b.s.CIDRs[i]; c.Name != InfraName || c.Prefix != host(b.s.Coordinator) || c.Isolated || b.up[i] != 0 {
		return fmt.Errorf("CIDR %v is in the place of %s, the coordinator's", c, InfraName)
	}
	p := b.Coordinator()
	if p == nil || !p.Admin || !p.active() {
		return fmt.Errorf("the coordinator's peer at %v is missing, disabled, invited or no admin", b.s.Coordinator)
	}
	return nil
}

func (b *Book) checkPeers() error {
	if i := unsorted(b.s.Peers, comparePeers); i > 0 {
		return fmt.Errorf("peer %s at %v is out of order or its address there twice", b.s.Peers[i].Name, b.s.Peers[i].Address)
	}
	names := make(map[string]bool, len(b.s.Peers))
	for _, p := range b.s.Peers {
		err := CheckName(p.Name)
		switch {
		case err != nil:
			return fmt.Errorf("peer at %v: %w", p.Address, err)
		case names[p.Name]:
			return fmt.Errorf("peer at %v has the name of another, %s", p.Address, p.Name)
		case !b.Root().Contains(p.Address):
			return fmt.Errorf("peer %s at %v lies outside the root %v", p.Name, p.Address, b.Root())
		case p.IsInvited() == p.Invited.Expires.IsZero():
			return fmt.Errorf("peer %s at %v has half an invitation", p.Name, p.Address)
		case p.IsInvited() && (p.Disabled || !p.Key.IsZero()):
			return fmt.Errorf("peer %s at %v is invited and yet disabled or redeemed", p.Name, p.Address)
		}
		names[p.Name] = true
	}
	return nil
}

func (b *Book) checkKeys() error {
	owners := make(map[key.PublicKey]string, len(b.s.Peers))
	for _, p := range b.s.Peers {
		k := p.Key
		if p.IsInvited() {
			k = p.Invited.Key
		}
		if err := k.Check(); err != nil {
			return fmt.Errorf("peer %s at %v: %w", p.Name, p.Address, err)
		}
		if other, twice := owners[k]; twice {
			return fmt.Errorf("peer %s at %v has the key of %s", p.Name, p.Address, other)
		}
		owners[k] = p.Name
	}
	return nil
}

func (b *Book) checkAssociations() error {
	if i := unsorted(b.s.Associations, compareAssociations); i > 0 {
		return fmt.Errorf("association %v is out of order or there twice", b.s.Associations[i])
	}
	for _, as := range b.s.Associations {
		if as.A.Compare(as.B) > 0 {
			return fmt.Errorf("association %v is the wrong way round", as)
		}
		for _, p := range []netip.Prefix{as.A, as.B} {
			i, found := b.searchPrefix(p)
			if !found || b.s.CIDRs[i].Name == InfraName {
				return fmt.Errorf("association %v names a range that is no CIDR, or %s", as, InfraName)
			}
		}
	}
	return nil
}

func (b *Book) checkRetired() error {
	if i := unsorted(b.s.Retired, netip.Addr.Compare); i > 0 {
		return fmt.Errorf("retired address %v is out of order or there twice", b.s.Retired[i])
	}
	for _, a := range b.s.Retired {
		if _, used := b.Peer(a); used || !b.Root().Contains(a) {
			return fmt.Errorf("retired address %v is a peer's, or outside the root %v", a, b.Root())
		}
	}
	return nil
}

// unsorted returns the index of the first record that does not come strictly
// after the one before it; 0: all do.
func unsorted[T any](list []T, compare func(a, b T) int) int {
	for i := 1; i < len(list); i++ {
		if compare(list[i-1], list[i]) >= 0 {
			return i
		}
	}
	return 0
}
