package link

import (
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"ginnel/platform"
)

// dumpTries bounds how often a dump is repeated that was torn by a change.
const dumpTries = 5

// conn is a netlink socket, for the length of one call.
type conn struct{ nl *netlink.Conn }

func dial() (conn, error) {
	nl, err := netlink.Dial(unix.NETLINK_ROUTE, nil)
	if err != nil {
		return conn{}, netlinkError(err)
	}
	// Kernels before 4.20 lack the second. They ignore what a dump asks for
	// and send everything, so whoever reads a dump checks each entry itself.
	_ = nl.SetOption(netlink.ExtendedAcknowledge, true)
	_ = nl.SetOption(netlink.GetStrictCheck, true)
	return conn{nl}, nil
}

func (c conn) close() { _ = c.nl.Close() }

// request sends m and returns the answers. The errors are the kernel's own.
func (c conn) request(typ uint16, flags netlink.HeaderFlags, m message) ([]netlink.Message, error) {
	data, err := m.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return c.nl.Execute(netlink.Message{
		Header: netlink.Header{Type: netlink.HeaderType(typ), Flags: netlink.Request | flags},
		Data:   data,
	})
}

// dump returns all objects m asks for, or ErrTorn when they changed too often.
func (c conn) dump(typ uint16, m message) ([]netlink.Message, error) {
	for range dumpTries {
		answers, err := c.request(typ, netlink.Dump, m)
		if err != nil {
			return nil, netlinkError(err)
		}
		if !torn(answers) {
			return answers, nil
		}
	}
	return nil, platform.ErrTorn
}

func torn(answers []netlink.Message) bool {
	for _, m := range answers {
		if m.Header.Flags&netlink.DumpInterrupted != 0 {
			return true
		}
	}
	return false
}

// device is what interests us of a link.
type device struct {
	index    uint32
	hardware uint16 // ARPHRD_*
	flags    uint32 // IFF_*
	mtu      int
	name     string
	kind     string // of a virtual link ("wireguard", "bridge"); empty: hardware
}

// device returns the link called name.
func (c conn) device(name string) (device, error) {
	if err := checkName(name); err != nil {
		return device{}, err
	}
	answers, err := c.request(unix.RTM_GETLINK, 0, linkRequest(name))
	if err != nil {
		return device{}, netlinkError(err)
	}
	if len(answers) != 1 {
		return device{}, fmt.Errorf("the kernel gave %d answers for one link", len(answers))
	}
	return parseDevice(answers[0].Data)
}

// devices returns all links.
func (c conn) devices() ([]device, error) {
	answers, err := c.dump(unix.RTM_GETLINK, linkRequest(""))
	if err != nil {
		return nil, err
	}
	all := make([]device, len(answers))
	for i, m := range answers {
		if all[i], err = parseDevice(m.Data); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// linkRequest asks for the link of that name, empty for all, without its
// statistics.
func linkRequest(name string) message {
	const skipStatistics = 1 << 3 // RTEXT_FILTER_SKIP_STATS, rtnetlink.h
	m := aboutLink(0, 0, 0)
	if name != "" {
		m.attributes.String(unix.IFLA_IFNAME, name)
	}
	m.attributes.Uint32(unix.IFLA_EXT_MASK, skipStatistics)
	return m
}
