package netlab

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// The links of a switch's namespace: its bridge, and the cable by which its
// gateway, if it has one, is plugged into the bridge. (The gateway's addresses
// are not the bridge's own, because a new bridge is not operational for a
// second; a cable is at once.)
const (
	bridgeName      = "br0"
	gatewayName     = "gateway"
	gatewayPortName = "gateway-port"
)

// Switch is an Ethernet switch: a bridge in a network namespace of its own.
type Switch struct {
	w        *World
	name     string
	ns       *namespaces
	index    uint32 // of the bridge
	prefixes []netip.Prefix
	used     map[netip.Addr]bool // handed out, by Host or by name
	gateway  *namespaces         // what routes for this switch; nil when nothing does
}

// Switch makes a switch. With prefixes (CIDRs) it is a provider's network: it
// has the first address of each, and forwards between them and to whatever
// routers announce. Without, it only joins what is plugged in, and hosts on it
// need explicit addresses.
func (w *World) Switch(name string, prefixes ...string) *Switch {
	w.t.Helper()
	sw := w.newSwitch(name, w.prefixes(prefixes))
	if len(sw.prefixes) == 0 {
		return sw
	}
	sw.gateway = sw.ns
	w.must(sw.ns.rtnl(sw.makeGateway), "switch %s: gateway", name)
	return sw
}

// makeGateway gives the switch the first address of each prefix.
func (sw *Switch) makeGateway(c *rtnetlink.Conn) error {
	index, err := makeVeth(c, gatewayName, &rtnetlink.LinkAttributes{Name: gatewayPortName})
	if err != nil {
		return err
	}
	if err := sw.addPort(c, gatewayPortName); err != nil {
		return err
	}
	if err := awaitUp(c, index); err != nil {
		return err
	}
	for _, p := range sw.prefixes {
		gw := gatewayOf(p)
		sw.used[gw] = true
		if err := addAddress(c, index, netip.PrefixFrom(gw, p.Bits())); err != nil {
			return err
		}
	}
	return nil
}

// Internet makes the switch "internet": public hosts and the routers' WAN sides
// are plugged in there. Its prefixes are 203.0.113.0/24, 198.51.100.0/24,
// 192.0.2.0/24 and 2001:db8::/64. Automatic addresses are from the first and
// the last of them.
func (w *World) Internet() *Switch {
	w.t.Helper()
	return w.Switch("internet", "203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24", "2001:db8::/64")
}

// newSwitch makes a switch that has no addresses of its own.
func (w *World) newSwitch(name string, prefixes []netip.Prefix) *Switch {
	w.t.Helper()
	if w.switches[name] != nil {
		w.t.Fatalf("netlab: a switch named %q exists already", name)
	}
	sw := &Switch{w: w, name: name, prefixes: prefixes, used: map[netip.Addr]bool{}}
	var err error
	sw.ns, err = newNamespaces(unix.CLONE_NEWNET, sw.sysctls)
	w.must(err, "switch %s", name)
	w.nodes = append(w.nodes, sw.ns)
	w.must(sw.ns.rtnl(sw.makeBridge), "switch %s", name)
	w.switches[name] = sw
	return sw
}

// sysctls keeps IPv6 off the ports, and lets the bridge forward.
func (sw *Switch) sysctls() error {
	return writeSysctls("net/ipv6/conf/default/accept_dad", "0", "net/ipv4/ip_forward", "1", "net/ipv6/conf/all/forwarding", "1",
		"net/ipv4/conf/all/rp_filter", "0", "net/ipv4/conf/default/rp_filter", "0",
		"net/ipv4/conf/all/send_redirects", "0", "net/ipv4/conf/default/send_redirects", "0")
}

func (sw *Switch) makeBridge(c *rtnetlink.Conn) error {
	// Without a querier, multicast snooping would lose IPv6 neighbour discovery.
	const brMcastSnooping = 23 // IFLA_BR_MCAST_SNOOPING, linux/if_link.h
	options := netlink.NewAttributeEncoder()
	options.Uint8(brMcastSnooping, 0)
	data, err := options.Encode()
	if err != nil {
		return fmt.Errorf("encode bridge options: %w", err)
	}
	err = c.Link.New(&rtnetlink.LinkMessage{Attributes: &rtnetlink.LinkAttributes{
		Name: bridgeName,
		Info: &rtnetlink.LinkInfo{Kind: "bridge", Data: &rtnetlink.LinkData{Name: "bridge", Data: data}},
	}})
	if err != nil {
		return fmt.Errorf("make bridge: %w", err)
	}
	if sw.index, err = linkIndex(c, bridgeName); err != nil {
		return err
	}
	return setUp(c, sw.index, true)
}

// addPort makes a link of the switch's namespace a port, and brings it up, which
// the link's other end must be already.
func (sw *Switch) addPort(c *rtnetlink.Conn, name string) error {
	index, err := linkIndex(c, name)
	if err != nil {
		return err
	}
	err = c.Link.Set(&rtnetlink.LinkMessage{Index: index, Flags: unix.IFF_UP, Change: unix.IFF_UP,
		Attributes: &rtnetlink.LinkAttributes{Master: &sw.index}})
	if err != nil {
		return fmt.Errorf("add port to bridge: %w", err)
	}
	return awaitUp(c, index)
}

// place is the address, with prefix length, that s means on this switch: s may
// have a prefix length of its own, otherwise the switch's prefix gives it.
func (sw *Switch) place(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("address %q: %w", s, err)
	}
	p, ok := sw.prefixOf(a)
	if !ok {
		return netip.Prefix{}, fmt.Errorf("address %s is in none of %s's prefixes %v: give it a prefix length", a, sw.name, sw.prefixes)
	}
	return netip.PrefixFrom(a, p.Bits()), nil
}

// places turns a host's address arguments into addresses: none means a free one
// of each family the switch has.
func (sw *Switch) places(addrs []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range addrs {
		p, err := sw.place(s)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	for _, is4 := range []bool{true, false} {
		i := slices.IndexFunc(sw.prefixes, func(p netip.Prefix) bool { return p.Addr().Is4() == is4 })
		if len(addrs) > 0 || i < 0 {
			continue
		}
		p, err := sw.free(sw.prefixes[i])
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	for _, p := range out {
		sw.used[p.Addr()] = true
	}
	return out, nil
}

// free is p's lowest address that was never handed out.
func (sw *Switch) free(p netip.Prefix) (netip.Prefix, error) {
	a := gatewayOf(p).Next()
	for sw.used[a] {
		a = a.Next()
	}
	if !p.Contains(a) {
		return netip.Prefix{}, fmt.Errorf("%s has no free address in %s", sw.name, p)
	}
	return netip.PrefixFrom(a, p.Bits()), nil
}

func (sw *Switch) prefixOf(a netip.Addr) (netip.Prefix, bool) {
	for _, p := range sw.prefixes {
		if p.Contains(a) {
			return p, true
		}
	}
	return netip.Prefix{}, false
}

// gatewayOf is the address at which a prefix's router is found: its first.
func gatewayOf(p netip.Prefix) netip.Addr { return p.Addr().Next() }

// announce makes whatever routes for this switch send dst to via.
func (sw *Switch) announce(dst netip.Prefix, via netip.Addr) error {
	if sw.gateway == nil {
		return nil
	}
	return sw.gateway.rtnl(func(c *rtnetlink.Conn) error { return replaceRoute(c, 0, 0, dst, via) })
}
