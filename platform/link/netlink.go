package link

import (
	"fmt"

	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/netlink"
)

// dumpTries bounds how often a dump is repeated that was torn by a change.
const dumpTries = 5

// conn is a netlink socket, for the length of one call.
type conn struct{ nl *netlink.Conn }

func dial() (conn, error) {
	nl, err := netlink.Dial(unix.NETLINK_ROUTE)
	if err != nil {
		return conn{}, netlinkError(err)
	}
	// Kernels before 4.20 ignore what a dump asks for and send everything, so
	// whoever reads a dump checks each entry itself.
	_ = nl.CheckStrictly(true)
	return conn{nl}, nil
}

func (c conn) close() { c.nl.Close() }

// dump returns all objects m asks for, or ErrTorn when they changed too often.
func (c conn) dump(typ uint16, m netlink.Body) ([][]byte, error) {
	for range dumpTries {
		answer, err := c.nl.Dump(typ, m)
		if err != nil {
			return nil, netlinkError(err)
		}
		if !answer.Torn {
			return answer.Bodies, nil
		}
	}
	return nil, platform.ErrTorn
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
	answer, err := c.nl.Do(unix.RTM_GETLINK, 0, linkRequest(name))
	if err != nil {
		return device{}, netlinkError(err)
	}
	if len(answer.Bodies) != 1 {
		return device{}, fmt.Errorf("the kernel gave %d answers for one link", len(answer.Bodies))
	}
	return parseDevice(answer.Bodies[0])
}

// devices returns all links.
func (c conn) devices() ([]device, error) {
	answers, err := c.dump(unix.RTM_GETLINK, linkRequest(""))
	if err != nil {
		return nil, err
	}
	all := make([]device, len(answers))
	for i, m := range answers {
		if all[i], err = parseDevice(m); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// linkRequest asks for the link of that name, empty for all, without its
// statistics.
func linkRequest(name string) netlink.Body {
	const skipStatistics = 1 << 3 // RTEXT_FILTER_SKIP_STATS, rtnetlink.h
	m := aboutLink(0, 0, 0)
	if name != "" {
		m.Text(unix.IFLA_IFNAME, name)
	}
	m.Uint32(unix.IFLA_EXT_MASK, skipStatistics)
	return m
}
