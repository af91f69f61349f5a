package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"ginnel/daemon/config"
	"ginnel/daemon/control"
	"ginnel/daemon/core"
	"ginnel/daemon/state"
	"ginnel/journal"
	"ginnel/key"
	"ginnel/platform"
	"ginnel/platform/dbfile"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// peer is this machine's part in one network while it runs. Its fields belong
// to the goroutine of run, but those that say otherwise.
type peer struct {
	cfg   config.Network
	id    state.Identity
	sys   System
	names platform.Names // nil: none are kept
	log   *journal.Logger
	store *state.State // the writer's while it runs
	core  *core.Core

	backlog []core.Event // to be given to the core, oldest first

	role        *Role           // nil on an ordinary peer
	remote      *control.Client // nil on the coordinator
	coordinator wire.Coordinator

	tunnel   platform.Tunnel // nil: not open
	openErr  error           // why not
	observed platform.TunnelState
	net      platform.NetState
	sighted  []wire.Sighting
	doors    doors
	disk     disk
	waiting  waiting
	rest     func() // nil: nobody wants to know

	tasks   sync.WaitGroup
	events  chan core.Event // from tasks
	asks    chan ask        // to be called by the goroutine of run
	wake    chan struct{}   // the role's Wake; holds one
	changed chan struct{}   // the kernel's news; holds one

	settings chan core.Settings // other ones; holds the newest
	told     config.Network     // whose settings it has, or will read there; guarded by its network's mu
	ended    chan struct{}      // closed when the loop takes nothing any more
	endErr   error              // why; set before ended is closed
}

// ask is what the goroutine of run is to do for another one, with run's context.
type ask func(ctx context.Context)

// openPeer opens what the peer keeps on disk. Nothing runs yet.
func (d *Daemon) openPeer(cfg config.Network) (*peer, error) {
	store, err := state.Open(state.Path(d.StateDir, cfg.Name))
	if mustJoin(&cfg, store, err) {
		if err == nil {
			store.Close() // nothing was written
		}
		return nil, errNotJoined
	}
	if err != nil {
		return nil, advise(&cfg, err)
	}
	// A join that is pending was killed after its section was written, or lost
	// the invitation that was to be redeemed.
	if err := store.Finish(); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	p := &peer{
		cfg: cfg, told: cfg, id: store.Identity(), sys: d.System, store: store,
		log:     d.Log.With("network", cfg.Name),
		openErr: errors.New("is starting"), disk: newDisk(), rest: d.Rest,
		events: make(chan core.Event), asks: make(chan ask), ended: make(chan struct{}),
		wake: make(chan struct{}, 1), changed: make(chan struct{}, 1),
		settings: make(chan core.Settings, 1),
	}
	if cfg.Hosts != config.NoHosts {
		p.names = d.System.Names(cfg.Hosts)
	}
	p.core = core.New(coreConfig(&p.cfg, &p.id))
	if err := p.connect(d); err != nil {
		return nil, errors.Join(advise(&cfg, err), store.Close())
	}
	return p, nil
}

// advise says what can be done about a file of the network's that is missing or
// damaged.
func advise(cfg *config.Network, err error) error {
	switch {
	case !errors.Is(err, platform.ErrNotExist) && !errors.Is(err, dbfile.ErrDamaged):
		return err
	case cfg.Role == config.Coordinator:
		return fmt.Errorf("%w: put a copy of the file back and run `ginnel up %s`, or, with a backup, `ginnel network remove %[2]s` and `ginnel restore FILE`", err, cfg.Name)
	}
	return fmt.Errorf("%w: put a copy of the file back, or run `ginnel leave %s` and join with a new invitation", err, cfg.Name)
}

// connect chooses how the coordinator is asked: in this process or through the
// tunnel.
func (p *peer) connect(d *Daemon) (err error) {
	isCoordinator := p.id.Address == p.id.Coordinator.Address
	if isCoordinator != (p.cfg.Role == config.Coordinator) {
		return fmt.Errorf("option role is %s, but %s is the coordinator and this machine is %s: correct the option", p.cfg.Role, p.id.Coordinator.Address, p.id.Address)
	}
	if err := p.cfg.CheckMTU(p.id.Root); err != nil {
		return fmt.Errorf("option mtu: %w: correct the option", err)
	}
	if isCoordinator {
		p.role, err = d.OpenRole(&p.cfg, p.id, Hooks{Send: p.doors.send, Wake: p.woken})
		if err != nil {
			return err
		}
		p.coordinator = p.role
		return nil
	}
	p.remote, err = Remote(p.sys.Sockets, p.cfg.Link(), &p.id, p.id.PrivateKey)
	p.coordinator = p.remote
	return err
}

// Remote returns a client of id's coordinator that speaks through the interface
// called link as the holder of k.
func Remote(s platform.Sockets, link string, id *state.Identity, k key.PrivateKey) (*control.Client, error) {
	token, err := k.Token(id.Coordinator.PublicKey, wire.TokenPurpose)
	if err != nil {
		return nil, fmt.Errorf("the coordinator's key: %w", err)
	}
	api := netip.AddrPortFrom(id.Coordinator.Address, id.Coordinator.APIPort)
	from := id.Address
	return control.New(api, token, func(ctx context.Context) (net.Conn, error) {
		return s.DialTCP(ctx, link, from, api)
	}), nil
}

func coreConfig(cfg *config.Network, id *state.Identity) core.Config {
	public := id.PrivateKey.Public()
	return core.Config{
		Network: cfg.Name, Root: id.Root, Address: id.Address, PrivateKey: id.PrivateKey,
		Settings: settings(cfg), MTU: cfg.MTU, Keepalive: cfg.Keepalive, Routes: cfg.Routes,
		Names: cfg.Hosts != config.NoHosts, Suffix: cfg.Suffix, Exclude: cfg.Exclude,
		Jitter: float64(public[0]) / 256,
		Coordinator: core.Coordinator{
			Address: id.Coordinator.Address, PublicKey: id.Coordinator.PublicKey, Endpoints: peerEndpoints(cfg),
		},
	}
}

// peerEndpoints returns where to find the coordinator: nowhere on its own
// machine, where the same option says what invitations carry.
func peerEndpoints(cfg *config.Network) []string {
	if cfg.Role == config.Coordinator {
		return nil
	}
	return cfg.Endpoints
}

// close ends what run left, except the interface itself.
func (p *peer) close() error {
	p.doors.close()
	var errs []error
	if p.tunnel != nil {
		errs = append(errs, p.tunnel.Close())
	}
	if p.role != nil {
		errs = append(errs, p.role.Close())
	}
	return errors.Join(append(errs, p.store.Close())...)
}

// forward passes an administrator's request on to the coordinator.
func (p *peer) forward(ctx context.Context, r *http1.Request) (*http1.Response, error) {
	if p.role != nil {
		return p.role.Local(ctx, r), nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return p.remote.Forward(ctx, r)
}
