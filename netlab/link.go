package netlab

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/jsimonetti/rtnetlink/v2"
)

// Link is a cable between a host and a switch, with the host's addresses on it.
type Link struct {
	host  *Host
	sw    *Switch
	name  string // in the host
	port  string // in the switch
	index uint32 // in the host
	addrs []netip.Prefix
	// The default routes that go over this link, by gateway, and their metric:
	// a host's first link is preferred.
	gateways []netip.Addr
	metric   uint32
	changed  func() error // called when the addresses have changed; may be nil
}

// Connect plugs another cable between h and a switch, and returns it. The link
// is called eth and the number of links the host had. Addresses are as for
// World.Host. The default route over the host's first link stays preferred.
func (h *Host) Connect(sw *Switch, addrs ...string) *Link {
	h.w.t.Helper()
	n := len(h.links)
	l := &Link{host: h, sw: sw, name: "eth" + strconv.Itoa(n), port: h.w.portName(), metric: uint32(100 + n)}
	h.w.must(h.ns.rtnl(l.makeCable), "%s: connect to %s", h.name, sw.name)
	h.w.must(l.plug(), "%s: connect to %s", h.name, sw.name)
	h.links = append(h.links, l)
	l.SetAddress(addrs...)
	return l
}

// Name is the link's name in the host: eth0, eth1 and so on.
func (l *Link) Name() string { return l.name }

// Addrs are the host's addresses on this link.
func (l *Link) Addrs() []netip.Prefix { return slices.Clone(l.addrs) }

// Down cuts the cable: the host's link loses its carrier, and keeps its
// addresses and routes. Cutting a cut cable changes nothing.
func (l *Link) Down() {
	l.host.w.t.Helper()
	l.host.w.must(l.sw.ns.rtnl(func(c *rtnetlink.Conn) error {
		index, err := linkIndex(c, l.port)
		if err != nil {
			return err
		}
		return setUp(c, index, false)
	}), "%s: cut %s", l.host.name, l.name)
}

// Up mends the cable.
func (l *Link) Up() {
	l.host.w.t.Helper()
	l.host.w.must(l.plug(), "%s: mend %s", l.host.name, l.name)
}

// SetAddress replaces all addresses of this link, and the default routes over
// it, as a provider or a DHCP server does that gives out another address. An
// address is "192.0.2.7" or, outside the switch's prefixes, "192.0.2.7/24".
// None means a free one of each family that the switch has.
func (l *Link) SetAddress(addrs ...string) {
	l.host.w.t.Helper()
	places, err := l.sw.places(addrs)
	l.host.w.must(err, "%s: address", l.host.name)
	l.host.w.must(l.host.ns.rtnl(func(c *rtnetlink.Conn) error {
		if err := l.clear(c); err != nil {
			return err
		}
		return l.configure(c, places)
	}), "%s: set addresses of %s", l.host.name, l.name)
	if l.changed != nil {
		l.host.w.must(l.changed(), "%s: new addresses of %s", l.host.name, l.name)
	}
}

// MoveTo pulls the cable out of its switch and plugs it into another, with
// other addresses: a laptop that roams. The host keeps its link. Addresses are
// as for SetAddress.
func (l *Link) MoveTo(sw *Switch, addrs ...string) {
	l.host.w.t.Helper()
	l.host.w.must(l.sw.ns.rtnl(func(c *rtnetlink.Conn) error {
		index, err := linkIndex(c, l.port)
		if err != nil {
			return err
		}
		return c.Link.Set(&rtnetlink.LinkMessage{Index: index,
			Attributes: &rtnetlink.LinkAttributes{NetNS: rtnetlink.NetNSForFD(uint32(sw.ns.net.Fd()))}})
	}), "%s: unplug from %s", l.host.name, l.sw.name)
	l.sw = sw
	l.host.w.must(l.plug(), "%s: connect to %s", l.host.name, sw.name)
	l.SetAddress(addrs...)
}

// makeCable makes the veth pair: one end here, one in the switch.
func (l *Link) makeCable(c *rtnetlink.Conn) (err error) {
	l.index, err = makeVeth(c, l.name, &rtnetlink.LinkAttributes{
		Name: l.port, NetNS: rtnetlink.NetNSForFD(uint32(l.sw.ns.net.Fd())),
	})
	return err
}

// plug makes the far end, which is in the switch's namespace already, a port,
// and waits until the cable works both ways.
func (l *Link) plug() error {
	err := l.sw.ns.rtnl(func(c *rtnetlink.Conn) error { return l.sw.addPort(c, l.port) })
	if err != nil {
		return err
	}
	return l.host.ns.rtnl(func(c *rtnetlink.Conn) error { return awaitUp(c, l.index) })
}

// clear removes the link's addresses and default routes.
func (l *Link) clear(c *rtnetlink.Conn) error {
	for _, gw := range l.gateways {
		if err := removeRoute(c, l.index, l.metric, defaultFor(gw), gw); err != nil {
			return err
		}
	}
	for _, p := range l.addrs {
		if err := removeAddress(c, l.index, p); err != nil {
			return err
		}
	}
	l.addrs, l.gateways = nil, nil
	return nil
}

// configure gives the link its addresses, and a default route for each through
// the switch's gateway, if it has one that is not this host.
func (l *Link) configure(c *rtnetlink.Conn, addrs []netip.Prefix) error {
	for _, p := range addrs {
		if err := addAddress(c, l.index, p); err != nil {
			return err
		}
		l.addrs = append(l.addrs, p)
		home, ok := l.sw.prefixOf(p.Addr())
		gw := gatewayOf(home)
		if !ok || l.sw.gateway == nil || gw == p.Addr() || slices.Contains(l.gateways, gw) {
			continue
		}
		if err := replaceRoute(c, l.index, l.metric, defaultFor(gw), gw); err != nil {
			return err
		}
		l.gateways = append(l.gateways, gw)
	}
	return nil
}

// addr is the link's first address of a family, or the zero Addr.
func (l *Link) addr(is4 bool) netip.Addr {
	for _, p := range l.addrs {
		if p.Addr().Is4() == is4 {
			return p.Addr()
		}
	}
	return netip.Addr{}
}
