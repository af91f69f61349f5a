package link

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/netlink"
)

// step is one request to the kernel.
type step struct {
	what    string // for error messages
	typ     uint16
	flags   uint16 // NLM_F_*
	message netlink.Body
	done    []error // the errnos which say that there is nothing to do any more
}

func (s *step) run(c conn) error {
	_, err := c.nl.Do(s.typ, s.flags, s.message)
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
	return step{what: "bring it up", typ: unix.RTM_NEWLINK, message: aboutLink(index, unix.IFF_UP, unix.IFF_UP)}
}

func setMTU(index uint32, mtu int) step {
	m := aboutLink(index, 0, 0)
	m.Uint32(unix.IFLA_MTU, uint32(mtu))
	return step{what: "set MTU", typ: unix.RTM_NEWLINK, message: m}
}

func addAddress(index uint32, p netip.Prefix) step {
	m := messageOfAddress(index, p)
	m.Uint32(unix.IFA_FLAGS, unix.IFA_F_NOPREFIXROUTE|unix.IFA_F_NODAD)
	return step{what: "add address " + p.String(), typ: unix.RTM_NEWADDR,
		flags:   unix.NLM_F_CREATE | unix.NLM_F_EXCL,
		message: m,
		done:    []error{unix.EEXIST}}
}

// removeAddress takes ENXIO, a link without IPv6, for an address that is gone.
func removeAddress(index uint32, p netip.Prefix) step {
	return step{what: "remove address " + p.String(), typ: unix.RTM_DELADDR,
		message: messageOfAddress(index, p),
		done:    []error{unix.EADDRNOTAVAIL, unix.ENXIO}}
}

func messageOfAddress(index uint32, p netip.Prefix) netlink.Body {
	m := aboutAddress(family(p.Addr()), uint8(p.Bits()), index)
	m.Bytes(unix.IFA_ADDRESS, p.Addr().AsSlice())
	m.Bytes(unix.IFA_LOCAL, p.Addr().AsSlice())
	return m
}

// addRoute appends. Without NLM_F_EXCL the kernel answers EEXIST to the very
// same route only, not to another program's route to the same destination.
func addRoute(index uint32, p netip.Prefix) step {
	return step{what: "add route " + p.String(), typ: unix.RTM_NEWROUTE,
		flags:   unix.NLM_F_CREATE | unix.NLM_F_APPEND,
		message: messageOfRoute(index, p),
		done:    []error{unix.EEXIST}}
}

func removeRoute(index uint32, p netip.Prefix) step {
	return step{what: "remove route " + p.String(), typ: unix.RTM_DELROUTE,
		message: messageOfRoute(index, p),
		done:    []error{unix.ESRCH}}
}

func messageOfRoute(index uint32, p netip.Prefix) netlink.Body {
	p = p.Masked()
	m := aboutRoute(family(p.Addr()), uint8(p.Bits()), unix.RT_SCOPE_LINK, unix.RTN_UNICAST, index)
	m.Bytes(unix.RTA_DST, p.Addr().AsSlice())
	return m
}

func family(a netip.Addr) uint8 {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
