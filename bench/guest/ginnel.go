package main

import (
	"errors"
	"fmt"

	"ginnel/bench/table"
	"ginnel/key"
	"ginnel/platform"
	"ginnel/platform/wireguard"
)

// ginnel is ours, as the daemon uses it: an open tunnel per interface, a state
// whose memory is used again.
type ginnel struct {
	tunnels map[string]platform.Tunnel
}

func newGinnel() *ginnel { return &ginnel{tunnels: map[string]platform.Tunnel{}} }

func (*ginnel) name() string { return table.Ginnel }

// mtu of the interfaces; no packet passes through them.
const mtu = 1420

// open makes an interface with a private key and peers.
func (g *ginnel) open(link string, private key.PrivateKey, peers []platform.Peer) error {
	t, err := wireguard.New(platform.Kernel, nil).Open(link, mtu)
	if err != nil {
		return err
	}
	g.tunnels[link] = t
	var s platform.TunnelState
	if err := t.Observe(&s); err != nil {
		return err
	}
	if s.Backend != platform.Kernel {
		return fmt.Errorf("%s is a %s interface: this kernel has no WireGuard to compare through", link, s.Backend)
	}
	return t.Apply(&platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: private, Peers: changes(table.Add, peers)})
}

// close leaves the interfaces to the machine's end: to delete one of 10,000
// peers takes the kernel a minute.
func (g *ginnel) close() error {
	var failed []error
	for _, t := range g.tunnels {
		failed = append(failed, t.Close())
	}
	return errors.Join(failed...)
}

func (g *ginnel) writer(w write) (task, error) {
	c := &platform.TunnelChange{}
	if w.verb == table.Remove {
		for _, p := range w.peers {
			c.Remove = append(c.Remove, p.PublicKey)
		}
	} else {
		c.Peers = changes(w.verb, w.peers)
	}
	t := g.tunnels[w.link]
	return func() error { return t.Apply(c) }, nil
}

func (g *ginnel) reader(link string) (task, error) {
	t, s := g.tunnels[link], &platform.TunnelState{}
	return func() error { return t.Observe(s) }, nil
}

// changes are the peers as a change names them.
func changes(verb table.Verb, peers []platform.Peer) []platform.PeerChange {
	all := make([]platform.PeerChange, len(peers))
	for i, p := range peers {
		c := platform.PeerChange{PublicKey: p.PublicKey, Update: verb != table.Add, Set: platform.SetEndpoint, Endpoint: p.Endpoint}
		if verb != table.SetEndpoint {
			c.AllowedIPs, c.ReplaceAllowedIPs = p.AllowedIPs, verb == table.Replace
		}
		if verb == table.Add {
			c.Set, c.Keepalive = c.Set|platform.SetKeepalive, p.Keepalive
		}
		all[i] = c
	}
	return all
}
