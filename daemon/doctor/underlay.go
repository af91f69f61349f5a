package doctor

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"ginnel/platform"
)

// checkAddresses looks for a range that is in two places: only one of them can
// be reached.
func checkAddresses(x *exam) *Finding {
	n := x.n
	if !n.Root.IsValid() {
		return unknown("the network's range is not known")
	}
	for _, u := range x.Underlay {
		if u.Link != n.Link() && n.Root.Overlaps(u.Prefix.Masked()) {
			return failed("%s, the network's range, and %s of %s are the same addresses"+
				do+"Give the LAN of %[3]s another range, or connect by another link: one of the two cannot be reached."+
				do+"A network's own range cannot be changed: it would have to be made anew.", n.Root, u.Prefix.Masked(), u.Link)
		}
	}
	for _, o := range x.all() {
		if o.Name != n.Name && o.Root.IsValid() && o.Root.Overlaps(n.Root) && !o.isOff() {
			return failed("%s and %s of network %s are the same addresses"+
				do+"This machine can be in one of them at a time: ginnel down %[3]s", n.Root, o.Root, o.Name)
		}
	}
	if name, a := x.double(); name != "" {
		return warning("%s says that it has %s, which is this machine's"+
			do+"Two machines with one address disturb each other: give one of them another.", name, a)
	}
	if x.UnderlayErr != nil {
		return unknown("%v", x.UnderlayErr)
	}
	return ok("%s is nobody else's", n.Root)
}

// all are the machine's networks.
func (x *exam) all() []*Network {
	list := make([]*Network, 0, len(x.Networks)+len(x.Others))
	for _, from := range [][]Network{x.Networks, x.Others} {
		for i := range from {
			list = append(list, &from[i])
		}
	}
	return list
}

// double finds another member that says it has an address of ours, where that
// cannot be another LAN with the same numbers: the address is public, or both
// are seen behind the same one. Only the link towards the coordinator counts:
// bridges of containers have the same addresses everywhere.
func (x *exam) double() (name string, a netip.Addr) {
	s := x.n.Status
	if s == nil || len(x.n.Endpoints) == 0 {
		return "", a
	}
	link := x.n.Endpoints[0].Route.Link
	for i := range s.Peers {
		p := &s.Peers[i]
		for _, c := range p.Endpoints.Candidates {
			a = c.Addr().Unmap()
			own := slices.ContainsFunc(x.Underlay, func(u platform.UnderlayAddress) bool { return u.Link == link && u.Prefix.Addr().Unmap() == a })
			near := !a.IsPrivate() || p.Endpoints.Seen.IsValid() && p.Endpoints.Seen.Addr() == s.Self.Endpoints.Seen.Addr()
			if own && near {
				return p.Name, a
			}
		}
	}
	return "", a
}

// checkNames looks at the names of the coordinator's endpoints.
func checkNames(x *exam) *Finding {
	n := x.n
	if n.Config == nil && len(n.Hosts) == 0 {
		return unknown("only root may read where the coordinator is")
	}
	var found, lost []string
	var why error
	for _, h := range n.Hosts {
		if h.Err != nil || len(h.Addrs) == 0 {
			lost, why = append(lost, h.Name), h.Err
			continue
		}
		if _, err := netip.ParseAddr(h.Name); err != nil {
			found = append(found, fmt.Sprintf("%s is %s", h.Name, h.Addrs[0]))
		}
	}
	switch {
	case len(n.Hosts) == 0 && n.IsCoordinator() && !n.answered():
		return unknown("the coordinator tells them")
	case len(n.Hosts) == 0 && n.IsCoordinator():
		return warning("the network does not say where its coordinator is, so no invitation can be made" +
			do + "ginnel network rename-endpoint HOST:PORT")
	case len(n.Hosts) == 0:
		return failed("the configuration does not say where the coordinator is"+
			do+"Add to the section of %s in %s: list coordinator 'HOST:PORT'", n.Name, x.Config.Path)
	case len(lost) > 0:
		return x.lost(lost, why)
	case len(found) > 0:
		return ok("%s", strings.Join(found, ", "))
	}
	return ok("none to look up: %s", n.Hosts[0].Name)
}

// lost is about names that have no address.
func (x *exam) lost(names []string, why error) *Finding {
	v, has := Failed, "has"
	if len(names) < len(x.n.Hosts) || x.n.IsCoordinator() {
		v = Warning
	}
	if len(names) > 1 {
		has = "have"
	}
	if why == nil {
		why = errors.New("an empty answer")
	}
	return say(v, "%s %s no address (%v)"+
		do+"Is this machine's name server reachable? See /etc/resolv.conf, and try another name."+
		do+"Is the name right? `ginnel network rename-endpoint` changes it; on a peer it is in the section of %s in %s."+
		do+"Whoever keeps the domain may have removed the name; an address in its place works too.",
		[]any{strings.Join(names, " and "), has, why, x.n.Name, x.Config.Path})
}

