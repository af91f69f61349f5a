// Package kernel makes WireGuard interfaces of the kernel, and configures them
// over generic netlink. What is said is made and read in package message; this
// one has the sockets, and knows what the answers mean.
//
// # Decisions
//
//   - A tunnel is its link's index. A link that was renamed is followed; one
//     that was deleted and made anew by somebody else, under the same name, is
//     another, does not exist for us, and never hears our keys.
//   - One socket a tunnel, kept open: raw, blocking, past the runtime's poller.
//     The kernel does what a request says, and makes the first piece of its
//     answer, before write returns, so that read never waits; five seconds are
//     a belt. Connected, it takes messages from the kernel alone. Making,
//     finding and deleting links has a socket for the length of the call.
//   - An answer that was not read to its end leaves a socket behind on which
//     more may come. The next call opens another.
//   - A port in use is refused by the kernel before it does what else the
//     message says, but for the mark. The same change is then made once more
//     without the port. While a link is down the kernel takes any port: the
//     conflict is the error of bringing it up.
//   - That the family is unknown to the kernel, when a tunnel is open, means
//     that its module was removed, and the link with it: it does not exist.
//     Whoever opens it again asks for the family again.
//   - A dump that was torn by another program's change is repeated at once,
//     three times at most. Where another program does nothing but change
//     peers, most dumps of 1,000 peers are torn: waiting for it to stop could
//     take for ever.
//   - An endpoint in a zone that is no link's name, nor a number, is left as it
//     is: one peer on a link that went away must not hold up the others.
//   - Both buffers hold keys, and are cleared after each call.
//
// # Costs
//
// Each message is a write and a read, of 8 KiB with some 50 peers. Neither
// direction allocates, after the first time: the tunnel keeps 24 KiB and 16 bytes
// a peer, the state that is filled some 200 bytes a peer with two allowed IPs.
//
// Measured in emulated machines: to update the endpoint and two allowed IPs of
// a peer takes as long as to read it, some 8 µs on amd64 and 15 µs on a MIPS
// 24Kc; adding one takes 40 and 150 times that, because the kernel computes a
// shared secret. An Apply of 1,000 new peers keeps the calling goroutine for
// seconds there, one system call of 50 peers after the other: whoever has other
// things to do adds peers in slices.
package kernel
