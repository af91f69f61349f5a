package fake

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"ginnel/key"
	"ginnel/platform"
)

// tunnel is a WireGuard interface.
type tunnel struct {
	os    *OS
	link  *link
	state platform.TunnelState
	own   key.PublicKey // of state.PrivateKey
	flows map[key.PublicKey]*flow
}

// handle is an open Tunnel.
type handle struct {
	t      *tunnel
	closed bool
}

// Open implements platform.Tunnels.
func (o *OS) Open(name string, mtu int) (platform.Tunnel, error) {
	if err := platform.CheckLinkName(name); err != nil {
		return nil, err
	}
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	if err := o.fault(OpenTunnel); err != nil {
		return nil, err
	}
	l := o.link(name)
	switch {
	case l == nil:
		l = o.addLink(name, mtu)
		l.tunnel = &tunnel{os: o, link: l, flows: map[key.PublicKey]*flow{}}
		l.tunnel.state.Backend = platform.Kernel
		o.changed()
	case l.tunnel == nil:
		return nil, fmt.Errorf("link %s %w and is no WireGuard interface", name, platform.ErrExist)
	}
	return &handle{t: l.tunnel}, nil
}

// Apply implements platform.Tunnel.
func (h *handle) Apply(c *platform.TunnelChange) error {
	o := h.t.os
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	if err := h.check(ApplyTunnel); err != nil {
		return err
	}
	return h.t.apply(c)
}

// Observe implements platform.Tunnel.
func (h *handle) Observe(s *platform.TunnelState) error {
	o := h.t.os
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	err := h.check(ObserveTunnel)
	if err != nil && !errors.Is(err, platform.ErrTorn) {
		return err
	}
	copyState(s, &h.t.state, err != nil)
	return err
}

// Close implements platform.Tunnel: the interface stays.
func (h *handle) Close() error {
	h.t.os.w.mu.Lock()
	defer h.t.os.w.mu.Unlock()
	h.closed = true
	return nil
}

// Delete implements platform.Tunnel.
func (h *handle) Delete() error {
	o := h.t.os
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	if h.closed || !h.t.exists() {
		return notExist(h.t.link.name)
	}
	h.closed = true
	o.removeLink(h.t.link)
	return nil
}

func (h *handle) check(op Op) error {
	if h.closed || !h.t.exists() {
		return notExist(h.t.link.name)
	}
	return h.t.os.fault(op)
}

func (t *tunnel) exists() bool { return slices.Contains(t.os.links, t.link) }

// copyState copies have into s, in the memory of s; torn, without every second
// peer.
func copyState(s, have *platform.TunnelState, torn bool) {
	old := s.Peers[:cap(s.Peers)]
	*s = *have
	s.Peers = old[:0]
	for i, p := range have.Peers {
		if torn && i%2 == 1 {
			continue
		}
		var ips []netip.Prefix
		if n := len(s.Peers); n < len(old) {
			ips = old[n].AllowedIPs[:0]
		}
		p.AllowedIPs = append(ips, p.AllowedIPs...)
		s.Peers = append(s.Peers, p)
	}
}

// apply does c, but for a port that is in use.
func (t *tunnel) apply(c *platform.TunnelChange) (err error) {
	d := *c
	c = &d
	wanted := c.Set&platform.SetListenPort != 0 && c.ListenPort != t.state.ListenPort
	if wanted && t.link.state.Up && t.os.portTaken(c.ListenPort) {
		err = fmt.Errorf("UDP port %d: %w", c.ListenPort, platform.ErrInUse)
		c.Set &^= platform.SetListenPort
	}
	off := t.keepaliveOff(c)
	rekeyed := c.Set&platform.SetPrivateKey != 0 && !c.PrivateKey.Equal(t.state.PrivateKey)
	t.state.Apply(c)
	if rekeyed {
		t.own = t.state.PrivateKey.Public()
	}
	t.bind()
	t.updateFlows(c, rekeyed)
	for _, k := range off {
		t.wake(k)
	}
	return err
}

// keepaliveOff returns the peers whose keepalive c may turn on.
func (t *tunnel) keepaliveOff(c *platform.TunnelChange) (off []key.PublicKey) {
	for i := range c.Peers {
		k := c.Peers[i].PublicKey
		p := t.peer(k)
		if p == nil || p.Keepalive == 0 || c.ReplacePeers || slices.Contains(c.Remove, k) {
			off = append(off, k)
		}
	}
	return off
}

// bind takes a port where the tunnel is up and has none.
func (t *tunnel) bind() {
	for t.link.state.Up && t.state.ListenPort == 0 {
		if p := t.os.anyPort(); !t.os.portTaken(p) {
			t.state.ListenPort = p
		}
	}
}

func (o *OS) anyPort() uint16 {
	p := o.nextPort
	if o.nextPort++; o.nextPort < firstPort {
		o.nextPort = firstPort
	}
	return p
}

// portTaken tells whether somebody has the UDP port.
func (o *OS) portTaken(port uint16) bool {
	if port == 0 {
		return false
	}
	return slices.Contains(o.taken, port) || o.listening(port) != nil
}

// listening returns the tunnel that is up and has the UDP port, or nil.
func (o *OS) listening(port uint16) *tunnel {
	for _, l := range o.links {
		if l.tunnel != nil && l.state.Up && l.tunnel.state.ListenPort == port {
			return l.tunnel
		}
	}
	return nil
}

// peer returns t's peer called k, or nil. It is valid until the next change.
func (t *tunnel) peer(k key.PublicKey) *platform.Peer {
	i, ok := slices.BinarySearchFunc(t.state.Peers, k, func(p platform.Peer, k key.PublicKey) int { return p.PublicKey.Compare(k) })
	if !ok {
		return nil
	}
	return &t.state.Peers[i]
}
