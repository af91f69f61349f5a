package doctor

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"ginnel/platform"
	"ginnel/wire"
)

// checkFirewall looks whether the rules of this machine drop what it cannot do
// without.
func checkFirewall(x *exam) *Finding {
	n := x.n
	switch {
	case errors.Is(x.FiltersErr, platform.ErrPermission):
		return unknown("only root may read the rules")
	case errors.Is(x.FiltersErr, platform.ErrUnsupported) && !x.Machine.LegacyFilter:
		return ok("this kernel has no nftables, and so no rules")
	case x.FiltersErr != nil && !errors.Is(x.FiltersErr, platform.ErrUnsupported):
		return unknown("%v", x.FiltersErr)
	}
	if f := x.inTheWay(); f != nil {
		return f
	}
	switch {
	case x.Machine.LegacyFilter && (!n.answered() || n.IsCoordinator() && x.connected() == 0):
		return unknown("rules of the old iptables, which are not read here, may block the port" +
			do + "See iptables-legacy -S and ip6tables-legacy -S, or iptables -S where that is the old one.")
	case x.Machine.LegacyFilter:
		return ok("nftables has nothing in the way; the old iptables is not read here")
	case len(x.Filters) == 0:
		return ok("there are no rules")
	}
	return ok("no rule is known to be in the way")
}

// inTheWay finds the first packet that is dropped; nil: none is known to be.
func (x *exam) inTheWay() *Finding {
	if x.n.IsCoordinator() {
		return x.inTheCoordinatorsWay()
	}
	return x.inThePeersWay()
}

// dropped is about a packet, described by a text, if it is dropped for certain;
// nil: it is not.
func (x *exam) dropped(p *packet, v Verdict, what string, args ...any) *Finding {
	b := barred(x.Filters, p)
	if b == nil {
		return nil
	}
	f := say(v, "table %s %s, chain %s, drops "+what, append([]any{familyName(b.table.Family), b.table.Name, b.chain.Name}, args...))
	f.Advice = x.open(b, p)
	return f
}

// inTheCoordinatorsWay looks after the first packets of anybody. One open way
// in is enough: nobody comes by the bridge of a container.
func (x *exam) inTheCoordinatorsWay() (found *Finding) {
	n := x.n
	for _, u := range x.Underlay {
		if u.Link == n.Link() {
			continue
		}
		p := &packet{platform.HookInput, familyOf(u.Prefix.Addr()), u.Link, protocolUDP, 0, n.listenPort(), platform.StateNew}
		f := x.dropped(p, Failed, "UDP to port %d that comes by %s: nobody reaches the coordinator there", p.port, p.link)
		if f == nil {
			found = nil
			break
		}
		if found == nil {
			found = f
		}
	}
	if found != nil {
		return found
	}
	p := &packet{platform.HookInput, familyOf(n.Address), n.Link(), protocolTCP, 0, n.APIPort, platform.StateNew}
	return x.dropped(p, Failed, "TCP to port %d that comes by %s: the coordinator's API", p.port, p.link)
}

// inThePeersWay looks after what is sent to the coordinator, and the answers,
// unless they are known to arrive; and after signals, without which there is a
// slow poll.
func (x *exam) inThePeersWay() *Finding {
	n := x.n
	for i := range n.Endpoints {
		e := &n.Endpoints[i]
		if e.RouteErr != nil || n.answered() {
			continue
		}
		family, port := familyOf(e.At.Addr()), n.listenPort()
		out := &packet{platform.HookOutput, family, e.Route.Link, protocolUDP, port, e.At.Port(), platform.StateNew}
		in := &packet{platform.HookInput, family, e.Route.Link, protocolUDP, e.At.Port(), port, platform.StateEstablished}
		if f := x.dropped(out, Failed, "UDP that leaves for %s", e.At); f != nil {
			return f
		}
		if f := x.dropped(in, Failed, "UDP answers of %s", e.At); f != nil {
			return f
		}
	}
	inside := &packet{platform.HookInput, familyOf(n.Address), n.Link(), protocolTCP, n.APIPort, 0, platform.StateEstablished}
	if !n.answered() {
		if f := x.dropped(inside, Failed, "answers that come by %s", inside.link); f != nil {
			return f
		}
	}
	signal := &packet{platform.HookInput, familyOf(n.Address), n.Link(), protocolUDP, wire.SignalPort, wire.SignalPort, platform.StateNew}
	return x.dropped(signal, Warning, "UDP to port %d that comes by %s: news of the network are minutes late", signal.port, signal.link)
}

