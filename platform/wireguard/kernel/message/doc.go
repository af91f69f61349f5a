// Package message is the netlink that Ginnel speaks to the kernel's WireGuard,
// as bytes. It is pure: it opens no socket and asks the system nothing.
//
// [Encoder] turns a platform.TunnelChange into WG_CMD_SET_DEVICE messages,
// [Decoder] a WG_CMD_GET_DEVICE dump into a platform.TunnelState. Beside them
// are the few messages that find the family and make, find and delete a link,
// and [Answer], which follows what the kernel says to any of them.
//
// # Encoding
//
// A message is appended to one buffer, nests are patched with their length when
// they close, and a peer that does not fit is taken back and starts the next
// message. Nothing is allocated, and many peers share a message: what costs is
// the exchange, not the bytes. [Limit] is 8 KiB because larger messages are no
// faster and hold the kernel's lock for longer.
//
// What belongs to the interface, and the flag that replaces all peers, are in
// the first message only: repeated, the mark would make every peer forget its
// source address, and the flag would drop the peers of the message before. A
// peer with more allowed IPs than fit is closed and continued, under its key
// alone. A continuation is an update always, whatever the change was: the peer
// was there a moment ago, and if somebody removed it since, it must not come
// back with half of its addresses.
//
// A link is addressed by its index, never by its name, which another link may
// have by now.
//
// # Decoding
//
// Attributes are slices of the datagram, nothing is copied but values. The
// kernel repeats the interface's attributes in some fragments and leaves them
// out of others, and continues a peer by repeating its key; kernels for
// machines that cannot read 64 bits at any address (MIPS) pad with attributes
// of type 0, and newer kernels add attributes: all are in order. The order
// within a nest counts for nothing, but that a peer's key comes first.
//
// The allowed IPs of all peers are one array, of which each peer has a piece.
// It is found again, when the state is filled once more, in the last element
// of the capacity of Peers, behind the last peer: so it belongs to the state as
// the peers do, two states never share one, and whoever copies, sorts or cuts
// the list at worst loses it, which costs a new one. Pieces have no spare
// capacity, so appending to one cannot run into the next.
//
// # Byte order
//
// Netlink is in the order of the machine, addresses and ports in that of the
// network. Both directions wrong at once would agree with each other, so the
// tests compare with bytes in testdata, for machines of both orders.
package message
