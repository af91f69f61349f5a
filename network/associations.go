package network

import (
	"net/netip"
	"sort"
	"time"
)

func (c Associate) apply(e *edit, _ time.Time) error {
	as, found, err := e.association(c.A, c.B)
	switch {
	case err != nil:
		return err
	case c.A == InfraName || c.B == InfraName:
		return refuse(Conflict, "%s takes no association: it sees everyone already", InfraName)
	case found:
		return refuse(Conflict, "%s and %s are associated already", c.A, c.B)
	}
	e.putAssociation(as)
	e.tellSides(as)
	return nil
}

func (c Dissociate) apply(e *edit, _ time.Time) error {
	as, found, err := e.association(c.A, c.B)
	switch {
	case err != nil:
		return err
	case !found:
		return refuse(NotFound, "%s and %s are not associated", c.A, c.B)
	}
	e.deleteAssociation(as)
	e.tellSides(as)
	return nil
}

// association makes the association of two CIDRs by their names, in either
// order, and tells whether the book has it.
func (b *Book) association(x, y string) (as Association, found bool, err error) {
	i, err := b.findCIDR(x)
	if err != nil {
		return as, false, err
	}
	j, err := b.findCIDR(y)
	if err != nil {
		return as, false, err
	}
	as = Association{A: b.s.CIDRs[min(i, j)].Prefix, B: b.s.CIDRs[max(i, j)].Prefix}
	_, found = b.searchAssociation(as)
	return as, found, nil
}

// searchAssociation returns where as is, or belongs.
func (b *Book) searchAssociation(as Association) (int, bool) {
	return sort.Find(len(b.s.Associations), func(i int) int { return compareAssociations(as, b.s.Associations[i]) })
}

// tellSides tells each side of an association to look at the other.
func (e *edit) tellSides(as Association) {
	e.tell([]netip.Prefix{as.A}, as.B)
	if as.A != as.B {
		e.tell([]netip.Prefix{as.B}, as.A)
	}
}
