//go:build kernelonly

package wireguard

import (
	"ginnel/journal"
	"ginnel/platform"
)

// fallbacks are the ways for kernels without WireGuard: none. The embedded
// device takes half a megabyte of flash, and the systems that are short of it
// install the kernel's module with the package.
func fallbacks(*journal.Logger) []platform.Tunnels { return nil }
