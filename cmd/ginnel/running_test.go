package main

import (
	"context"
	"net/netip"
	"slices"

	"ginnel/daemon/local"
	"ginnel/key"
	"ginnel/wire"
)

// running is a network that is up, of which a test decides what it answers.
type running struct {
	fetched local.Network
	pins    []local.Pin
	taken   key.PublicKey // of the last call of Forget
	err     error         // every answer
}

// Running implements local.Daemon.
func (m *machine) Running(network string) (local.Running, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, "running "+network)
	if r := m.peers[network]; r != nil {
		return r, nil
	}
	return nil, wire.Errorf(wire.StatusConflict, "network %s is down: `ginnel up %[1]s` switches it on", network)
}

// Fetch implements local.Running.
func (r *running) Fetch(context.Context) (*local.Network, error) { return &r.fetched, r.err }

// Pins implements local.Running.
func (r *running) Pins(context.Context) ([]local.Pin, error) { return r.pins, r.err }

// Forget implements local.Running.
func (r *running) Forget(_ context.Context, a netip.Addr, k key.PublicKey) error {
	r.taken = k
	r.pins = slices.DeleteFunc(slices.Clone(r.pins), func(p local.Pin) bool { return p.Address == a })
	return r.err
}
