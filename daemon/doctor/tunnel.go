package doctor

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"ginnel/daemon/local"
	"ginnel/platform"
)

// sessionLife is how long a session of WireGuard carries packets
// (REJECT_AFTER_TIME).
const sessionLife = 180 * time.Second

// checkWireGuard looks for what carries the packets.
func checkWireGuard(x *exam) *Finding {
	s, m := x.n.Status, &x.Machine
	switch {
	case s != nil && s.Backend == string(platform.Userspace):
		return ok("the device in the daemon: the kernel's is not used")
	case s != nil && s.Backend != "":
		return ok("the kernel's")
	case m.WireGuard == platform.ModuleLoaded:
		return ok("the kernel has it")
	case m.WireGuard == platform.ModuleInstalled:
		return ok("the kernel's module is installed")
	case s == nil || s.State != local.Failed || !strings.HasPrefix(s.Error, "open tunnel ") || strings.Contains(s.Error, platform.ErrExist.Error()):
		// Only what platform.Tunnels says, and not of a link that has the name, is
		// about what carries packets: the rest is for the check of the network.
		return unknown("the kernel has no module; whether this program brings its own device shows when the daemon runs")
	case x.OpenWrt:
		return failed("the kernel has no WireGuard, and this build brings no device of its own" +
			do + "apk add kmod-wireguard (before OpenWrt 25: opkg update; opkg install kmod-wireguard)")
	}
	const tun = "/dev/net/tun"
	noWireGuard := "the kernel has no WireGuard, and the device in the daemon does not start: " + s.Error +
		do + "A kernel from 5.6 on has it: install the distribution's kernel with all its modules, then: modprobe wireguard"
	if !m.TUN {
		return failed(noWireGuard + do + "Or give the device in the daemon " + tun + ": modprobe tun; in a container, pass it in.")
	}
	if strings.Contains(s.Error, tun) { // it is there, and cannot be used
		return failed(noWireGuard + do + "Or let the daemon read and write " + tun + ": ls -l " + tun + "; usual is chmod 0666; in a container, the device has to be allowed.")
	}
	return failed(noWireGuard)
}

// checkPorts looks for two networks that want the same port.
func checkPorts(x *exam) *Finding {
	n := x.n
	if n.Config == nil {
		return unknown("only root may read which port it is to be")
	}
	want := n.Config.ListenPort
	for _, o := range x.all() {
		if o.Name != n.Name && o.Config != nil && o.Config.Enabled && want != 0 && o.Config.ListenPort == want {
			return failed("network %s has UDP port %d as well"+do+"Change option listen_port of one of them in %s; then: ginnel doctor", o.Name, want, x.Config.Path)
		}
	}
	have := n.listenPort()
	switch {
	case want != 0 && have != want:
		return warning("it listens on UDP port %d, not on %d as it is configured"+do+"Which program has the port? ss -lunp sport = :%[2]d", have, want)
	case have == 0:
		return ok("any UDP port")
	case n.IsCoordinator() && n.elsewhere(have):
		return warning("it listens on UDP port %d, and by the network's endpoints peers look for it at %d"+
			do+"Where a router forwards that port here all is well; else: ginnel listen-port set --network %s %[2]d"+
			do+"Or tell the peers the right one, while they still reach this machine: ginnel network rename-endpoint HOST:%[1]d", have, n.Hosts[0].Port, n.Name)
	}
	return ok("UDP port %d", have)
}

// elsewhere tells whether no endpoint of this coordinator has its port.
func (n *Network) elsewhere(port uint16) bool {
	for i := range n.Hosts {
		if n.Hosts[i].Port == port {
			return false
		}
	}
	return len(n.Hosts) > 0
}

// checkNetwork looks whether the daemon runs the network.
func checkNetwork(x *exam) *Finding {
	n := x.n
	switch {
	case n.Status == nil && x.Daemon.Err != nil:
		return unknown("the daemon does not tell")
	case n.Status == nil:
		return failed("the daemon does not know the network"+do+"Have it read the configuration again: ginnel up %s", n.Name)
	case n.Status.State != local.Up:
		return failed("%s"+do+"The log says more: %s", n.Status.Error, x.log())
	}
	return ok("up; this machine is %s, %s", orNobody(n.Status.Self.Name), n.Address)
}

func orNobody(name string) string {
	if name == "" {
		return "not named yet"
	}
	return name
}

// alive tells whether the tunnel to the coordinator carries packets now.
func (n *Network) alive() bool { return n.answered() || n.API.Heard }

