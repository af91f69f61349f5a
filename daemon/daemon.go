// Package daemon is the peer role: it runs the networks of one machine, any
// number of them, and serves the local API.
//
// Each network has one goroutine ([peer]) with one timer. It takes events,
// asks its core what to do ([core.Core.Step]), does that in order and feeds
// the answers back. Work that may block (asking the coordinator, looking a
// name up, reading the signal socket, watching the kernel) is done by helper
// goroutines that only turn bytes into events. There is no policy here: it is
// all in the core.
//
// A network that fails is tried again, later and later; the others do not
// notice. A clean stop leaves tunnels as they are configured; a network that
// went out of the configuration, or was switched off there, has its interface
// and names removed.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/platform"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// System is the operating system, as the program assembled it.
type System struct {
	Tunnels platform.Tunnels
	Network platform.Network
	Sockets platform.Sockets
	Names   func(hostsFile string) platform.Names
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Role is the coordinator's part of a network on this machine. Run serves
// until ctx ends; Close is called after it.
type Role struct {
	wire.Coordinator // how this machine's own peer asks
	wire.Sightings   // takes what its tunnel shows
	Overlay          http1.Handler
	Local            http1.Handler // for this machine's administrator
	Run              func(ctx context.Context) error
	Close            func() error
}

// Hooks are what a Role may call, from any goroutine; neither blocks.
type Hooks struct {
	Send func(to netip.Addr, s wire.Signal) // a datagram on the signal socket
	Wake func()                             // the coordinator's own map changed
}

// Options are a Daemon's surroundings. All fields are needed.
type Options struct {
	System     System
	StateDir   string
	ReadConfig func() (*config.Config, error)
	// OpenRole opens the book of a network whose coordinator this machine is.
	OpenRole func(n *config.Network, id state.Identity, h Hooks) (*Role, error)
	Version  string
	Log      *slog.Logger
}

// Daemon runs the networks of one machine.
type Daemon struct {
	Options

	reload   sync.Mutex // one reload at a time
	mu       sync.Mutex
	ctx      context.Context // of Run; nil before and after it
	config   *config.Config
	networks map[string]*network // the enabled ones
}

// New returns a daemon that does nothing before Run.
func New(o Options) *Daemon {
	return &Daemon{Options: o, config: &config.Config{}, networks: map[string]*network{}}
}

// Run reads the configuration and runs its networks until ctx ends. It fails
// only when the configuration cannot be read at the start.
func (d *Daemon) Run(ctx context.Context) error {
	d.mu.Lock()
	d.ctx = ctx
	d.mu.Unlock()
	if err := d.Reload(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	d.reload.Lock() // no network starts any more
	defer d.reload.Unlock()
	d.mu.Lock()
	d.ctx = nil
	d.mu.Unlock()
	for _, n := range d.networks {
		n.stop(false)
	}
	return nil
}

// Reload reads the configuration again and starts, stops and restarts the
// networks that changed. When it cannot be read everything stays as it is.
func (d *Daemon) Reload(context.Context) error {
	d.reload.Lock()
	defer d.reload.Unlock()
	if d.ctx == nil {
		return wire.Errorf(wire.StatusUnavailable, "the daemon is starting or stopping: try again in a moment")
	}
	next, err := d.ReadConfig()
	if err != nil {
		return wire.Errorf(wire.StatusUnprocessable, "the configuration stays as it was: %v", err)
	}
	for name, n := range d.networks {
		want, ok := next.Network(name)
		keep := ok && want.Enabled
		if keep && want.Equal(&n.cfg) {
			continue
		}
		n.stop(!keep)
		d.set(name, nil)
	}
	for i := range next.Networks {
		cfg := next.Networks[i]
		if d.networks[cfg.Name] == nil && cfg.Enabled {
			d.set(cfg.Name, d.start(cfg))
		}
	}
	d.mu.Lock()
	d.config = next
	d.mu.Unlock()
	return nil
}

func (d *Daemon) set(name string, n *network) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n == nil {
		delete(d.networks, name)
		return
	}
	d.networks[name] = n
}

// Status tells how all networks of the configuration are.
func (d *Daemon) Status(ctx context.Context) (*local.Status, error) {
	d.mu.Lock()
	cfg := d.config
	running := make([]*network, 0, len(d.networks))
	for i := range cfg.Networks {
		running = append(running, d.networks[cfg.Networks[i].Name])
	}
	d.mu.Unlock()
	s := &local.Status{Version: d.Version, Networks: []local.Network{}}
	for i, n := range running {
		c := &cfg.Networks[i]
		if n == nil {
			s.Networks = append(s.Networks, local.Network{Name: c.Name, Role: string(c.Role), State: local.Down, Peers: []local.Peer{}})
			continue
		}
		st, err := n.status(ctx)
		if err != nil {
			return nil, err
		}
		s.Networks = append(s.Networks, st)
	}
	return s, nil
}

// Coordinator passes r to the coordinator of the network.
func (d *Daemon) Coordinator(ctx context.Context, name string, r *http1.Request) (*http1.Response, error) {
	d.mu.Lock()
	n := d.networks[name]
	d.mu.Unlock()
	if n == nil {
		return nil, wire.Errorf(wire.StatusNotFound, "there is no network %s up on this machine", name)
	}
	p, err := n.running()
	if err != nil {
		return nil, wire.Errorf(wire.StatusUnavailable, "network %s is not running: %v", name, err)
	}
	resp, err := p.forward(ctx, r)
	var refused *wire.Problem
	if err != nil && !errors.As(err, &refused) {
		return nil, wire.Errorf(wire.StatusBadGateway, "the coordinator of %s cannot be reached: %v", name, err)
	}
	return resp, err
}

// Clear removes what a network put into the operating system, for when no
// daemon runs it.
func Clear(sys System, cfg *config.Network) error {
	if err := clearNames(sys, cfg); err != nil {
		return err
	}
	t, err := sys.Tunnels.Open(cfg.Name, cfg.MTU)
	if err != nil {
		return fmt.Errorf("open interface %s: %w", cfg.Name, err)
	}
	return t.Delete()
}

func clearNames(sys System, cfg *config.Network) error {
	if cfg.Hosts == config.NoHosts {
		return nil
	}
	if err := sys.Names(cfg.Hosts).Set(cfg.Name, nil); err != nil {
		return fmt.Errorf("remove the names of %s: %w", cfg.Name, err)
	}
	return nil
}
