package fake

import (
	"fmt"

	"ginnel/platform"
)

// Others returns the machine's tunnels as those that others make: they are
// found, never made or deleted. The tunnels that o makes are the others'.
func (o *OS) Others() platform.Tunnels { return others{o} }

type others struct{ *OS }

// Open implements platform.Tunnels.
func (o others) Open(name string, mtu int) (platform.Tunnel, error) {
	if err := platform.CheckLinkName(name); err != nil {
		return nil, err
	}
	var s platform.NetState
	if err := o.OS.Observe(name, &s); err != nil {
		return nil, fmt.Errorf("open link %s: %w", name, err)
	}
	t, err := o.OS.Open(name, mtu)
	if err != nil {
		return nil, err
	}
	return othersTunnel{t}, nil
}

type othersTunnel struct{ platform.Tunnel }

// Delete implements platform.Tunnel.
func (t othersTunnel) Delete() error {
	reset := platform.Reset()
	if err := t.Apply(&reset); err != nil {
		return err
	}
	return t.Close()
}
