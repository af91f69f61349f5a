package main

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.zx2c4.com/wireguard/wgctrl"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"ginnel/bench/table"
	"ginnel/key"
	"ginnel/platform"
)

// library is wgctrl-go, with one client for all. It is also who reads back
// what the others wrote.
type library struct {
	client *wgctrl.Client
}

func newLibrary() (*library, error) {
	c, err := wgctrl.New()
	if err != nil {
		return nil, fmt.Errorf("open wgctrl-go: %w", err)
	}
	return &library{client: c}, nil
}

func (*library) name() string { return table.Wgctrl }

func (l *library) close() error { return l.client.Close() }

func (l *library) writer(w write) (task, error) {
	c := wgtypes.Config{Peers: make([]wgtypes.PeerConfig, len(w.peers))}
	for i, p := range w.peers {
		c.Peers[i] = config(w.verb, p)
	}
	return func() error { return l.client.ConfigureDevice(w.link, c) }, nil
}

func (l *library) reader(link string) (task, error) {
	return func() error {
		_, err := l.client.Device(link)
		return err
	}, nil
}

// config is a peer as wgctrl-go's configuration names it.
func config(verb table.Verb, p platform.Peer) wgtypes.PeerConfig {
	c := wgtypes.PeerConfig{PublicKey: wgtypes.Key(p.PublicKey)}
	if verb == table.Remove {
		c.Remove = true
		return c
	}
	c.UpdateOnly = verb != table.Add
	if p.Endpoint.IsValid() {
		c.Endpoint = net.UDPAddrFromAddrPort(p.Endpoint)
	}
	if verb != table.SetEndpoint {
		c.ReplaceAllowedIPs = verb == table.Replace
		for _, a := range p.AllowedIPs {
			a = a.Masked()
			c.AllowedIPs = append(c.AllowedIPs, net.IPNet{IP: a.Addr().AsSlice(), Mask: net.CIDRMask(a.Bits(), a.Addr().BitLen())})
		}
	}
	if verb == table.Add {
		interval := time.Duration(p.Keepalive) * time.Second
		c.PersistentKeepaliveInterval = &interval
	}
	return c
}

// state reads an interface in our words, sorted as [platform.TunnelState] is.
func (l *library) state(link string) (platform.TunnelState, error) {
	d, err := l.client.Device(link)
	if err != nil {
		return platform.TunnelState{}, fmt.Errorf("read %s back with wgctrl-go: %w", link, err)
	}
	s := platform.TunnelState{
		Backend:    platform.Kernel,
		PrivateKey: key.NewPrivate(d.PrivateKey),
		ListenPort: uint16(d.ListenPort),
		FwMark:     uint32(d.FirewallMark),
	}
	for _, p := range d.Peers {
		s.Peers = append(s.Peers, observed(p))
	}
	slices.SortFunc(s.Peers, func(a, b platform.Peer) int { return a.PublicKey.Compare(b.PublicKey) })
	return s, nil
}

// observed is a peer of wgctrl-go's in our words.
func observed(p wgtypes.Peer) platform.Peer {
	o := platform.Peer{
		PublicKey:     key.PublicKey(p.PublicKey),
		Keepalive:     uint16(p.PersistentKeepaliveInterval / time.Second),
		LastHandshake: p.LastHandshakeTime,
		Rx:            uint64(p.ReceiveBytes),
		Tx:            uint64(p.TransmitBytes),
	}
	if p.Endpoint != nil {
		e := p.Endpoint.AddrPort()
		o.Endpoint = netip.AddrPortFrom(e.Addr().Unmap(), e.Port())
	}
	for _, n := range p.AllowedIPs {
		a, _ := netip.AddrFromSlice(n.IP)
		bits, _ := n.Mask.Size()
		o.AllowedIPs = append(o.AllowedIPs, netip.PrefixFrom(a.Unmap(), bits))
	}
	slices.SortFunc(o.AllowedIPs, netip.Prefix.Compare)
	return o
}
