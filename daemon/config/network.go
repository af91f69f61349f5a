package config

import "slices"

// NoHosts is the value of option hosts that keeps names out of every file.
const NoHosts = "none"

// Equal tells whether two sections mean the same.
func (n *Network) Equal(o *Network) bool {
	return n.Name == o.Name && n.Enabled == o.Enabled && n.Role == o.Role && n.ListenPort == o.ListenPort &&
		n.MTU == o.MTU && n.Keepalive == o.Keepalive && n.Routes == o.Routes && n.Hosts == o.Hosts &&
		slices.Equal(n.Endpoints, o.Endpoints) && slices.Equal(n.Exclude, o.Exclude)
}
