// Package wireguard makes WireGuard interfaces, or finds those that others
// make: [New] and [Others] return the platform.Tunnels of this machine.
//
// The ways of making one are tried in order, and each that cannot work here
// (platform.ErrUnsupported) passes on to the next:
//
//   - the kernel's WireGuard, package kernel. Its interfaces outlive the
//     process, and no packet passes through it;
//   - the device embedded in this process, package userspace, for kernels
//     without WireGuard. Binaries for routers are built without it (the tag
//     kernelonly).
//
// Those that others make are looked for in the kernel and then among the
// programs that answer on a socket, package uapi, which binaries for routers are
// built without as well. They are never made or deleted.
//
// A backend that is asked for is the only way. Otherwise the choice is made at
// every Open, without a word: a TunnelState tells which it was. It falls on the
// second only where the kernel says that it has no WireGuard, not where it
// refuses to make an interface: a missing capability or a name that is taken
// would be no different there.
package wireguard
