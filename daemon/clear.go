package daemon

import (
	"errors"
	"fmt"

	"ginnel/daemon/config"
	"ginnel/daemon/state"
	"ginnel/key"
	"ginnel/platform"
)

// Clear removes what a network put into the operating system, for when no
// daemon runs it: its names and the interface of its name, where there is one.
func Clear(sys System, cfg *config.Network) error {
	return errors.Join(clearNames(sys, cfg), clearLink(sys, cfg, nil))
}

// sweep is Clear for a network that may not be ours any more: an interface with
// another key than ours is somebody else's and stays.
func (d *Daemon) sweep(cfg *config.Network) error {
	s, err := state.Open(state.Path(d.StateDir, cfg.Name))
	if errors.Is(err, platform.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	own := s.Identity().PrivateKey
	return errors.Join(s.Close(), clearNames(d.System, cfg), clearLink(d.System, cfg, &own))
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

// clearLink removes the interface, with own only when it has that key. Opening
// one that is not there would make it, and one that is no WireGuard interface
// is nobody's but its owner's.
func clearLink(sys System, cfg *config.Network, own *key.PrivateKey) error {
	var link platform.NetState
	if err := sys.Network.Observe(cfg.Name, &link); errors.Is(err, platform.ErrNotExist) {
		return nil
	}
	t, err := sys.Tunnels.Open(cfg.Name, cfg.MTU)
	if errors.Is(err, platform.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open interface %s: %w", cfg.Name, err)
	}
	if own != nil {
		var have platform.TunnelState
		if err := t.Observe(&have); err != nil || !have.PrivateKey.Equal(*own) {
			return errors.Join(err, t.Close())
		}
	}
	if err := t.Delete(); err != nil {
		return fmt.Errorf("remove interface %s: %w", cfg.Name, err)
	}
	return nil
}
