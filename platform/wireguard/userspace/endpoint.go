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
	local      netip.Addr     // invalid: not known
	control    []byte         // the control message that says local; nil where it is not known
	sourceless atomic.Bool    // the kernel chooses the source
}

// newEndpoint makes an endpoint; local may be invalid.
func newEndpoint(remote netip.AddrPort, local netip.Addr) *endpoint {
	e := &endpoint{remote: netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()), local: local}
	switch {
	case !local.IsValid():
	case local.Is4():
		e.control = unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: local.As4()})
	default:
		e.control = unix.PktInfo6(&unix.Inet6Pktinfo{Addr: local.As16()})
	}
	return e
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
