package daemon

import (
	"net/netip"

	"ginnel/daemon/config"
	"ginnel/daemon/core"
)

// settings are what of a section may change while its network runs: a network
// that starts anew loses its sessions where the program carries the packets.
func settings(cfg *config.Network) core.Settings {
	s := core.Settings{ListenPort: cfg.ListenPort, Announced: cfg.Announced}
	if len(cfg.Overrides) > 0 {
		s.Overrides = make(map[netip.Addr]string, len(cfg.Overrides))
	}
	for _, o := range cfg.Overrides {
		s.Overrides[o.Address] = o.Endpoint
	}
	return s
}

// sameButSettings tells whether two sections differ in their settings at most.
func sameButSettings(a, b *config.Network) bool {
	with := *a
	with.ListenPort, with.Announced, with.Overrides = b.ListenPort, b.Announced, b.Overrides
	with.Firewall, with.AllowInput, with.AllowLAN = b.Firewall, b.AllowInput, b.AllowLAN // are not the daemon's
	return with.Equal(b)
}

// adjust gives the network a section that differs in its settings from the one
// it has. The daemon's reload is held.
func (n *network) adjust(cfg config.Network) {
	n.mu.Lock()
	n.cfg = cfg
	n.settle()
	n.mu.Unlock()
	post(n.again)
}

// settle tells the running peer, if there is one, the settings when they are not
// those it was opened with, or told before. The caller holds n.mu.
func (n *network) settle() {
	if n.peer == nil || n.cfg.Equal(&n.peer.told) {
		return
	}
	n.peer.told = n.cfg
	put(n.peer.settings, settings(&n.cfg))
}

// config returns the network's section.
func (n *network) config() config.Network {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cfg
}
