package netlab

import (
	"errors"
	"net/netip"
)

// NAT is what a router does to IPv4 connections from its LAN, in the words of
// RFC 4787. IPv6 is never translated.
type NAT int

// The kinds of NAT. All but Routed hide the LAN behind the router's WAN
// address.
const (
	// PortRestricted is what most home routers do: endpoint-independent
	// mapping, address- and port-dependent filtering. An inside UDP port has one
	// outside port for all destinations, which only destinations that were
	// written to may answer to.
	//
	// For UDP the mapping is a fixed function: the last hexadecimal digit of the
	// inside address is xored into the upper four bits of the port. (Linux, left
	// to itself, keeps a port until two connections would clash, which makes the
	// mapping depend on the order of packets.) So hosts with the same port never
	// meet outside if their last digits differ, and only those with the digit 0
	// keep theirs, which stays free for a program on the router.
	PortRestricted NAT = iota
	// FullCone has the same mapping with endpoint-independent filtering: once an
	// inside port has sent anything, everyone may send to its outside port.
	FullCone
	// Symmetric has address- and port-dependent mapping and filtering: a fresh,
	// random outside port for every destination.
	Symmetric
	// Routed translates nothing: the LAN is routed to the router, which filters
	// as the others do.
	Routed
)

// Router joins a LAN to a WAN as a home router does. It is a host with the
// links eth0 (WAN) and eth1 (LAN, on which it has the prefixes' first
// addresses), and can run programs. New connections from the WAN are dropped,
// to the router and to the LAN; the LAN may do everything. There is no hairpin:
// the LAN does not reach itself through the WAN address.
type Router struct {
	*Host
	LAN *Switch // where the hosts behind it are plugged in
	WAN *Link   // its SetAddress and MoveTo end the connections through the NAT
	nat NAT
}

// Router makes a router between the switch wan, where it gets free addresses,
// and a new switch called name and "-lan" with the prefix lan and, for IPv6 on
// the LAN, more. The WAN may be another router's LAN: NAT behind NAT.
func (w *World) Router(name string, nat NAT, wan *Switch, lan string, more ...string) *Router {
	w.t.Helper()
	r := &Router{Host: w.newHost(name), nat: nat}
	r.Sysctl("net.ipv4.ip_forward", "1")
	r.Sysctl("net.ipv6.conf.all.forwarding", "1")
	r.LAN = w.newSwitch(name+"-lan", w.prefixes(append([]string{lan}, more...)))
	r.LAN.gateway = r.ns
	w.must(r.firewall(), "%s: firewall", name)
	r.WAN = r.Connect(wan)
	var inside []string
	for _, p := range r.LAN.prefixes {
		inside = append(inside, netip.PrefixFrom(gatewayOf(p), p.Bits()).String())
	}
	r.Connect(r.LAN, inside...)
	r.WAN.changed = r.wanChanged
	w.must(r.wanChanged(), "%s", name)
	return r
}

// wanChanged has the LAN's prefixes that are not translated routed to the
// present WAN addresses, and translates the others to it. Connections from
// before are forgotten.
func (r *Router) wanChanged() error {
	for _, p := range r.LAN.prefixes {
		is4 := p.Addr().Is4()
		via := r.WAN.addr(is4)
		if is4 && r.nat != Routed || !via.IsValid() {
			continue
		}
		if err := r.WAN.sw.announce(p, via); err != nil {
			return err
		}
	}
	if r.nat == Routed {
		return nil
	}
	if err := r.translateAs(r.WAN.addr(true)); err != nil {
		return err
	}
	return r.flush()
}

// AcceptUDP lets everyone on the WAN reach a UDP port of the router itself, as
// the owner of a router allows for a program that runs on it.
func (r *Router) AcceptUDP(port uint16) {
	r.w.t.Helper()
	r.w.must(r.openPort(port), "%s: accept UDP port %d", r.name, port)
}

// ForwardUDP sends what arrives at a UDP port of the WAN address to an address
// and port on the LAN ("192.168.1.2:51820"): a port forwarding that somebody
// set up by hand.
func (r *Router) ForwardUDP(port uint16, to string) {
	r.w.t.Helper()
	dst, err := netip.ParseAddrPort(to)
	if err == nil && !dst.Addr().Is4() {
		err = errors.New("IPv6 is not translated")
	}
	r.w.must(err, "%s: forward UDP port %d", r.name, port)
	r.w.must(r.forwardPort(port, dst), "%s: forward UDP port %d", r.name, port)
}

// ForgetNAT makes the router forget all connections and mappings, as a restart
// does.
func (r *Router) ForgetNAT() {
	r.w.t.Helper()
	r.w.must(r.flush(), "%s: forget NAT", r.name)
}
