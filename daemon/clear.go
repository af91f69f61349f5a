package daemon

import (
	"errors"
	"fmt"

	"ginnel/daemon/config"
	"ginnel/daemon/state"
	"ginnel/platform"
)

// Clear removes what a network put into the operating system, for when no
// daemon runs it: its names and its interface, where there is one. An interface
// of others stays; where it has our key it loses what is configured on it.
//
// Where this machine has not joined yet an interface of the name may not be ours.
func Clear(sys System, stateDir string, cfg *config.Network) error {
	return sweep(sys, stateDir, cfg, cfg.Existing)
}

// sweep is Clear. While this machine is joining, and where the network may not be
// ours any more (careful), an interface with another key than ours is somebody
// else's and stays as it is.
func sweep(sys System, stateDir string, cfg *config.Network, careful bool) error {
	id, err := state.Read(state.Path(stateDir, cfg.Name))
	own := &id
	switch {
	case errors.Is(err, platform.ErrNotExist) && (careful || cfg.Invitation != nil):
		return nil
	case careful && err != nil:
		return err
	case !careful && !id.IsPending(): // with an error, too
		own = nil
	}
	return errors.Join(clearNames(sys, cfg), clearLink(sys, cfg, own))
}

func clearNames(sys System, cfg *config.Network) error {
	if cfg.Hosts == config.NoHosts {
		return nil
	}
	if err := sys.Names(cfg.Hosts).Set(cfg.Name, nil); err != nil {
		return fmt.Errorf("remove the names of %s: %w", cfg.Name, err)
	}
	return nil
}

// CheckFree refuses a name that a link of this machine has: the network's own
// link could not be made, or a stranger's WireGuard interface would be taken
// for it.
func CheckFree(n platform.Network, name string) error {
	var s platform.NetState
	err := n.Observe(name, &s)
	switch {
	case err == nil:
		return fmt.Errorf("there is an interface %s on this machine already, and the network's would have the same name: choose another name, or remove the interface", name)
	case !errors.Is(err, platform.ErrNotExist):
		return err
	}
	return nil
}

// clearLink removes the interface, with own only when it is that one's. Opening
// one that is not there would make it, and one that is no WireGuard interface
// is nobody's but its owner's.
func clearLink(sys System, cfg *config.Network, own *state.Identity) error {
	var link platform.NetState
	if err := sys.Network.Observe(cfg.Link(), &link); errors.Is(err, platform.ErrNotExist) {
		return nil
	}
	t, err := sys.Tunnels(cfg).Open(cfg.Link(), cfg.MTU)
	if errors.Is(err, platform.ErrExist) || cfg.Existing && errors.Is(err, platform.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open interface %s: %w", cfg.Link(), err)
	}
	if own != nil {
		var have platform.TunnelState
		if err := t.Observe(&have); err != nil || !own.Uses(have.PrivateKey) {
			return errors.Join(err, t.Close())
		}
	}
	return Remove(sys, cfg, t)
}

// Remove deletes the open interface of a network and closes it; one of others
// loses its addresses, our routes and all that makes it a tunnel. The key goes
// last: it is what the rest is known by.
func Remove(sys System, cfg *config.Network, t platform.Tunnel) error {
	if cfg.Existing {
		if err := strip(sys.Network, cfg.Link()); err != nil {
			return errors.Join(fmt.Errorf("take the addresses off interface %s: %w", cfg.Link(), err), t.Close())
		}
	}
	if err := t.Delete(); err != nil {
		return fmt.Errorf("remove interface %s: %w", cfg.Link(), err)
	}
	return nil
}

// strip takes addresses and our routes off a link.
func strip(n platform.Network, link string) error {
	var s platform.NetState
	if err := n.Observe(link, &s); err != nil {
		return err
	}
	return n.Apply(link, &platform.NetChange{RemoveAddresses: s.Addresses, RemoveRoutes: s.Routes})
}