// checkHandshake looks for a session with the coordinator.
func checkHandshake(x *exam) *Finding {
	n := x.n
	p := n.peer()
	switch {
	case p != nil && !p.LastHandshake.IsZero() && (n.answered() || !n.API.Asked && p.Connected):
		return ok("%s ago", x.ago(p.LastHandshake))
	case n.alive():
		return ok("the tunnel carries packets")
	case p == nil:
		return unknown("the daemon does not tell")
	case p.LastHandshake.IsZero():
		return failed("nothing answers at %s: %d bytes were sent, and there was no handshake yet%s", at(p), p.Tx, x.silence())
	case x.Now.Sub(p.LastHandshake) < sessionLife:
		return failed("nothing answers any longer at %s, though the last handshake was %s ago%s", at(p), x.ago(p.LastHandshake), x.silence())
	}
	return failed("nothing answers at %s: the last handshake was %s ago%s", at(p), x.ago(p.LastHandshake), x.silence())
}

func at(p *local.Peer) string {
	if !p.Endpoint.IsValid() {
		return "any known address"
	}
	return p.Endpoint.String()
}

// silence lists why a WireGuard does not answer: it never says. Where others
// answer that knew this machine by the coordinator alone, it is likely still a
// member.
func (x *exam) silence() string {
	blocked := do + "The coordinator's firewall, or its router, does not let UDP in. There: ginnel doctor"
	if len(x.n.Endpoints) > 0 {
		blocked = fmt.Sprintf(do+"The coordinator's firewall, or its router, does not let UDP port %d in. There: ginnel doctor", x.n.Endpoints[0].At.Port())
	}
	const cut = do + "An admin has disabled or removed this machine, or revoked its invitation. There: ginnel peer list" +
		do + "The coordinator was set up anew and has another key: leave, and join with a new invitation."
	if x.connected() > 0 {
		return blocked + do + "The coordinator is off, or its address is another now." + cut
	}
	return blocked + cut +
		do + "The coordinator is off, or this network lets no UDP out: try another, such as a phone's." +
		do + "This machine's clock was ahead and has been set back: WireGuard refuses it until then."
}

// connected counts the other peers that are reached.
func (x *exam) connected() (n int) {
	if x.n.Status == nil {
		return 0
	}
	for i := range x.n.Status.Peers {
		if p := &x.n.Status.Peers[i]; p.Connected && p.Address != x.n.Coordinator {
			n++
		}
	}
	return n
}

func (x *exam) ago(t time.Time) string {
	d := x.Now.Sub(t)
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", max(d, 0)/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// overhead is what WireGuard adds to a packet, in bytes: IP, UDP, and its own
// header and tag.
func overhead(outside netip.Addr) int {
	if outside.Unmap().Is4() {
		return 20 + 8 + 32
	}
	return 40 + 8 + 32
}

// checkMTU looks whether packets of full size get through.
func checkMTU(x *exam) *Finding {
	n := x.n
	mtu := n.Net.MTU
	if mtu == 0 {
		return unknown("the interface is not there")
	}
	fits, by := n.fitting()
	narrow := fits > 0 && fits < mtu
	switch {
	case n.IsCoordinator() && narrow:
		return warning("packets have up to %d bytes, and only %d fit through %s%s", mtu, fits, by, x.shrink(fits))
	case n.IsCoordinator():
		return ok("%d bytes", mtu)
	case !n.API.Big:
		return unknown("it takes an answer of the coordinator")
	case n.API.BigErr != nil && refusal(n.API.BigErr) == nil && narrow:
		return failed("small packets get through and those of full size, %d bytes, do not: only %d fit through %s%s", mtu, fits, by, x.shrink(fits))
	case n.API.BigErr != nil && refusal(n.API.BigErr) == nil:
		return failed("small packets get through and those of full size, %d bytes, do not%s", mtu, x.shrink(0))
	case narrow:
		return warning("packets have up to %d bytes, and only %d fit through %s: they are cut in pieces%s", mtu, fits, by, x.shrink(fits))
	}
	return ok("packets of %d bytes get through", mtu)
}

// fitting is the largest packet that fits through the way to the coordinator,
// or, on its machine, through every link; 0: unknown.
func (n *Network) fitting() (bytes int, link string) {
	for i := range n.Endpoints {
		e := &n.Endpoints[i]
		if e.RouteErr != nil || e.Route.MTU == 0 {
			continue
		}
		if b := e.Route.MTU - overhead(e.At.Addr()); bytes == 0 || b < bytes {
			bytes, link = b, e.Route.Link
		}
		if !n.IsCoordinator() {
			break // the one in use
		}
	}
	return bytes, link
}

// leastIPv6 is the least MTU that IPv6 allows (RFC 8200).
const leastIPv6 = 1280

// shrink is what to do where packets of fits bytes would get through; 0: that
// is not known.
func (x *exam) shrink(fits int) string {
	n := x.n
	if fits > 0 && fits < leastIPv6 && n.Root.Addr().Is6() {
		return fmt.Sprintf(do+"A network of IPv6 addresses needs %d: make the way wider by %d bytes, or connect by another link.", leastIPv6, leastIPv6-fits)
	}
	try := ""
	if fits == 0 {
		try, fits = "Try less: ", min(leastIPv6, n.Net.MTU-100)
	}
	return fmt.Sprintf(do+"%soption mtu '%d' in the section of %s in %s, here and on the other machines.", try, fits, n.Name, x.Config.Path)
}
