// Package userspace makes WireGuard interfaces where the kernel cannot: the
// device is wireguard-go, embedded in this process, behind a TUN interface.
//
// We speak to it in the text of WireGuard's cross-platform configuration
// protocol (package uapi), which it takes in process. A Tunnel owns its interface, which ends with Close as with Delete; there is
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
// # Its sockets
//
// They are ours (bind.go), not wireguard-go's: its own keep the length of the
// IPv4 address they sent to last, and cut the IPv6 address after it to four
// bytes, so that a machine with peers of both families sends to strangers.
// Ours answer from the address a peer spoke to, and give that up when it
// cannot be sent from any longer, when the device gets no answer for 15 s, and
// when packets from it would leave by another link than the peer's came by: the
// default route has moved to another line, and that one is no way for the first
// one's address. The kernel's WireGuard does the same, in IPv4 alone. It looks at
// each change of routes; we ask for a route once (routes.go) and again after
// Observe, as the MTU: the daemon, which watches routes anyway, observes the
// tunnel at each change. wireguard-go watches routes for its own sockets only,
// and no IPv6.
//
// They take one packet a system call. This device is for machines whose kernel
// has no WireGuard, and those are small: each packet more that a call may
// receive is a buffer of 64 KiB, twice, and more of them on their way through
// the device. Measured side by side, one TCP stream between two namespaces on
// an amd64 machine of two cores, throughput and then resident memory of the
// receiving process, ours being 1:
//
//	wireguard-go's sockets (128 a call, with offloads)   3 to 4   18 to 25
//	recvmmsg and sendmmsg, 16 a call                     1.4      3
//	the same, 4 a call                                   1.3      1.4
//
// The sending process took 10 to 13 times as much with wireguard-go's, and
// about the same with the others; idle there is hardly a difference.
//
// # What it costs
//
// Packets pass through this process, and stop when it does. wireguard-go keeps
// a batch of 128 buffers of 64 KiB for reading the TUN, 8 MiB of address space,
// of which only the pages that packets touched are resident. An idle device
// adds some 2 MB to the resident memory on amd64 and each peer 26 KiB: three
// queues and two goroutines. The garbage collector counts all buffers, so that
// it runs rarely; a small machine wants a lower GOGC with it. A router should
// have its kernel's WireGuard.
package userspace
