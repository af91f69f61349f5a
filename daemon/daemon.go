// Package daemon is the peer role: it runs the networks of one machine, any
// number of them, and serves the local API.
//
// Each network has one goroutine ([peer]) with one timer. It takes events,
// asks its core what to do ([core.Core.Step]), does that in order and feeds
// the answers back. Work that may block (asking the coordinator, looking a
// name up, reading the signal socket, watching the kernel, writing to flash)
// is done by helper goroutines that only turn bytes into events. There is no
// policy here: it is all in the core. What the core cannot know is seen to
// here: sockets that have to be opened again, and maps that were not saved.
//
// A network whose section has an invitation, and that this machine is no member
// of yet, is joined first: again and again, and whatever the clock says, until
// the coordinator has accepted. Who this machine is lies in the state alone: of a
// member the invitation says nothing any more.
//
// A network that fails is tried again, later and later; the others do not
// notice. A clean stop leaves tunnels as they are configured, and saves the map
// as it then is, endpoints included. A network that went out of the
// configuration, or was switched off there, has its interface and names
// removed, though it was switched off while no daemon ran.
//
// A configuration that something is wrong with is refused as a whole where there
// is one to go on with. A daemon that starts has none, and takes what is right
// of it: whoever is to mend the rest may have no other way to this machine than
// one of its networks. A section that is refused is not one that is gone: what
// was made of it before is not touched.
package daemon

