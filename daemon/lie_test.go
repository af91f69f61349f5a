package daemon_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"ginnel/daemon/config"
	"ginnel/key"
	"ginnel/platform"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// lie changes the maps that a coordinator's role sends to peers.
type lie struct {
	mu   sync.Mutex
	tell func(*wire.Update) // nil: the truth
}

func (l *lie) set(tell func(*wire.Update)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell = tell
}

func (l *lie) around(h http1.Handler) http1.Handler {
	return func(ctx context.Context, r *http1.Request) *http1.Response {
		l.mu.Lock()
		defer l.mu.Unlock()
		resp := h(ctx, r)
		var u wire.Update
		if l.tell == nil || r.Path != wire.PathMap || json.Unmarshal(resp.Body, &u) != nil {
			return resp
		}
		l.tell(&u)
		return http1.JSON(resp.Status, &u)
	}
}

// another returns a lie that gives a member another key, and other endpoints.
func another(name string, k key.PublicKey) func(*wire.Update) {
	return func(u *wire.Update) {
		for i := range u.Members {
			if m := &u.Members[i]; m.Name == name {
				m.PublicKey, m.Endpoints = k, wire.Endpoints{}
			}
		}
	}
}

// witness notes which keys the changes of a machine's tunnels concern.
type witness struct {
	mu   sync.Mutex
	keys []key.PublicKey
}

// watch has the witness see what m does to its tunnels from its next start on.
func (w *witness) watch(m *machine) {
	tunnels := m.system.Tunnels
	m.system.Tunnels = func(n *config.Network) platform.Tunnels { return watchedTunnels{tunnels(n), w} }
}

// saw tells whether a change concerned the key since the last forget.
func (w *witness) saw(k key.PublicKey) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.keys, k)
}

func (w *witness) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys = nil
}

type watchedTunnels struct {
	platform.Tunnels
	w *witness
}

// Open implements platform.Tunnels.
func (t watchedTunnels) Open(name string, mtu int) (platform.Tunnel, error) {
	tunnel, err := t.Tunnels.Open(name, mtu)
	if err != nil {
		return nil, err
	}
	return watchedTunnel{tunnel, t.w}, nil
}

type watchedTunnel struct {
	platform.Tunnel
	w *witness
}

// Apply implements platform.Tunnel.
func (t watchedTunnel) Apply(c *platform.TunnelChange) error {
	t.w.mu.Lock()
	t.w.keys = append(t.w.keys, c.Remove...)
	for i := range c.Peers {
		t.w.keys = append(t.w.keys, c.Peers[i].PublicKey)
	}
	t.w.mu.Unlock()
	return t.Tunnel.Apply(c)
}
