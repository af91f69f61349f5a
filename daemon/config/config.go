// Package config turns UCI text into validated configuration, and writes the
// sections that `network create` and `join` make. It is pure: files are read
// and written by its callers. Unknown sections and options are errors that
// name file, line, section and option.
//
// A file has one section for each network, and may have one for the daemon
// itself ([Daemon]). UCI's section names have no dashes,
// names of networks have no underscores: a dash in one is an underscore in the
// other.
//
//	config network 'home'
//		option role 'peer'
//		option listen_port '51820'
//
// A peer's section needs nothing but an invitation, by which the daemon joins.
package config

import (
	"net/netip"
	"slices"

	"ginnel/key"
	"ginnel/platform"
	"ginnel/wire"
)

// Role is the part a machine plays in a network.
type Role string

// The roles.
const (
	Peer        Role = "peer"
	Coordinator Role = "coordinator" // keeps the network's book; a peer as well
)

// Defaults of the options.
const (
	DefaultMTU       = 1280   // the least IPv6 allows (RFC 8200): fits every underlay
	DefaultKeepalive = 25     // seconds: below the timeouts of NATs and firewalls
	DefaultHosts     = "auto" // Dnsmasq on OpenWrt, elsewhere /etc/hosts
	DefaultSuffix    = "wg"
)

// What option hosts may say instead of a path.
const (
	NoHosts = "none"    // names are kept nowhere
	Dnsmasq = "dnsmasq" // names are given to dnsmasq, as OpenWrt runs it
)

// NoSuffix is the value of option suffix that ends names with the network's.
const NoSuffix = "none"

// Network is one `config network` section.
type Network struct {
	Name       string // section name, with a dash for each _
	Enabled    bool   // option enabled; default 1
	Role       Role   // option role; must be given, but with Invitation, where it is Peer
	ListenPort uint16 // option listen_port; 0 (default): any free one
	MTU        int    // option mtu; 576–9000, at least 1280 for IPv6; default DefaultMTU
	Keepalive  uint16 // option keepalive, seconds; 0: off; default DefaultKeepalive
	Routes     bool   // option routes; default 1: route the network's root into the tunnel
	Hosts      string // option hosts: the hosts file, NoHosts, Dnsmasq or DefaultHosts, the default
	Suffix     string // option suffix: what names of peers end in, without the dot before it; default DefaultSuffix; empty (NoSuffix): the network's name
	Existing   bool   // option interface_mode: the interface is made and deleted by somebody else
	Interface  string // option interface, only with Existing: its name; empty (default): Name; see Link
	// Backend is what carries the packets, option backend. Empty ("auto",
	// default): the kernel, and where it has no WireGuard the embedded device.
	Backend platform.Backend
	// Endpoints is where the coordinator is found: host:port, the host a name or
	// an address, IPv6 in brackets. On a peer it is list coordinator, where it
	// looks after what the network's map says; with Invitation it may be left out
	// and is the invitation's. On the coordinator it is list endpoint,
	// wire.MaxInvitingEndpoints at most, for a book that does not say.
	Endpoints []string
	// Invitation is what a peer joins by, option invitation: the daemon redeems
	// it where this machine is no member yet, and ignores it where it is. It is of
	// the section's network, and secret until it is redeemed. Nil: none.
	Invitation *wire.Invitation
	// Announced is, on a peer, where it says that it is reached itself (list
	// endpoint): as wire.CheckAnnounced wants it, wire.MaxAnnounced at most.
	Announced []string
	// Overrides say where others are reached (list override), one for each.
	Overrides []Override
	// What OpenWrt's firewall is to let through for the network, read by the
	// script that starts the daemon there. Elsewhere they mean nothing.
	Firewall   bool // option firewall; default 1: the tunnel's port, and what the network itself needs
	AllowInput bool // option allow_input; default 0: peers may use this machine's own services
	AllowLAN   bool // option allow_lan; default 0: the LAN may reach peers, as this machine
	// Exclude are underlay ranges never reported as candidates (list exclude).
	Exclude []netip.Prefix
	// Refused: something is wrong in the section, of which the rest is as far as it
	// could be read; Name is right. Never beside a nil error of Parse.
	Refused bool
}

// New returns a network with the defaults of all other options.
func New(name string, role Role) Network {
	return Network{Name: name, Role: role, Enabled: true, MTU: DefaultMTU, Keepalive: DefaultKeepalive, Routes: true, Firewall: true, Hosts: DefaultHosts, Suffix: DefaultSuffix}
}

// Equal tells whether two sections mean the same.
func (n *Network) Equal(o *Network) bool {
	return n.Name == o.Name && n.Enabled == o.Enabled && n.Role == o.Role && n.ListenPort == o.ListenPort &&
		n.MTU == o.MTU && n.Keepalive == o.Keepalive && n.Routes == o.Routes && n.Hosts == o.Hosts &&
		n.Suffix == o.Suffix && n.Existing == o.Existing && n.Interface == o.Interface && n.Backend == o.Backend &&
		n.SameFirewall(o) && n.invitationKey().Equal(o.invitationKey()) &&
		slices.Equal(n.Endpoints, o.Endpoints) && slices.Equal(n.Announced, o.Announced) &&
		slices.Equal(n.Overrides, o.Overrides) && slices.Equal(n.Exclude, o.Exclude)
}

// invitationKey is what an invitation is known by; zero: there is none.
func (n *Network) invitationKey() key.PrivateKey {
	if n.Invitation == nil {
		return key.PrivateKey{}
	}
	return n.Invitation.Key
}

// SameFirewall tells whether two sections say the same to a firewall.
func (n *Network) SameFirewall(o *Network) bool {
	return n.Firewall == o.Firewall && n.AllowInput == o.AllowInput && n.AllowLAN == o.AllowLAN
}

// Config is a whole file.
type Config struct {
	Networks []Network // in the file's order
	Daemon   Daemon
}
