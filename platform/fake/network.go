package fake

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"ginnel/platform"
)

var errDown = errors.New("network is down")

// Apply implements platform.Network.
func (o *OS) Apply(name string, c *platform.NetChange) error {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	if err := o.fault(ApplyNet); err != nil {
		return err
	}
	l := o.link(name)
	if l == nil {
		return notExist(name)
	}
	if c.IsEmpty() {
		return nil
	}
	return o.applyNet(l, c)
}

// applyNet does as the kernel does: routes need the link up, and with its last
// IPv4 address a link loses its IPv4 routes.
func (o *OS) applyNet(l *link, c *platform.NetChange) error {
	s := &l.state
	had4 := slices.ContainsFunc(s.Addresses, is4)
	s.Addresses = remove(s.Addresses, c.RemoveAddresses)
	s.Routes = remove(s.Routes, c.RemoveRoutes)
	if had4 && !slices.ContainsFunc(s.Addresses, is4) {
		s.Routes = slices.DeleteFunc(s.Routes, is4)
	}
	if c.SetMTU != 0 {
		s.MTU = c.SetMTU
	}
	s.Addresses = add(s.Addresses, c.AddAddresses)
	defer o.changed()
	if c.SetUp {
		if err := o.up(l); err != nil {
			return err
		}
	}
	if len(c.AddRoutes) > 0 && !s.Up {
		return fmt.Errorf("route into link %s: %w", l.name, errDown)
	}
	s.Routes = add(s.Routes, c.AddRoutes)
	return nil
}

// Observe implements platform.Network.
func (o *OS) Observe(name string, s *platform.NetState) error {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	if err := o.fault(ObserveNet); err != nil {
		return err
	}
	l := o.link(name)
	if l == nil {
		return notExist(name)
	}
	s.Up, s.MTU = l.state.Up, l.state.MTU
	s.Addresses = append(s.Addresses[:0], l.state.Addresses...)
	s.Routes = append(s.Routes[:0], l.state.Routes...)
	return nil
}

// Underlay implements platform.Network.
func (o *OS) Underlay() ([]platform.UnderlayAddress, error) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	if err := o.fault(Underlay); err != nil {
		return nil, err
	}
	var all []platform.UnderlayAddress
	for _, l := range o.links {
		if l.tunnel != nil || !l.state.Up {
			continue
		}
		for _, p := range l.state.Addresses {
			if a := p.Addr(); !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsMulticast() {
				all = append(all, platform.UnderlayAddress{Link: l.name, Prefix: p})
			}
		}
	}
	return all, nil
}

// Watch implements platform.Network. Its first call of changed comes at once.
func (o *OS) Watch(ctx context.Context, changed func()) error {
	ch := make(chan struct{}, 1)
	ch <- struct{}{}
	o.w.mu.Lock()
	o.watchers = append(o.watchers, ch)
	o.w.mu.Unlock()
	defer o.unwatch(ch)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ch:
			changed()
		}
	}
}

func (o *OS) unwatch(ch chan struct{}) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.watchers = slices.DeleteFunc(o.watchers, func(c chan struct{}) bool { return c == ch })
}

// changed tells those who watch.
func (o *OS) changed() {
	for _, ch := range o.watchers {
		select {
		case ch <- struct{}{}:
		default: // it will hear of this change with the last one
		}
	}
}

// up brings a link up; a tunnel binds its port then, and greets its peers.
func (o *OS) up(l *link) error {
	t := l.tunnel
	if l.state.Up || t == nil {
		l.state.Up = true
		return nil
	}
	if o.portTaken(t.state.ListenPort) {
		return fmt.Errorf("bring link %s up: UDP port %d: %w", l.name, t.state.ListenPort, platform.ErrInUse)
	}
	l.state.Up = true
	t.bind()
	t.wakeAll()
	return nil
}

// add returns the sorted have with those of more that it lacks.
func add(have, more []netip.Prefix) []netip.Prefix {
	for _, p := range more {
		if i, ok := slices.BinarySearchFunc(have, p, netip.Prefix.Compare); !ok {
			have = slices.Insert(have, i, p)
		}
	}
	return have
}

func remove(have, gone []netip.Prefix) []netip.Prefix {
	return slices.DeleteFunc(have, func(p netip.Prefix) bool { return slices.Contains(gone, p) })
}

func is4(p netip.Prefix) bool { return p.Addr().Is4() }
