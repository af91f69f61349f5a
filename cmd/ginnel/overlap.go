package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/platform"
)

// checkRange refuses the range of a new network, called name where that is known,
// where this machine has it in use already: two routes to the same address cannot
// both be followed.
func (e *env) checkRange(ctx context.Context, name string, root netip.Prefix) error {
	if err := e.checkUnderlay(root); err != nil {
		return err
	}
	cfg, _ := e.paths.readConfig() // who writes there sees to it that it is right
	st, err := e.client().Status(ctx)
	if errors.Is(err, local.ErrNotRunning) {
		st = &local.Status{}
	} else if err != nil {
		return err
	}
	for i := range cfg.Networks {
		n := &cfg.Networks[i]
		if n.Name == name {
			continue
		}
		other, err := e.rootOf(st, n)
		if err != nil {
			return fmt.Errorf("compare %s with network %s of this machine: %w", root, n.Name, err)
		}
		if root.Overlaps(other) {
			return fmt.Errorf("%s overlaps network %s (%s) of this machine: a machine can be in one of them only", root, n.Name, other)
		}
	}
	return nil
}

// rootOf returns the range of a configured network, from the daemon or else
// from its state; the zero Prefix where there is none.
func (e *env) rootOf(st *local.Status, n *config.Network) (netip.Prefix, error) {
	if root := described(st, n).Root; root.IsValid() {
		return root, nil
	}
	id, err := state.Read(state.Path(e.paths.state, n.Name))
	if errors.Is(err, platform.ErrNotExist) {
		return netip.Prefix{}, nil
	}
	return id.Root, err
}

// checkUnderlay refuses a range that one of this machine's own links has: a
// route into the tunnel would cut the machine off its neighbours there.
func (e *env) checkUnderlay(root netip.Prefix) error {
	addresses, err := e.system(quiet).Network.Underlay()
	if err != nil {
		return err
	}
	for _, a := range addresses {
		if root.Overlaps(a.Prefix) {
			return fmt.Errorf("%s overlaps %s, which %s of this machine is in: routes into the network would cut it off there, so one of the two needs another range", root, a.Prefix.Masked(), a.Link)
		}
	}
	return nil
}
