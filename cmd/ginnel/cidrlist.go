package main

import (
	"context"
	"fmt"

	"ginnel/wire"
)

// cidrs returns all CIDRs of a network. Those who draw them as a tree rely on
// its being one, whatever the coordinator says.
func (e *env) cidrs(ctx context.Context, network string) ([]wire.CIDR, error) {
	var list []wire.CIDR
	if err := e.coordinator(ctx, network, "GET", wire.PathCIDRs, nil, &list); err != nil {
		return nil, err
	}
	if err := checkTree(list); err != nil {
		return nil, fmt.Errorf("the coordinator sent CIDRs that cannot be right: %w", err)
	}
	return list, nil
}

// checkTree tells whether CIDRs have names of their own and one root, in which
// the others lie, each inside its parent.
func checkTree(cidrs []wire.CIDR) error {
	byName, roots := make(map[string]*wire.CIDR, len(cidrs)), 0
	for i := range cidrs {
		c := &cidrs[i]
		if c.Name == "" || byName[c.Name] != nil {
			return fmt.Errorf("%q is the name of two, or of none", c.Name)
		}
		if !c.Prefix.IsValid() || c.Prefix != c.Prefix.Masked() {
			return fmt.Errorf("%s has the range %v", c.Name, c.Prefix)
		}
		if byName[c.Name] = c; c.Parent == "" {
			roots++
		}
	}
	if roots != 1 {
		return fmt.Errorf("%d of them have no parent, want one", roots)
	}
	for i := range cidrs {
		c := &cidrs[i]
		if c.Parent != "" && !liesIn(c, byName[c.Parent]) {
			return fmt.Errorf("%s does not lie in %s", c.Name, c.Parent)
		}
	}
	return nil
}

// liesIn tells whether c is a part of parent, nil: of none.
func liesIn(c, parent *wire.CIDR) bool {
	return parent != nil && parent.Prefix.Bits() < c.Prefix.Bits() && parent.Prefix.Contains(c.Prefix.Addr())
}
