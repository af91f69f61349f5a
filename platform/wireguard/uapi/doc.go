// Package uapi configures userspace WireGuard devices, in the text of
// WireGuard's cross-platform configuration protocol: encode.go writes it,
// parse.go reads it, and a [Config] does with it what platform.Tunnel asks for.
//
// A [Device] may be embedded in this process, or another program's that
// answers on a socket, as wireguard-go and boringtun do: [New] finds those.
//
// # Other programs' devices
//
//   - They are found, never made or deleted: a tunnel is a socket and the index
//     its link had when it was opened. A link of that name with another index
//     is another one, and this one does not exist any more.
//   - Each operation has a connection of its own: boringtun answers one, and
//     after an error what wireguard-go did not read would be taken for the next.
//   - An answer is waited for five seconds: the program may hang.
package uapi
