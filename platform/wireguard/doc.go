// Package wireguard makes WireGuard interfaces: [New] returns the
// platform.Tunnels of this machine.
//
// The ways of making one are tried in order, and each that cannot work here
// (platform.ErrUnsupported) passes on to the next. The last, and at present
// the only one, is the device embedded in this process, package userspace.
package wireguard