// checkRoute looks whether packets to the coordinator would leave, and not by
// the tunnel itself.
func checkRoute(x *exam) *Finding {
	n := x.n
	if len(n.Endpoints) == 0 {
		return unknown("no address of the coordinator is known")
	}
	var problem error
	for i := range n.Endpoints {
		e := &n.Endpoints[i]
		switch {
		case e.RouteErr != nil:
			problem = e.RouteErr
		case e.Route.Link == n.Link():
			problem = fmt.Errorf("%s is routed into %s itself", e.At.Addr(), e.Route.Link)
		default:
			return ok("%s by %s", e.At.Addr(), e.Route.Link)
		}
	}
	return failed("there is no way to the coordinator: %v"+
		do+"Is this machine connected? It needs a default route: ip route"+
		do+"A route into the tunnel must not cover the coordinator's own address outside.", problem)
}

// checkReversePath looks whether the kernel would drop what comes out of the
// tunnel, because it would send the answer elsewhere.
func checkReversePath(x *exam) *Finding {
	n := x.n
	link := n.Link()
	strict := slices.Contains(x.Machine.Strict, link)
	switch {
	case !n.Coordinator.IsValid():
		return unknown("the coordinator's address is not known")
	case n.Coordinator.Is6():
		return ok("there is none for IPv6")
	case !strict:
		return ok("not strict on %s", link)
	case n.answered():
		return ok("strict on %s, and the routes agree", link)
	case n.OverlayErr != nil:
		return unknown("%v", n.OverlayErr)
	case n.Overlay.Link == link:
		return ok("strict on %s, and the routes agree", link)
	}
	return failed("rp_filter is 1 on %s, but %s is routed by %s: the kernel drops what comes by %[1]s"+
		do+"Let ginnel route the network: option routes '1' (then: ip route get %[4]s)"+
		do+"Or let the check be loose: sysctl -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.%[1]s.rp_filter=2", link, n.Root, n.Overlay.Link, n.Coordinator)
}

// checkForwarding looks whether the kernel passes on what the LAN's machines
// send to peers, where they are to reach them.
func checkForwarding(x *exam) *Finding {
	setting, off := "net.ipv4.ip_forward", x.Machine.NoForward4
	if x.n.Root.Addr().Is6() {
		setting, off = "net.ipv6.conf.all.forwarding", x.Machine.NoForward6
	}
	switch {
	case x.n.Config == nil || !x.n.Config.AllowLAN:
		return nil
	case off:
		return warning("%s is 0: the LAN does not reach peers, as option allow_lan wants it"+
			do+"sysctl -w %[1]s=1"+do+"For the next start: echo %[1]s=1 >> /etc/sysctl.d/90-forwarding.conf", setting)
	}
	return ok("the kernel forwards")
}

// checkUDP looks at what came of knocking at the coordinator's port.
func checkUDP(x *exam) *Finding {
	n := x.n
	if e := n.stale(); e != nil && n.alive() {
		return warning("nothing listens on UDP port %d of %s, where the configuration has the coordinator"+
			do+"It is reached by an address that it told itself, and after a restart perhaps not: correct the section of %s in %s.", e.At.Port(), e.At.Addr(), n.Name, x.Config.Path)
	}
	var first *Endpoint
	for i := range n.Endpoints {
		e := &n.Endpoints[i]
		switch {
		case e.RouteErr != nil || e.Echo == "":
		case e.Echo == platform.EchoSilence && n.alive():
			return ok("%s answers", e.At)
		case e.Echo == platform.EchoSilence:
			return unknown("%s is silent, as WireGuard is to strangers: see the handshake", e.At)
		case first == nil:
			first = e
		}
	}
	switch {
	case first == nil && n.alive():
		return ok("it gets through")
	case first == nil:
		return unknown("no address of the coordinator could be tried")
	case n.alive():
		return ok("it gets through, by another way than %s", first.At)
	}
	return x.echoed(first)
}

// stale returns a configured endpoint where nothing listens, when there is none
// where something may.
func (n *Network) stale() (found *Endpoint) {
	for i := range n.Endpoints {
		e := &n.Endpoints[i]
		switch {
		case !n.isConfigured(e.At):
		case e.Echo != platform.EchoRefused:
			return nil
		default:
			found = e
		}
	}
	return found
}

// isConfigured tells whether the configuration has the coordinator there.
func (n *Network) isConfigured(at netip.AddrPort) bool {
	for i := range n.Hosts {
		if h := &n.Hosts[i]; h.Port == at.Port() && slices.Contains(h.Addrs, at.Addr()) {
			return true
		}
	}
	return false
}

// echoed is about what came back.
func (x *exam) echoed(e *Endpoint) *Finding {
	switch e.Echo {
	case platform.EchoRefused:
		return failed("nothing listens on UDP port %d of %s"+
			do+"Does the daemon run on the coordinator? There: ginnel doctor"+
			do+"Is the port right? There: ginnel status. Here: the section of %s in %s"+
			do+"A firewall there, or its router's port forwarding, may refuse the port.", e.At.Port(), e.At.Addr(), x.n.Name, x.Config.Path)
	case platform.EchoBarred:
		return failed("this machine's firewall does not let UDP out to %s"+do+"Let UDP to port %d out: nft list ruleset, hook output", e.At, e.At.Port())
	}
	return failed("a router says that %s cannot be reached"+
		do+"Is the coordinator switched on and connected?"+
		do+"Is that still its address?", e.At.Addr())
}
