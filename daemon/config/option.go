package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ginnel/wire"
)

// option is one option of a network's section: how it is read and written.
type option struct {
	name string
	list bool
	// read sets the field to the option's values; one, unless list.
	read func(n *Network, values []string) error
	// write returns what read understands; none for the default.
	write func(n *Network) []string
}

// options are all that a section may have, in the order they are written.
var options = []option{
	{name: "enabled", read: one(readEnabled), write: writeEnabled},
	{name: optionRole, read: one(readRole), write: writeRole},
	{name: optionInvitation, read: one(readInvitation), write: writeInvitation},
	{name: "listen_port", read: one(readListenPort), write: writeListenPort},
	{name: "mtu", read: one(readMTU), write: writeMTU},
	{name: "keepalive", read: one(readKeepalive), write: writeKeepalive},
	{name: "routes", read: one(readRoutes), write: writeRoutes},
	{name: "hosts", read: one(readHosts), write: writeHosts},
	{name: "suffix", read: one(readSuffix), write: writeSuffix},
	{name: optionMode, read: one(readInterfaceMode), write: writeInterfaceMode},
	{name: optionInterface, read: one(readInterface), write: writeInterface},
	{name: "backend", read: one(readBackend), write: writeBackend},
	{name: "firewall", read: one(readFirewall), write: writeFirewall},
	{name: "allow_input", read: one(readAllowInput), write: writeAllowInput},
	{name: "allow_lan", read: one(readAllowLAN), write: writeAllowLAN},
	{name: listCoordinator, list: true, read: readCoordinator, write: writeCoordinator},
	{name: listEndpoint, list: true, read: readEndpoint, write: writeEndpoint},
	{name: listOverride, list: true, read: readOverrides, write: writeOverrides},
	{name: "exclude", list: true, read: readExclude, write: writeExclude},
}

// one makes a reader of a single value.
func one(read func(*Network, string) error) func(*Network, []string) error {
	return func(n *Network, values []string) error { return read(n, values[0]) }
}

func readEnabled(n *Network, s string) (err error) { n.Enabled, err = parseBool(s); return err }

func writeEnabled(n *Network) []string { return unlessTrue(n.Enabled) }

func readRoutes(n *Network, s string) (err error) { n.Routes, err = parseBool(s); return err }

func writeRoutes(n *Network) []string { return unlessTrue(n.Routes) }

func readFirewall(n *Network, s string) (err error) { n.Firewall, err = parseBool(s); return err }

func writeFirewall(n *Network) []string { return unlessTrue(n.Firewall) }

func readAllowInput(n *Network, s string) (err error) { n.AllowInput, err = parseBool(s); return err }

func writeAllowInput(n *Network) []string { return unlessFalse(n.AllowInput) }

func readAllowLAN(n *Network, s string) (err error) { n.AllowLAN, err = parseBool(s); return err }

func writeAllowLAN(n *Network) []string { return unlessFalse(n.AllowLAN) }

// parseBool reads what OpenWrt's own scripts take for yes and no.
func parseBool(s string) (bool, error) {
	switch s {
	case "1", "on", "true", "yes", "enabled":
		return true, nil
	case "0", "off", "false", "no", "disabled":
		return false, nil
	}
	return false, fmt.Errorf("%.40q is neither 1 nor 0", s)
}

func unlessTrue(b bool) []string {
	if b {
		return nil
	}
	return []string{"0"}
}

func unlessFalse(b bool) []string {
	if b {
		return []string{"1"}
	}
	return nil
}

func readRole(n *Network, s string) error {
	switch r := Role(s); r {
	case Peer, Coordinator:
		n.Role = r
		return nil
	}
	return fmt.Errorf("%.40q is neither %s nor %s", s, Peer, Coordinator)
}

func writeRole(n *Network) []string { return []string{string(n.Role)} }

func readListenPort(n *Network, s string) error {
	v, err := parseNumber(s, 0, 65535)
	if err == nil && v == wire.SignalPort {
		err = fmt.Errorf("%d is the port of signals inside the tunnel: take another", v)
	}
	n.ListenPort = uint16(v)
	return err
}

func writeListenPort(n *Network) []string { return unlessNumber(int(n.ListenPort), 0) }

func readMTU(n *Network, s string) (err error) { n.MTU, err = parseNumber(s, 576, 9000); return err }

// leastIPv6 is the least MTU of a link that has IPv6 (RFC 8200), in bytes.
const leastIPv6 = 1280

// CheckMTU refuses an MTU that is too small for a network of that range: the
// kernel would take IPv6 off the interface.
func (n *Network) CheckMTU(root netip.Prefix) error {
	if root.Addr().Is6() && n.MTU < leastIPv6 {
		return fmt.Errorf("%d is too small for %s: IPv6 needs %d at least", n.MTU, root, leastIPv6)
	}
	return nil
}

func writeMTU(n *Network) []string { return unlessNumber(n.MTU, DefaultMTU) }

func readKeepalive(n *Network, s string) error {
	v, err := parseNumber(s, 0, 65535)
	n.Keepalive = uint16(v)
	return err
}

func writeKeepalive(n *Network) []string { return unlessNumber(int(n.Keepalive), DefaultKeepalive) }

func parseNumber(s string, least, most int) (int, error) {
	v, err := strconv.ParseUint(s, 10, 32)
	if err != nil || int(v) < least || int(v) > most {
		return 0, fmt.Errorf("%.40q is not a number from %d to %d", s, least, most)
	}
	return int(v), nil
}

func unlessNumber(v, usual int) []string {
	if v == usual {
		return nil
	}
	return []string{strconv.Itoa(v)}
}

func readHosts(n *Network, s string) error {
	if s != DefaultHosts && s != NoHosts && s != Dnsmasq && !strings.HasPrefix(s, "/") {
		return fmt.Errorf("%.80q is neither a path from / on nor one of %s, %s and %s", s, DefaultHosts, Dnsmasq, NoHosts)
	}
	n.Hosts = s
	return nil
}

func writeHosts(n *Network) []string {
	if n.Hosts == DefaultHosts {
		return nil
	}
	return []string{n.Hosts}
}

// excludeAll is short for every address there is.
const excludeAll = "all"

var everything = []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0)}

func readExclude(n *Network, values []string) error {
	n.Exclude = nil
	for _, s := range values {
		if s == excludeAll {
			n.Exclude = append(n.Exclude, everything...)
			continue
		}
		p, err := parsePrefix(s)
		if err != nil {
			return err
		}
		n.Exclude = append(n.Exclude, p)
	}
	return nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.Prefix{}, fmt.Errorf("%s is an address: write %s/%d for it alone", s, a, a.BitLen())
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%.80q is neither a range like 192.168.0.0/16 or fd00::/8 nor %q", s, excludeAll)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%s has bits set behind its length: write %s", s, p.Masked())
	}
	return p, nil
}

func writeExclude(n *Network) []string {
	if slices.Equal(n.Exclude, everything) {
		return []string{excludeAll}
	}
	var values []string
	for _, p := range n.Exclude {
		values = append(values, p.String())
	}
	return values
}
