// Package config turns UCI text into validated configuration, and writes the
// sections that `network create` and `join` make. It is pure: files are read
// and written by its callers. Unknown sections and options are errors that
// name file, line, section and option.
//
// A file has one section for each network:
//
//	config network 'home'
//		option role 'peer'
//		option listen_port '51820'
package config

import "net/netip"

// Role is the part a machine plays in a network.
type Role string

// The roles.
const (
	Peer        Role = "peer"
	Coordinator Role = "coordinator" // keeps the network's book; a peer as well
)

// Defaults of the options.
const (
	DefaultMTU       = 1280 // the least IPv6 allows (RFC 8200): fits every underlay
	DefaultKeepalive = 25   // seconds: below the timeouts of NATs and firewalls
	DefaultHosts     = "/etc/hosts"
)

// HostsNone is the value of Hosts that keeps names out of every file.
const HostsNone = "none"

// Network is one `config network` section.
type Network struct {
	Name       string // section name; the interface's name as well
	Enabled    bool   // option enabled; default 1
	Role       Role   // option role; must be given
	ListenPort uint16 // option listen_port; 0 (default): any free one
	MTU        int    // option mtu; 576–9000, at least 1280 for IPv6; default DefaultMTU
	Keepalive  uint16 // option keepalive, seconds; 0: off; default DefaultKeepalive
	Routes     bool   // option routes; default 1: route the network's root into the tunnel
	Hosts      string // option hosts: the hosts file, or "none"; default DefaultHosts
	// Endpoints is, on a peer, where the coordinator is found (list
	// coordinator), and on the coordinator what invitations carry (list
	// endpoint): host:port, the host a name or an address, IPv6 in brackets.
	Endpoints []string
	// Exclude are underlay ranges never reported as candidates (list exclude).
	Exclude []netip.Prefix
}

// Config is a whole file.
type Config struct{ Networks []Network } // in the file's order
