// Package fake is the whole operating system in memory. It behaves, it does
// not record calls: what was done shows in what is observed afterwards, and in
// [OS.String], which prints a machine's whole state for golden tests.
//
// A [World] joins machines and is their clock. WireGuard is modelled by what it
// does, not by its packets: a peer with an endpoint and a keepalive sends; the
// first packet, and every one after 120 s of the initiator's session, is a
// handshake; it succeeds when it reaches the listen port of a tunnel that has
// the sender's key under an endpoint that is not cut off, and both sides then
// know each other's session, time of handshake and endpoint. Failed handshakes
// are tried again after 5 s. A packet of a session that the receiver no longer
// has is lost, as in reality. What is left out: time on the way, address
// translation, passive keepalives, and rate limits.
//
// A machine's tunnels behave like the kernel's: they stay when their Tunnel is
// closed, can be adopted, and bind their port when their link is up.
package fake

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"ginnel/platform"
)

// OS is one machine. It implements platform.Tunnels, Network, Sockets and
// Names. Make it with [World.NewOS].
type OS struct {
	w        *World
	name     string
	links    []*link // by name
	nextPort uint16
	taken    []uint16 // UDP ports of other programs
	names    map[string][]platform.HostEntry
	faults   map[Op][]fault
	watchers []chan struct{}
	sockets  []*socket
}

var (
	_ platform.Tunnels = (*OS)(nil)
	_ platform.Network = (*OS)(nil)
	_ platform.Sockets = (*OS)(nil)
	_ platform.Names   = (*OS)(nil)
)

// link is a network interface: an underlay link, or a tunnel's.
type link struct {
	name   string
	state  platform.NetState
	tunnel *tunnel // nil: underlay
}

// firstPort is the first UDP or TCP port that is given out when any will do.
const firstPort = 49152

// NewOS adds a machine without links to the world.
func (w *World) NewOS(name string) *OS {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := &OS{w: w, name: name, nextPort: firstPort, names: map[string][]platform.HostEntry{}, faults: map[Op][]fault{}}
	w.oses = append(w.oses, o)
	return o
}

// SetLink makes the underlay link called name, up, or changes its addresses,
// which are not masked. Where two machines have the same address, packets
// reach the one that was made first.
func (o *OS) SetLink(name string, addresses ...netip.Prefix) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	l := o.link(name)
	if l == nil {
		l = o.addLink(name, 1500)
		l.state.Up = true
	}
	l.state.Addresses = add(nil, addresses)
	o.changed()
}

// SetUp brings a link up or down, a tunnel's too, as a stranger would. Going
// down takes its routes away. It wraps platform.ErrNotExist or ErrInUse.
func (o *OS) SetUp(name string, up bool) error {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	l := o.link(name)
	if l == nil {
		return notExist(name)
	}
	defer o.changed()
	if up {
		return o.up(l)
	}
	l.state.Up = false
	l.state.Routes = nil
	return nil
}

// RemoveLink deletes a link, a tunnel's too, as a stranger would. It wraps
// platform.ErrNotExist.
func (o *OS) RemoveLink(name string) error {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	l := o.link(name)
	if l == nil {
		return notExist(name)
	}
	o.removeLink(l)
	return nil
}

// TakePort lets another program have a UDP port.
func (o *OS) TakePort(port uint16) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.taken = append(o.taken, port)
}

// Set implements platform.Names.
func (o *OS) Set(network string, entries []platform.HostEntry) error {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	if err := o.fault(SetNames); err != nil {
		return err
	}
	delete(o.names, network)
	if len(entries) == 0 {
		return nil
	}
	block := make([]platform.HostEntry, 0, len(entries))
	for _, e := range entries {
		block = append(block, platform.HostEntry{Address: e.Address, Names: slices.Clone(e.Names)})
	}
	o.names[network] = block
	return nil
}

// link returns the link called name, or nil.
func (o *OS) link(name string) *link {
	for _, l := range o.links {
		if l.name == name {
			return l
		}
	}
	return nil
}

func (o *OS) addLink(name string, mtu int) *link {
	l := &link{name: name, state: platform.NetState{MTU: mtu}}
	i, _ := slices.BinarySearchFunc(o.links, name, func(l *link, name string) int { return cmp.Compare(l.name, name) })
	o.links = slices.Insert(o.links, i, l)
	return l
}

func (o *OS) removeLink(l *link) {
	o.links = slices.DeleteFunc(o.links, func(x *link) bool { return x == l })
	l.state.Up = false // for connections that still hold it
	o.changed()
}

// hasUnderlay tells whether a is an address of an underlay link that is up.
func (o *OS) hasUnderlay(a netip.Addr) bool {
	return slices.ContainsFunc(o.links, func(l *link) bool { return l.tunnel == nil && l.state.Up && l.has(a) })
}

func (l *link) has(a netip.Addr) bool {
	return slices.ContainsFunc(l.state.Addresses, func(p netip.Prefix) bool { return p.Addr() == a })
}

// sourceFor returns the underlay address that packets to a come from: one that
// shares its subnet, else the first of its family.
func (o *OS) sourceFor(a netip.Addr) (source netip.Addr, ok bool) {
	for _, l := range o.links {
		if l.tunnel != nil || !l.state.Up {
			continue
		}
		for _, p := range l.state.Addresses {
			if p.Contains(a) {
				return p.Addr(), true
			}
			if !ok && p.Addr().Is4() == a.Is4() {
				source, ok = p.Addr(), true
			}
		}
	}
	return source, ok
}

func notExist(link string) error { return fmt.Errorf("link %s %w", link, platform.ErrNotExist) }
