//go:build kernelonly

package wireguard

import (
	"errors"

	"ginnel/journal"
	"ginnel/platform"
)

// hasUserspace tells whether packets may pass through a process.
const hasUserspace = false

// embedded is the way for kernels without WireGuard: there is none. The embedded
// device takes half a megabyte of flash, and the systems that are short of it
// install the kernel's module with the package.
func embedded(*journal.Logger) platform.Tunnels { return none{} }

// programs are those of others that have interfaces: none that is known here.
func programs() platform.Tunnels { return none{} }

type none struct{}

// Open implements platform.Tunnels.
func (none) Open(string, int) (platform.Tunnel, error) {
	return nil, errors.New("this ginnel was built for the kernel's WireGuard alone: option backend must be auto or kernel")
}
