//go:build !kernelonly

package wireguard

import (
	"ginnel/journal"
	"ginnel/platform"
	"ginnel/platform/wireguard/userspace"
)

// isEmbedded tells whether embedded returns a device.
const isEmbedded = true

// embedded is the way for kernels without WireGuard.
func embedded(log *journal.Logger) platform.Tunnels { return userspace.New(log) }