import (
	"context"
	"io"
	"net/netip"
	"strings"
	"sync"
	"time"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/journal"
	"ginnel/platform"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// System is the operating system, as the program assembled it.
type System struct {
	// Tunnels returns those of a section: made by us or by others, of the
	// backend that it asks for.
	Tunnels func(n *config.Network) platform.Tunnels
	Network platform.Network
	Sockets platform.Sockets
	Names   func(hosts string) platform.Names // of a value of option hosts
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	Rand    io.Reader // of cryptographic quality, for concurrent use
}

// Role is the coordinator's part of a network on this machine.
type Role struct {
	wire.Coordinator               // how this machine's own peer asks
	wire.Sightings                 // takes what its tunnel shows
	Overlay          http1.Handler // the API in the tunnel
	Local            http1.Handler // the same for this machine's administrator
	// Run is called once and returns when ctx ends. When it ends by itself the
	// network is stopped, and tried again with a new Role.
	Run   func(ctx context.Context) error
	Close func() error // called once, after Run
}

// Hooks are what a Role may call, from any goroutine and at any time; neither
// blocks. Where the network is not running they do nothing.
type Hooks struct {
	Send func(to netip.Addr, s wire.Signal) // a datagram on the signal socket
	Wake func()                             // the coordinator's own map changed
}

// Options are a Daemon's surroundings. All fields but Apply, Join and Rest are
// needed.
type Options struct {
	System   System
	StateDir string
	// ReadConfig reads the configuration; beside an error it is never nil, and as
	// [config.Parse] has it.
	ReadConfig func() (*config.Config, error)
	// Apply, if it is not nil, is called with what a configuration says of the
	// daemon itself, whenever one is taken. Reload waits for it.
	Apply func(config.Daemon)
	// OpenRole opens the book of a network whose coordinator this machine is.
	OpenRole func(n *config.Network, id state.Identity, h Hooks) (*Role, error)
	// Join redeems the invitation in n. Once it returns nil the coordinator has
	// accepted, and this machine is a member for good. Needed where sections have
	// an invitation.
	Join func(ctx context.Context, n config.Network) error
	// Rest, if it is not nil, is called when a network has come to rest after
	// some work: a good time to clean up. It may be called from several
	// goroutines, which wait for it.
	Rest    func()
	Version string
	Log     *journal.Logger
}

// Daemon runs the networks of one machine.
type Daemon struct {
	Options
	begun chan struct{} // closed when Run has read the configuration

	reload sync.Mutex      // one reload at a time; taken before mu
	ctx    context.Context // of Run; nil before and after it; guarded by reload
	loaded bool            // there is a configuration to go on with; guarded by reload

	// What follows is guarded by mu, and changes only with reload held.
	mu       sync.Mutex
	config   *config.Config
	unread   error               // why the last Reload did not take the configuration as it is; nil: it did
	networks map[string]*network // the enabled ones
}

// New returns a daemon that does nothing before Run.
func New(o Options) *Daemon {
	return &Daemon{Options: o, begun: make(chan struct{}), config: &config.Config{}, networks: map[string]*network{}}
}

// Run reads the configuration and runs its networks, but those that are refused,
// until ctx ends. It is called once.
func (d *Daemon) Run(ctx context.Context) {
	d.reload.Lock()
	d.ctx = ctx
	d.reload.Unlock()
	defer d.end()
	if err := d.Reload(ctx); err != nil {
		d.Log.Error("start", "err", err)
	}
	close(d.begun)
	<-ctx.Done()
}

// end stops all networks, leaving what they configured. None starts any more.
func (d *Daemon) end() {
	d.reload.Lock()
	defer d.reload.Unlock()
	d.ctx = nil
	for _, n := range d.networks {
		n.stop(false)
	}
}

// Reload reads the configuration again and starts, stops and restarts the
// networks that changed; those whose settings alone did (settings.go) go on with
// the new ones. One that has failed is tried at once. When something is wrong in
// the configuration everything stays as it is; the first time, when there is
// nothing yet, the rest of it is taken.
func (d *Daemon) Reload(context.Context) error {
	d.reload.Lock()
	defer d.reload.Unlock()
	if d.ctx == nil {
		return wire.Errorf(wire.StatusUnavailable, "the daemon is starting or stopping: try again in a moment")
	}
	next, err := d.ReadConfig()
	if err != nil {
		instead := "the configuration stays as it was"
		if !d.loaded {
			instead = "the daemon has started without what is wrong in the configuration"
		}
		err = wire.Errorf(wire.StatusUnprocessable, "%s: %v", instead, err)
	}
	d.mu.Lock()
	d.unread = err
	d.mu.Unlock()
	if err != nil && d.loaded {
		return err
	}
	d.loaded = err == nil || len(next.Networks) > 0 // else there is nothing to stay with
	if d.Apply != nil {
		d.Apply(next.Daemon)
	}
	for _, n := range d.networks {
		d.revise(n, next)
	}
	for i := range next.Networks {
		d.begin(&next.Networks[i])
	}
	d.mu.Lock()
	d.config = next
	d.mu.Unlock()
	return err
}

// revise stops n unless next has it as it is, or nearly.
func (d *Daemon) revise(n *network, next *config.Config) {
	want, ok := next.Network(n.cfg.Name)
	keep := ok && want.Enabled
	if keep && want.Equal(&n.cfg) {
		post(n.again)
		return
	}
	if keep && sameButSettings(want, &n.cfg) {
		n.adjust(*want)
		return
	}
	n.stop(!keep || !want.SameLink(&n.cfg))
	d.set(n.cfg.Name, nil)
	if keep && want.Hosts != n.cfg.Hosts {
		d.warn(&n.cfg, clearNames(d.System, &n.cfg))
	}
}

// begin starts cfg's network where it should run and does not. Of one that was
// switched off before this daemon ran, what an earlier one left is removed.
func (d *Daemon) begin(cfg *config.Network) {
	before, known := d.config.Network(cfg.Name)
	switch {
	case cfg.Refused: // it is not gone, though nothing of it runs
	case cfg.Enabled && d.networks[cfg.Name] == nil:
		d.set(cfg.Name, d.start(*cfg))
	case !cfg.Enabled && (!known || before.Refused):
		d.warn(cfg, sweep(d.System, d.StateDir, cfg, true))
	}
}

// warn logs what could not be removed of a network.
func (d *Daemon) warn(cfg *config.Network, err error) {
	if err != nil {
		d.Log.Warn("something of the network is left on this machine", "network", cfg.Name, "err", err)
	}
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

// statusTime is how long a network that is busy is waited for.
const statusTime = 5 * time.Second

// Status tells how all networks of the configuration are. One that is busy for
// long is shown as such; the error is always nil.
func (d *Daemon) Status(ctx context.Context) (*local.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, statusTime)
	defer cancel()
	configured, running, unread := d.list()
	s := &local.Status{Version: d.Version, Networks: make([]local.Network, len(configured))}
	if unread != nil {
		s.Problems = strings.Split(unread.Error(), "\n")
	}
	var asking sync.WaitGroup
	for i, n := range running {
		c := &configured[i]
		if n == nil {
			s.Networks[i] = withoutPeer(c, local.Down, nil)
			if c.Refused {
				s.Networks[i].State, s.Networks[i].Error = local.Failed, refused
			}
			continue
		}
		asking.Go(func() { s.Networks[i] = n.status(ctx) })
	}
	asking.Wait()
	return s, nil
}

// refused is why a network does not run; what is wrong in the file is told
// besides.
const refused = "its section in the configuration is refused"

// list returns the configured networks, beside each the running one, nil where
// it is switched off or refused, and why the configuration is not the one on disk.
func (d *Daemon) list() (configured []config.Network, running []*network, unread error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	running = make([]*network, len(d.config.Networks))
	for i := range running {
		running[i] = d.networks[d.config.Networks[i].Name]
	}
	return d.config.Networks, running, d.unread
}

// Coordinator passes r to the coordinator of the network. Its errors are
// [*wire.Problem]s.
func (d *Daemon) Coordinator(ctx context.Context, name string, r *http1.Request) (*http1.Response, error) {
	p, err := d.running(name)
	if err != nil {
		return nil, err
	}
	resp, err := p.forward(ctx, r)
	if err != nil {
		return nil, wire.Errorf(wire.StatusBadGateway, "the coordinator of %s cannot be reached: %v", name, err)
	}
	return resp, nil
}