func familyOf(a netip.Addr) platform.Family {
	if a.Unmap().Is4() {
		return platform.IPv4
	}
	return platform.IPv6
}

func familyName(f platform.Family) string {
	switch f {
	case platform.IPv4:
		return "ip"
	case platform.IPv6:
		return "ip6"
	}
	return "inet"
}

// open says how to let p through, in the words of whoever made the rules.
func (x *exam) open(b *barrier, p *packet) []string {
	link := p.link == x.n.Link()
	service := "udp"
	if p.protocol == protocolTCP {
		service = "tcp"
	}
	switch {
	case x.OpenWrt && link:
		return []string{
			"Put the interface into a zone that accepts input: uci add_list firewall.@zone[0].device='" + p.link + "'",
			"uci commit firewall; service firewall reload",
		}
	case x.OpenWrt && p.hook == platform.HookInput && p.state == platform.StateNew:
		return []string{
			fmt.Sprintf("uci add firewall rule; uci set firewall.@rule[-1].src=wan; uci set firewall.@rule[-1].proto=udp; uci set firewall.@rule[-1].dest_port=%d; uci set firewall.@rule[-1].target=ACCEPT", p.port),
			"uci commit firewall; service firewall reload",
		}
	case b.table.Name == "firewalld" && link:
		return []string{"firewall-cmd --permanent --zone=trusted --add-interface=" + p.link + "; firewall-cmd --reload"}
	case b.table.Name == "firewalld" && p.hook == platform.HookInput:
		return []string{fmt.Sprintf("firewall-cmd --permanent --add-port=%d/%s; firewall-cmd --reload", p.port, service)}
	case b.has("ufw-user-input") || b.has("ufw6-user-input"):
		if link {
			return []string{"ufw allow in on " + p.link}
		}
		return []string{fmt.Sprintf("ufw allow %d/%s", p.port, service)}
	case b.table.Name == "filter" && b.chain.Name == strings.ToUpper(b.chain.Name):
		return []string{b.iptables(p, service, link)}
	}
	return []string{
		fmt.Sprintf("nft insert rule %s %s %s %s", familyName(b.table.Family), b.table.Name, b.chain.Name, p.match(service, link)),
		"That lasts until the next start: add it where your rules are kept, such as /etc/nftables.conf.",
	}
}

func (b *barrier) has(chain string) bool {
	for i := range b.table.Chains {
		if b.table.Chains[i].Name == chain {
			return true
		}
	}
	return false
}

// match is the rule that accepts p, in the language of nft.
func (p *packet) match(service string, link bool) string {
	switch {
	case link:
		return fmt.Sprintf("iifname %q accept", p.link)
	case p.hook == platform.HookOutput:
		return fmt.Sprintf("udp dport %d accept", p.port)
	case p.state == platform.StateEstablished:
		return "ct state established,related accept"
	}
	return fmt.Sprintf("%s dport %d accept", service, p.port)
}

func (b *barrier) iptables(p *packet, service string, link bool) string {
	program := "iptables"
	if b.table.Family == platform.IPv6 {
		program = "ip6tables"
	}
	line := fmt.Sprintf("%s -I %s ", program, b.chain.Name)
	switch {
	case link:
		return line + "-i " + p.link + " -j ACCEPT"
	case p.state == platform.StateEstablished:
		return line + "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
	}
	return line + fmt.Sprintf("-p %s --dport %d -j ACCEPT", service, p.port)
}
