package main

import (
	"net/netip"

	"ginnel/daemon/config"
)

// machineOptions are the options of a new section about what the network is on
// this machine. The result puts their values into the section.
func machineOptions(o *options) func(n *config.Network) error {
	mtu := o.Uint16("mtu", config.DefaultMTU, "the interface's MTU in `BYTES`")
	keepalive := o.Uint16("keepalive", config.DefaultKeepalive, "`SECONDS` between the packets that keep a NAT's mapping open; 0: none")
	noRoutes := o.Bool("no-routing", "", "add no route for the network's range")
	hosts := o.String("hosts", "", usualHosts(), "the hosts `FILE` to keep the peers' names in, dnsmasq, or none")
	exclude := o.Strings("exclude", "a `RANGE` of own addresses never told to others, or all; may be repeated")
	link := o.String("interface", "", "", "use the interface `NAME`, which others make and delete, instead of making one")
	suffix := o.String("suffix", "", config.DefaultSuffix, "what the peers' names end in: NAME.NETWORK.`SUFFIX`; none: NAME.NETWORK")
	return func(n *config.Network) (err error) {
		n.MTU, n.Keepalive, n.Routes, n.Hosts = int(*mtu), *keepalive, !*noRoutes, *hosts
		if *hosts == usualHosts() {
			n.Hosts = config.DefaultHosts
		}
		n.Existing, n.Interface = *link != "", *link
		n.Suffix = *suffix
		if n.Suffix == config.NoSuffix {
			n.Suffix = ""
		}
		n.Exclude, err = parseExclude(*exclude)
		return err
	}
}

// checkMTU is config's, in the words of the command line.
func checkMTU(n *config.Network, root netip.Prefix) error {
	if err := n.CheckMTU(root); err != nil {
		return usagef("--mtu: %v", err)
	}
	return nil
}

func parseExclude(list []string) (out []netip.Prefix, err error) {
	for _, s := range list {
		if s == "all" {
			out = append(out, netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, usagef("%q is no range of addresses: want one such as 192.168.0.0/16, or all", s)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
