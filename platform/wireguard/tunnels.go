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
	ways []platform.Tunnels // the best first
}

// New returns the tunnels of this machine. What the embedded device has to say
// goes to log, for debugging.
func New(log *journal.Logger) *Tunnels {
	return &Tunnels{append([]platform.Tunnels{kernel.New()}, fallbacks(log)...)}
}

// Open implements platform.Tunnels. The MTU is in bytes. Its errors wrap
// platform.ErrExist, ErrPermission or ErrUnsupported where one of them fits;
// the last when every way does.
func (ts *Tunnels) Open(name string, mtu int) (platform.Tunnel, error) {
	var unsupported []error
	for _, way := range ts.ways {
		t, err := way.Open(name, mtu)
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
