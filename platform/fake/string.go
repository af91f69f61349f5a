package fake

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ginnel/platform"
)

// String prints the machine's whole state, for people and for golden tests:
// links with their addresses and routes, tunnels with their peers, names.
// Private keys are left out; handshakes are shown by their age.
func (o *OS) String() string {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "machine %s\n", o.name)
	for _, l := range o.links {
		o.printLink(&b, l)
	}
	for _, network := range slices.Sorted(maps.Keys(o.names)) {
		fmt.Fprintf(&b, "names of %s\n", network)
		for _, e := range o.names[network] {
			fmt.Fprintf(&b, "  %s %s\n", e.Address, strings.Join(e.Names, " "))
		}
	}
	return b.String()
}

func (o *OS) printLink(b *strings.Builder, l *link) {
	kind, updown := "link", "down"
	if l.tunnel != nil {
		kind = "tunnel"
	}
	if l.state.Up {
		updown = "up"
	}
	fmt.Fprintf(b, "%s %s %s mtu %d\n", kind, l.name, updown, l.state.MTU)
	for _, p := range l.state.Addresses {
		fmt.Fprintf(b, "  address %s\n", p)
	}
	for _, p := range l.state.Routes {
		fmt.Fprintf(b, "  route %s\n", p)
	}
	if l.tunnel != nil {
		o.printTunnel(b, l.tunnel)
	}
}

func (o *OS) printTunnel(b *strings.Builder, t *tunnel) {
	if !t.own.IsZero() {
		fmt.Fprintf(b, "  key %s\n", t.own)
	}
	fmt.Fprintf(b, "  port %d\n", t.state.ListenPort)
	if t.state.FwMark != 0 {
		fmt.Fprintf(b, "  fwmark %#x\n", t.state.FwMark)
	}
	for i := range t.state.Peers {
		o.printPeer(b, &t.state.Peers[i])
	}
}

func (o *OS) printPeer(b *strings.Builder, p *platform.Peer) {
	fmt.Fprintf(b, "  peer %s\n", p.PublicKey)
	if p.Endpoint.IsValid() {
		fmt.Fprintf(b, "    endpoint %s\n", p.Endpoint)
	}
	if p.Keepalive != 0 {
		fmt.Fprintf(b, "    keepalive %d\n", p.Keepalive)
	}
	for _, a := range p.AllowedIPs {
		fmt.Fprintf(b, "    allowed %s\n", a)
	}
	if !p.LastHandshake.IsZero() {
		fmt.Fprintf(b, "    handshake %s ago, received %d, sent %d\n", o.w.now.Sub(p.LastHandshake), p.Rx, p.Tx)
	}
}
