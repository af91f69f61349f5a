package link

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"

	"golang.org/x/sys/unix"

	"ginnel/platform/netlink"
)

// aboutLink makes a struct ifinfomsg (rtnetlink.h). Of the IFF_* flags the
// kernel changes those in change.
func aboutLink(index, flags, change uint32) netlink.Body {
	b := make(netlink.Body, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], index)
	binary.NativeEndian.PutUint32(b[8:], flags)
	binary.NativeEndian.PutUint32(b[12:], change)
	return b
}

// parseDevice reads a struct ifinfomsg and what we want of its attributes.
func parseDevice(b []byte) (device, error) {
	if len(b) < unix.SizeofIfInfomsg {
		return device{}, fmt.Errorf("link message: %w", io.ErrUnexpectedEOF)
	}
	d := device{
		hardware: binary.NativeEndian.Uint16(b[2:]),
		index:    binary.NativeEndian.Uint32(b[4:]),
		flags:    binary.NativeEndian.Uint32(b[8:]),
	}
	var nested error
	err := netlink.Each(b[unix.SizeofIfInfomsg:], func(a netlink.Attribute) {
		switch a.Type {
		case unix.IFLA_IFNAME:
			d.name = a.Text()
		case unix.IFLA_MTU:
			d.mtu = int(a.Uint32())
		case unix.IFLA_LINKINFO:
			nested = netlink.Each(a.Value, d.parseInfo)
		}
	})
	if err = cmp.Or(err, nested); err != nil {
		return device{}, fmt.Errorf("link message: %w", err)
	}
	return d, nil
}

func (d *device) parseInfo(a netlink.Attribute) {
	if a.Type == unix.IFLA_INFO_KIND {
		d.kind = a.Text()
	}
}

// aboutAddress makes a struct ifaddrmsg (if_addr.h).
func aboutAddress(family, bits uint8, index uint32) netlink.Body {
	b := make(netlink.Body, unix.SizeofIfAddrmsg)
	b[0], b[1] = family, bits
	binary.NativeEndian.PutUint32(b[4:], index)
	return b
}

// parseAddress reads a struct ifaddrmsg and its attributes. It tells the
// address of this end: on a point-to-point link IFA_ADDRESS is the other's, and
// IPv6 has IFA_LOCAL there only. The prefix is not valid where there is none.
func parseAddress(b []byte) (a address, err error) {
	if len(b) < unix.SizeofIfAddrmsg {
		return address{}, fmt.Errorf("address message: %w", io.ErrUnexpectedEOF)
	}
	a.family, a.flags, a.index = b[0], uint32(b[2]), binary.NativeEndian.Uint32(b[4:])
	var local, other []byte
	err = netlink.Each(b[unix.SizeofIfAddrmsg:], func(at netlink.Attribute) {
		switch at.Type {
		case unix.IFA_LOCAL:
			local = at.Value
		case unix.IFA_ADDRESS:
			other = at.Value
		case unix.IFA_FLAGS:
			a.flags |= at.Uint32()
		}
	})
	if err != nil {
		return address{}, fmt.Errorf("address message: %w", err)
	}
	if local == nil {
		local = other
	}
	ip, _ := netip.AddrFromSlice(local)
	a.prefix = netip.PrefixFrom(ip, int(b[1]))
	return a, nil
}

// route is what interests us of a route. Without a valid prefix it is of a
// kind we do not make.
type route struct {
	family, protocol, kind uint8 // AF_*, RTPROT_*, RTN_*
	table, index           uint32
	prefix                 netip.Prefix
}

// aboutRoute makes a struct rtmsg (rtnetlink.h) about routes of ours in the main
// table.
func aboutRoute(family, bits, scope, kind uint8, index uint32) netlink.Body {
	b := make(netlink.Body, unix.SizeofRtMsg)
	b[0], b[1], b[4], b[5], b[6], b[7] = family, bits, unix.RT_TABLE_MAIN, RouteProtocol, scope, kind
	b.Uint32(unix.RTA_OIF, index)
	return b
}

func parseRoute(b []byte) (r route, err error) {
	if len(b) < unix.SizeofRtMsg {
		return route{}, fmt.Errorf("route message: %w", io.ErrUnexpectedEOF)
	}
	r.family, r.table, r.protocol, r.kind = b[0], uint32(b[4]), b[5], b[7]
	var to netip.Addr
	switch r.family { // a default route has no RTA_DST
	case unix.AF_INET:
		to = netip.IPv4Unspecified()
	case unix.AF_INET6:
		to = netip.IPv6Unspecified()
	}
	err = netlink.Each(b[unix.SizeofRtMsg:], func(a netlink.Attribute) {
		switch a.Type {
		case unix.RTA_DST:
			to, _ = netip.AddrFromSlice(a.Value)
		case unix.RTA_OIF:
			r.index = a.Uint32()
		case unix.RTA_TABLE:
			r.table = a.Uint32()
		}
	})
	if err != nil {
		return route{}, fmt.Errorf("route message: %w", err)
	}
	r.prefix = netip.PrefixFrom(to, int(b[1]))
	return r, nil
}
