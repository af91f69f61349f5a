//go:build !kernelonly

package wireguard

import (
	"ginnel/journal"
	"ginnel/platform"
	"ginnel/platform/wireguard/userspace"
)

// fallbacks are the ways for kernels without WireGuard.
func fallbacks(log *journal.Logger) []platform.Tunnels {
	return []platform.Tunnels{userspace.New(log)}
}
