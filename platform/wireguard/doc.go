// Package wireguard makes WireGuard interfaces: [New] returns the
// platform.Tunnels of this machine.
//
// The ways of making one are tried in order, and each that cannot work here
// (platform.ErrUnsupported) passes on to the next. The last, and at present
// the only one, is the device embedded in this process: wireguard-go, behind a
// TUN interface.
//
// # The embedded device
//
// We speak to it in the text of WireGuard's cross-platform configuration
// protocol, which it takes in process: encode.go writes it, parse.go reads it.
// A Tunnel owns its interface, which ends with Close as with Delete; there is
// nothing to adopt, so a link that has the name already is platform.ErrExist.
//
// The TUN is opened without wireguard-go's own monitor. That one writes an
// empty packet into the interface every second to learn whether it is up,
// which alone would use up what a quiet peer may wake the processor, and takes
// the device down again behind our back while the link is still down; ports
// would then be bound later, in a goroutine, where nobody hears of the
// conflict. Ours is up from Open to Close: a port in use is Apply's error, and
// a handshake may happen before the link is up, which harms nobody. The link's
// MTU is compared at every Apply and Observe.
//
// # What it costs
//
// Packets pass through this process, and stop when it does. wireguard-go keeps
// three batches of 128 buffers of 64 KiB (reading the TUN, and UDP over IPv4
// and IPv6): 24 MiB of address space, of which only the pages that packets
// touched are resident. Measured on amd64, an idle device adds 1.7 MB to the
// resident memory and each peer 26 KiB: three queues and two goroutines. But
// the garbage collector counts all buffers, so that it runs rarely; a small
// machine wants a lower GOGC with it. Each of the two UDP sockets may hold
// 7 MB in the kernel.
//
// None of this can be set from outside: the batch is a constant of its conn
// package, the buffers' size and number (PreallocatedBuffersPerPool, 0: no
// limit) are constants of its device package. A router should have its
// kernel's WireGuard.
//
// An IPv6 endpoint keeps its zone here and in the device, but the device's
// socket sends to it only after a packet came from there: wireguard-go takes
// the interface from the packet, not from the zone.
package wireguard
