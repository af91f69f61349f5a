package link

import (
	"encoding"
	"net/netip"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"ginnel/platform"
)

// step is one request to the kernel.
type step struct {
	what    string // for error messages
	typ     uint16
	flags   netlink.HeaderFlags
	message encoding.BinaryMarshaler
	done    []error // the errnos which say that there is nothing to do any more
}

func (s *step) run(c conn) error {
	_, err := c.request(s.typ, s.flags|netlink.Acknowledge, s.message)
	if err == nil || isAny(err, s.done...) {
		return nil
	}
	return netlinkError(err)
}

// steps returns the requests that do c, in their order: removals first, and
// the link comes up before its routes are added, which the kernel demands.
func steps(index uint32, c *platform.NetChange) []step {
	var all []step
	for _, p := range c.RemoveRoutes {
		all = append(all, removeRoute(index, p))
	}
	for _, p := range c.RemoveAddresses {
		all = append(all, removeAddress(index, p))
	}
	if c.SetMTU != 0 {
		all = append(all, setMTU(index, c.SetMTU))
	}
	if c.SetUp {
		all = append(all, setUp(index))
	}
	for _, p := range c.AddAddresses {
		all = append(all, addAddress(index, p))
	}
	for _, p := range c.AddRoutes {
		all = append(all, addRoute(index, p))
	}
	return all
}

func setUp(index uint32) step {
	return step{what: "bring it up", typ: unix.RTM_NEWLINK,
		message: &rtnetlink.LinkMessage{Index: index, Flags: unix.IFF_UP, Change: unix.IFF_UP}}
}

func setMTU(index uint32, mtu int) step {
	return step{what: "set MTU", typ: unix.RTM_NEWLINK,
		message: &rtnetlink.LinkMessage{Index: index, Attributes: &rtnetlink.LinkAttributes{MTU: uint32(mtu)}}}
}

func addAddress(index uint32, p netip.Prefix) step {
	return step{what: "add address " + p.String(), typ: unix.RTM_NEWADDR,
		flags:   netlink.Create | netlink.Excl,
		message: addressMessage(index, p, unix.IFA_F_NOPREFIXROUTE|unix.IFA_F_NODAD),
		done:    []error{unix.EEXIST}}
}

// removeAddress takes ENXIO, a link without IPv6, for an address that is gone.
func removeAddress(index uint32, p netip.Prefix) step {
	return step{what: "remove address " + p.String(), typ: unix.RTM_DELADDR,
		message: addressMessage(index, p, 0),
		done:    []error{unix.EADDRNOTAVAIL, unix.ENXIO}}
}

func addressMessage(index uint32, p netip.Prefix, flags uint32) *rtnetlink.AddressMessage {
	a := p.Addr().AsSlice()
	return &rtnetlink.AddressMessage{Family: family(p.Addr()), PrefixLength: uint8(p.Bits()), Index: index,
		Attributes: &rtnetlink.AddressAttributes{Address: a, Local: a, Flags: flags}}
}

// addRoute appends. Without netlink.Excl the kernel answers EEXIST to the very
// same route only, not to another program's route to the same destination.
func addRoute(index uint32, p netip.Prefix) step {
	return step{what: "add route " + p.String(), typ: unix.RTM_NEWROUTE,
		flags:   netlink.Create | netlink.Append,
		message: routeMessage(index, p),
		done:    []error{unix.EEXIST}}
}

func removeRoute(index uint32, p netip.Prefix) step {
	return step{what: "remove route " + p.String(), typ: unix.RTM_DELROUTE,
		message: routeMessage(index, p),
		done:    []error{unix.ESRCH}}
}

func routeMessage(index uint32, p netip.Prefix) *rtnetlink.RouteMessage {
	p = p.Masked()
	return &rtnetlink.RouteMessage{
		Family: family(p.Addr()), DstLength: uint8(p.Bits()),
		Table: unix.RT_TABLE_MAIN, Protocol: RouteProtocol,
		Scope: unix.RT_SCOPE_LINK, Type: unix.RTN_UNICAST,
		Attributes: rtnetlink.RouteAttributes{Dst: p.Addr().AsSlice(), OutIface: index},
	}
}

func family(a netip.Addr) uint8 {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
