package wireguard

import (
	"errors"
	"fmt"

	"ginnel/journal"
	"ginnel/platform"
	"ginnel/platform/wireguard/kernel"
)

// Tunnels makes and finds WireGuard interfaces. It implements
// platform.Tunnels.
type Tunnels struct {
	ways   []platform.Tunnels // the best first
	others bool               // somebody else makes the interfaces
}

// New returns the tunnels of this machine that backend carries; empty: the
// first that can. What the embedded device has to say goes to log, for
// debugging.
func New(backend platform.Backend, log *journal.Logger) *Tunnels {
	return &Tunnels{ways: choose(backend, kernel.New(), embedded(log))}
}

// Others returns the tunnels of this machine that others make, in the kernel or
// in programs of their own, likewise.
func Others(backend platform.Backend) *Tunnels {
	return &Tunnels{ways: choose(backend, kernel.Others(), programs()), others: true}
}

func choose(backend platform.Backend, kernel, userspace platform.Tunnels) []platform.Tunnels {
	switch {
	case backend == platform.Kernel, backend == "" && !hasUserspace:
		return []platform.Tunnels{kernel}
	case backend == platform.Userspace:
		return []platform.Tunnels{userspace}
	}
	return []platform.Tunnels{kernel, userspace}
}

// Open implements platform.Tunnels. The MTU is in bytes. Its errors wrap
// platform.ErrNotExist, ErrExist, ErrPermission or ErrUnsupported where one of
// them fits; the last when every way does.
func (ts *Tunnels) Open(name string, mtu int) (platform.Tunnel, error) {
	var failed error
	for _, way := range ts.ways {
		t, err := way.Open(name, mtu)
		if err == nil {
			return t, nil
		}
		passes := ts.passes(err)
		if failed != nil {
			err = fmt.Errorf("%w; and %w", failed, err)
		}
		if !passes {
			return nil, fmt.Errorf("open tunnel %s: %w", name, err)
		}
		failed = err
	}
	return nil, fmt.Errorf("open tunnel %s: %w", name, failed)
}

// passes tells whether the next way may do what this one could not. Where
// others make the interface, it may be there in another way.
func (ts *Tunnels) passes(err error) bool {
	return errors.Is(err, platform.ErrUnsupported) ||
		ts.others && (errors.Is(err, platform.ErrNotExist) || errors.Is(err, platform.ErrExist))
}
