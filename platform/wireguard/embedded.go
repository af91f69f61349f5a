//go:build !kernelonly

package wireguard

import (
	"ginnel/journal"
	"ginnel/platform"
	"ginnel/platform/wireguard/uapi"
	"ginnel/platform/wireguard/userspace"
)

// hasUserspace tells whether packets may pass through a process.
const hasUserspace = true

// embedded is the way for kernels without WireGuard.
func embedded(log *journal.Logger) platform.Tunnels { return userspace.New(log) }

// programs are those of others that have interfaces.
func programs() platform.Tunnels { return uapi.New() }
