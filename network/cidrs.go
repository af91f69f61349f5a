package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// findCIDR returns the index of the CIDR with a name.
func (b *Book) findCIDR(name string) (int, error) {
	i := b.cidrNamed(name)
	if i < 0 {
		return i, refuse(NotFound, "no CIDR is called %q: `ginnel cidr list` tells which there are", name)
	}
	return i, nil
}

// ordinaryCIDR finds a CIDR that is neither the root nor infra.
func (b *Book) ordinaryCIDR(name, verb string) (int, error) {
	i, err := b.findCIDR(name)
	switch {
	case err != nil:
		return i, err
	case i == 0:
		return i, refuse(Conflict, "%v is the network's root: it cannot be %s", &b.s.CIDRs[i], verb)
	case name == InfraName:
		return i, refuse(Conflict, "%v is the coordinator's own CIDR: it cannot be %s", &b.s.CIDRs[i], verb)
	}
	return i, nil
}

func (b *Book) checkCIDRName(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if c, taken := b.CIDRNamed(name); taken {
		return refuse(Conflict, "there is a CIDR %v already: choose another name", c)
	}
	return nil
}

// apply makes the CIDR. All peers in it see the same: what they saw before, for
// no association names the new CIDR yet, without the siblings they leave; and
// if those were isolated, perhaps each other.
func (c AddCIDR) apply(e *edit, _ time.Time) error {
	if err := e.checkCIDRRange(c.Prefix); err != nil {
		return err
	}
	if err := e.checkCIDRName(c.Name); err != nil {
		return err
	}
	before := e.VisibleRanges(c.Prefix.Addr())
	e.putCIDR(CIDR(c))
	here := []netip.Prefix{c.Prefix}
	e.tell(union(append(here, before...)), c.Prefix)
	e.tell(here, subtract(before, e.VisibleRanges(c.Prefix.Addr()))...)
	return nil
}

// checkCIDRRange tells why p cannot be a new CIDR. Prefixes are nested or
// disjoint, so p overlaps a sibling only by containing it; what lies in
// another CIDR is its child.
func (b *Book) checkCIDRRange(p netip.Prefix) error {
	if err := checkPrefix(p); err != nil {
		return err
	}
	if !covers(b.Root(), p) {
		return refuse(Invalid, "%v lies outside %v", p, &b.s.CIDRs[0])
	}
	i, found := b.searchPrefix(p)
	switch {
	case found:
		return refuse(Conflict, "%v is the range of %s already", p, b.s.CIDRs[i].Name)
	case i < len(b.s.CIDRs) && covers(p, b.s.CIDRs[i].Prefix):
		return refuse(Conflict, "%v overlaps %v: choose a range beside it or inside it", p, &b.s.CIDRs[i])
	}
	return nil
}

func (c RenameCIDR) apply(e *edit, _ time.Time) error {
	i, err := e.findCIDR(c.Name)
	if err != nil || c.NewName == c.Name {
		return err
	}
	if _, err := e.ordinaryCIDR(c.Name, "renamed"); err != nil {
		return err
	}
	if err := e.checkCIDRName(c.NewName); err != nil {
		return err
	}
	renamed := e.s.CIDRs[i]
	renamed.Name = c.NewName
	e.putCIDR(renamed)
	if len(e.members(i)) > 0 {
		direct := e.direct(i)
		e.tell(union(append(e.VisibleRanges(direct[0].Addr()), direct...)), renamed.Prefix)
	}
	return nil
}

func (c RemoveCIDR) apply(e *edit, _ time.Time) error {
	i, err := e.ordinaryCIDR(c.Name, "removed")
	if err != nil {
		return err
	}
	if used := e.uses(i); used != "" {
		return refuse(Conflict, "%v still has %s: remove them first", &e.s.CIDRs[i], used)
	}
	e.deleteCIDR(e.s.CIDRs[i])
	return nil
}

// members returns the names of the peers that belong to the i-th CIDR, in
// every state.
func (b *Book) members(i int) []string {
	var names []string
	for _, r := range b.direct(i) {
		for _, p := range b.peersIn(r) {
			names = append(names, p.Name)
		}
	}
	return names
}

// uses says what keeps the i-th CIDR from being removed; empty: nothing.
func (b *Book) uses(i int) string {
	var children, others []string
	for _, j := range b.children(i) {
		children = append(children, b.s.CIDRs[j].Name)
	}
	p := b.s.CIDRs[i].Prefix
	for _, as := range b.s.Associations {
		switch p {
		case as.A:
			others = append(others, "with "+b.CIDROf(as.B.Addr()).Name)
		case as.B:
			others = append(others, "with "+b.CIDROf(as.A.Addr()).Name)
		}
	}
	uses := slices.DeleteFunc([]string{
		list("CIDR", children), list("peer", b.members(i)), list("association", others),
	}, func(s string) bool { return s == "" })
	return strings.Join(uses, ", ")
}

// list counts things and names the first three: "2 peers (a, b)".
func list(thing string, names []string) string {
	const most = 3
	n := len(names)
	switch {
	case n == 0:
		return ""
	case n > most:
		names = append(slices.Clip(names[:most]), fmt.Sprintf("and %d more", n-most))
	}
	if n > 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s (%s)", n, thing, strings.Join(names, ", "))
}
