package daemon

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"ginnel/daemon/config"
	"ginnel/daemon/core"
	"ginnel/daemon/state"
	"ginnel/journal"
	"ginnel/key"
	"ginnel/platform"
	"ginnel/platform/fake"
)

// newPeer opens a peer of home on a machine of its own, which does not run yet.
func newPeer(t *testing.T) *peer {
	t.Helper()
	secret := func(b byte) key.PrivateKey { return key.NewPrivate([key.Size]byte{1: b}) }
	os, dir := fake.NewWorld(time.Now()).NewOS("ann"), t.TempDir()
	err := state.Create(state.Path(dir, "home"), state.Identity{
		Network: "home", Root: netip.MustParsePrefix("10.42.0.0/16"), Name: "ann",
		Address: netip.MustParseAddr("10.42.1.1"), PrivateKey: secret(1),
		Coordinator: state.Coordinator{Address: netip.MustParseAddr("10.42.0.1"), PublicKey: secret(2).Public(), APIPort: 51820},
	})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	d := New(Options{StateDir: dir, Log: journal.New(&log, journal.Info), System: System{
		Tunnels: func(*config.Network) platform.Tunnels { return os }, Network: os, Sockets: os,
		Names:   func(string) platform.Names { return os },
		Resolve: func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") },
	}})
	p, err := d.openPeer(config.New("home", config.Peer))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.close() })
	return p
}

// TestLoopServesOthers: a core that does not come to rest keeps nobody from
// being answered, nor the daemon from being stopped.
func TestLoopServesOthers(t *testing.T) {
	p := newPeer(t)
	p.backlog = slices.Repeat([]core.Event{core.Asked{}}, 100_000)
	ctx, stop := context.WithCancel(t.Context())
	left := 0
	p.asks = make(chan ask, 1)
	p.asks <- func(context.Context) { left = len(p.backlog); stop() }
	if err := p.run(ctx); err != nil {
		t.Fatal(err)
	}
	if left == 0 || len(p.backlog) == 0 {
		t.Errorf("%d events were left when somebody was answered, and %d at the end: they had to wait", left, len(p.backlog))
	}
}
