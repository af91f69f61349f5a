package wireguard

import (
	"errors"
	"fmt"
	"log/slog"

	"ginnel/platform"
)

// Tunnels makes and finds WireGuard interfaces. It implements
// platform.Tunnels.
type Tunnels struct {
	openers []opener // the best first
}

// opener is one way of making an interface. Where this machine cannot do it,
// its error wraps platform.ErrUnsupported.
type opener func(name string, mtu int) (platform.Tunnel, error)

// New returns the machine's tunnels. What the embedded device has to say goes
// to log, for debugging.
func New(log *slog.Logger) *Tunnels {
	return &Tunnels{openers: []opener{
		// The kernel's comes before this one.
		func(name string, mtu int) (platform.Tunnel, error) { return openUserspace(log, name, mtu) },
	}}
}

// Open implements platform.Tunnels. The MTU is in bytes. Its errors wrap
// platform.ErrExist, ErrPermission or ErrUnsupported where one of them fits.
func (ts *Tunnels) Open(name string, mtu int) (platform.Tunnel, error) {
	if err := platform.CheckLinkName(name); err != nil {
		return nil, err
	}
	var unsupported []error
	for _, open := range ts.openers {
		t, err := open(name, mtu)
		switch {
		case err == nil:
			return t, nil
		case !errors.Is(err, platform.ErrUnsupported):
			return nil, fmt.Errorf("open tunnel %s: %w", name, err)
		}
		unsupported = append(unsupported, err)
	}
	return nil, fmt.Errorf("open tunnel %s: %w", name, errors.Join(unsupported...))
}
