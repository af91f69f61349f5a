package userspace

import (
	"net"
	"net/netip"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// endpoint is a peer's address, and the one of ours the peer speaks to: answers
// come from that one, or a NAT on the way would not let them pass. It
// implements conn.Endpoint. All but sourceless stays as it was made, so that
// the device may hold one endpoint in many places.
type endpoint struct {
	remote     netip.AddrPort // never IPv4 written as IPv6
	arrival                   // of a packet of the peer's; zero: not known
	control    []byte         // the control message that says local; nil where it is not known
	sourceless atomic.Bool    // the kernel chooses the source
}

// arrival is where a packet came in.
type arrival struct {
	local netip.Addr // the address of ours it was sent to; invalid: not known, or none to answer from
	link  uint32     // the index of the link; 0: not known
}

func newEndpoint(remote netip.AddrPort, in arrival) *endpoint {
	e := &endpoint{remote: netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()), arrival: in}
	switch {
	case !in.local.IsValid():
	case in.local.Is4():
		e.control = unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: in.local.As4()})
	default:
		e.control = unix.PktInfo6(&unix.Inet6Pktinfo{Addr: in.local.As16()})
	}
	return e
}

// checkSource gives the source up when its packets would leave by another link
// than the peer's came by: they would be sent with one line's address through
// another, which drops them, or does not get the answers. Link-local addresses
// are told from each other by their link, so that routes are not for them.
func (e *endpoint) checkSource(c *net.UDPConn, r *routes) {
	if e.control == nil || e.link == 0 || e.sourceless.Load() || e.remote.Addr().IsLinkLocalUnicast() {
		return
	}
	if link := r.link(way{netip.AddrPortFrom(e.local, portOf(c)), e.remote}); link != 0 && link != e.link {
		e.ClearSrc()
	}
}

// send sends one packet. A source that is not ours any more is given up: the
// machine moved, and the other side will learn where to.
func (e *endpoint) send(c *net.UDPConn, packet []byte) error {
	if e.control != nil && !e.sourceless.Load() {
		if _, _, err := c.WriteMsgUDPAddrPort(packet, e.control, e.remote); err == nil {
			return nil
		}
		e.ClearSrc()
	}
	_, _, err := c.WriteMsgUDPAddrPort(packet, nil, e.remote)
	return err
}

// ClearSrc implements conn.Endpoint: from now on the kernel chooses.
func (e *endpoint) ClearSrc() { e.sourceless.Store(true) }

// SrcIP implements conn.Endpoint; invalid: the kernel chooses.
func (e *endpoint) SrcIP() netip.Addr {
	if e.sourceless.Load() {
		return netip.Addr{}
	}
	return e.local
}

// SrcToString implements conn.Endpoint.
func (e *endpoint) SrcToString() string { return e.SrcIP().String() }

// DstIP implements conn.Endpoint.
func (e *endpoint) DstIP() netip.Addr { return e.remote.Addr() }

// DstToString implements conn.Endpoint. ParseEndpoint understands it.
func (e *endpoint) DstToString() string { return e.remote.String() }

// DstToBytes implements conn.Endpoint: what a cookie is made for.
func (e *endpoint) DstToBytes() []byte {
	b, _ := e.remote.MarshalBinary() // never fails
	return b
}
