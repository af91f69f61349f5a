package main

import "ginnel/daemon/config"

// machineOptions are the options of a new section about what the network is on
// this machine. The result puts their values into the section.
func machineOptions(o *options) func(n *config.Network) {
	link := o.String("interface", "", "", "use the interface `NAME`, which others make and delete, instead of making one")
	suffix := o.String("suffix", "", config.DefaultSuffix, "what the peers' names end in: NAME.NETWORK.`SUFFIX`; none: NAME.NETWORK")
	return func(n *config.Network) {
		n.Existing, n.Interface = *link != "", *link
		n.Suffix = *suffix
		if n.Suffix == config.NoSuffix {
			n.Suffix = ""
		}
	}
}
