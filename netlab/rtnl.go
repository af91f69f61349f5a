package netlab

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/jsimonetti/rtnetlink/v2/driver"
	"golang.org/x/sys/unix"
)

// A link is up after milliseconds, at worst after about a second.
const (
	linkLimit    = 20 * time.Second
	linkInterval = 2 * time.Millisecond
)

// linkIndex finds a link by name.
func linkIndex(c *rtnetlink.Conn, name string) (uint32, error) {
	links, err := c.Link.List()
	if err != nil {
		return 0, fmt.Errorf("list links: %w", err)
	}
	for _, l := range links {
		if l.Attributes != nil && l.Attributes.Name == name {
			return l.Index, nil
		}
	}
	return 0, fmt.Errorf("there is no link %s", name)
}

// makeVeth makes a pair of virtual Ethernet links, brings the first up, and
// returns its index.
func makeVeth(c *rtnetlink.Conn, name string, peer *rtnetlink.LinkAttributes) (index uint32, err error) {
	err = c.Link.New(&rtnetlink.LinkMessage{Attributes: &rtnetlink.LinkAttributes{
		Name: name,
		Info: &rtnetlink.LinkInfo{Kind: "veth", Data: &driver.Veth{PeerInfo: &rtnetlink.LinkMessage{Attributes: peer}}},
	}})
	if err != nil {
		return 0, fmt.Errorf("make veth pair: %w", err)
	}
	if index, err = linkIndex(c, name); err != nil {
		return 0, err
	}
	return index, setUp(c, index, true)
}

// setUp brings a link up, or down.
func setUp(c *rtnetlink.Conn, index uint32, up bool) error {
	m := &rtnetlink.LinkMessage{Index: index, Change: unix.IFF_UP}
	if up {
		m.Flags = unix.IFF_UP
	}
	if err := c.Link.Set(m); err != nil {
		return fmt.Errorf("set link %d up=%t: %w", index, up, err)
	}
	return nil
}

// awaitUp waits until a link carries packets. Carrier alone is not enough: the
// kernel drops what is sent before it has noted the carrier, a little later, and
// a neighbour is not asked for again until a second has passed.
func awaitUp(c *rtnetlink.Conn, index uint32) error {
	return poll(Patience(linkLimit), linkInterval, func() error {
		l, err := c.Link.Get(index)
		if err != nil {
			return fmt.Errorf("look at link %d: %w", index, err)
		}
		if s := l.Attributes.OperationalState; s != rtnetlink.OperStateUp {
			return fmt.Errorf("link %s is in operational state %d, not up", l.Attributes.Name, s)
		}
		return nil
	})
}

// addAddress adds an address that is usable at once.
func addAddress(c *rtnetlink.Conn, index uint32, p netip.Prefix) error {
	if err := c.Address.New(addressMessage(index, p)); err != nil {
		return fmt.Errorf("add address %s: %w", p, err)
	}
	return nil
}

func removeAddress(c *rtnetlink.Conn, index uint32, p netip.Prefix) error {
	if err := c.Address.Delete(addressMessage(index, p)); err != nil {
		return fmt.Errorf("remove address %s: %w", p, err)
	}
	return nil
}

func addressMessage(index uint32, p netip.Prefix) *rtnetlink.AddressMessage {
	m := &rtnetlink.AddressMessage{
		Family: family(p.Addr()), PrefixLength: uint8(p.Bits()), Index: index, Scope: unix.RT_SCOPE_UNIVERSE,
		Attributes: &rtnetlink.AddressAttributes{Address: p.Addr().AsSlice(), Local: p.Addr().AsSlice()},
	}
	if p.Addr().Is6() {
		m.Attributes.Flags = unix.IFA_F_NODAD
	}
	return m
}

// replaceRoute sends dst through via, over the link given (0: the one that
// reaches via). Of several routes to dst the one of lowest metric is used.
func replaceRoute(c *rtnetlink.Conn, index, metric uint32, dst netip.Prefix, via netip.Addr) error {
	if err := c.Route.Replace(routeMessage(index, metric, dst, via)); err != nil {
		return fmt.Errorf("route %s via %s: %w", dst, via, err)
	}
	return nil
}

// removeRoute undoes replaceRoute. A route that the kernel removed already,
// with the address it depended on, is no error.
func removeRoute(c *rtnetlink.Conn, index, metric uint32, dst netip.Prefix, via netip.Addr) error {
	err := c.Route.Delete(routeMessage(index, metric, dst, via))
	if err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("remove route %s via %s: %w", dst, via, err)
	}
	return nil
}

func routeMessage(index, metric uint32, dst netip.Prefix, via netip.Addr) *rtnetlink.RouteMessage {
	m := &rtnetlink.RouteMessage{
		Family: family(via), DstLength: uint8(dst.Bits()), Table: unix.RT_TABLE_MAIN,
		Protocol: unix.RTPROT_STATIC, Scope: unix.RT_SCOPE_UNIVERSE, Type: unix.RTN_UNICAST,
		Attributes: rtnetlink.RouteAttributes{Gateway: via.AsSlice(), OutIface: index, Priority: metric},
	}
	if dst.Bits() > 0 {
		m.Attributes.Dst = dst.Addr().AsSlice()
	}
	return m
}

// defaultFor is the default route's destination in a's family.
func defaultFor(a netip.Addr) netip.Prefix {
	if a.Is4() {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
}

func family(a netip.Addr) uint8 {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
