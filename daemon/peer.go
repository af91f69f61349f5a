package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"ginnel/daemon/config"
	"ginnel/daemon/control"
	"ginnel/daemon/core"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/key"
	"ginnel/platform"
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
	log   *slog.Logger
	store *state.State
	core  *core.Core

	role        *Role           // nil on an ordinary peer
	remote      *control.Client // nil on the coordinator
	coordinator wire.Coordinator

	tunnel   platform.Tunnel // nil: not open
	observed platform.TunnelState
	net      platform.NetState
	sighted  []wire.Sighting
	doors    doors

	tasks   sync.WaitGroup
	events  chan core.Event // from tasks
	asks    chan func()     // to be called by the goroutine of run
	wake    chan struct{}   // the role's Wake; holds one
	changed chan struct{}   // the kernel's news; holds one
}

// openPeer opens what the peer keeps on disk. Nothing runs yet.
func (d *Daemon) openPeer(cfg config.Network) (*peer, error) {
	store, err := state.Open(state.Path(d.StateDir, cfg.Name))
	if err != nil {
		return nil, err
	}
	p := &peer{
		cfg: cfg, id: store.Identity(), sys: d.System, store: store,
		log:    d.Log.With("network", cfg.Name),
		events: make(chan core.Event), asks: make(chan func()),
		wake: make(chan struct{}, 1), changed: make(chan struct{}, 1),
	}
	if cfg.Hosts != config.NoHosts {
		p.names = d.System.Names(cfg.Hosts)
	}
	p.core = core.New(coreConfig(&p.cfg, &p.id))
	if err := p.connect(d); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return p, nil
}

// connect chooses how the coordinator is asked: in this process or through the
// tunnel.
func (p *peer) connect(d *Daemon) (err error) {
	if p.cfg.Role == config.Coordinator {
		p.role, err = d.OpenRole(&p.cfg, p.id, Hooks{Send: p.doors.send, Wake: p.woken})
		if err != nil {
			return err
		}
		p.coordinator = p.role
		return nil
	}
	p.remote, err = Remote(p.sys.Sockets, &p.id, p.id.PrivateKey)
	p.coordinator = p.remote
	return err
}

// Remote returns a client of id's coordinator that speaks through id's
// interface as the holder of k.
func Remote(s platform.Sockets, id *state.Identity, k key.PrivateKey) (*control.Client, error) {
	token, err := k.Token(id.Coordinator.PublicKey, wire.TokenPurpose)
	if err != nil {
		return nil, fmt.Errorf("the coordinator's key: %w", err)
	}
	api := netip.AddrPortFrom(id.Coordinator.Address, id.Coordinator.APIPort)
	link, from := id.Network, id.Address
	return control.New(api, token, func(ctx context.Context) (net.Conn, error) {
		return s.DialTCP(ctx, link, from, api)
	}), nil
}

func coreConfig(cfg *config.Network, id *state.Identity) core.Config {
	public := id.PrivateKey.Public()
	return core.Config{
		Network: cfg.Name, Root: id.Root, Address: id.Address, PrivateKey: id.PrivateKey,
		ListenPort: cfg.ListenPort, MTU: cfg.MTU, Keepalive: cfg.Keepalive, Routes: cfg.Routes,
		Names: cfg.Hosts != config.NoHosts, Exclude: cfg.Exclude,
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

// run is the peer's loop. It ends with ctx, or when the role failed.
func (p *peer) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer p.tasks.Wait()
	defer cancel()
	failed := make(chan error, 1)
	if p.role != nil {
		p.tasks.Go(func() { failed <- p.role.Run(ctx) })
	}
	p.tasks.Go(func() { p.watch(ctx) })
	saved, err := p.store.Map()
	if err != nil {
		return err
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ev := core.Event(core.Started{Map: saved}); ; {
		if ev != nil {
			p.step(ctx, ev)
		}
		p.arm(timer)
		ev = nil
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case ev = <-p.events:
		case f := <-p.asks:
			f()
		case <-p.wake:
			// What made the role speak may have moved endpoints as well.
			p.step(ctx, p.observeTunnel())
			ev = core.Signalled{From: p.id.Address, Signal: wire.Signal{Kind: wire.SignalNudge}}
		case <-p.changed:
			ev = core.Changed{}
		case <-timer.C:
			ev = core.Tick{}
		}
	}
}

// arm sets the one timer to the core's deadline.
func (p *peer) arm(t *time.Timer) {
	if at := p.core.Deadline(); at.IsZero() {
		t.Stop()
	} else {
		t.Reset(time.Until(at))
	}
}

// step gives ev to the core, does what it asks for and feeds it the answers.
func (p *peer) step(ctx context.Context, ev core.Event) {
	for queue := []core.Event{ev}; len(queue) > 0; queue = queue[1:] {
		actions := p.core.Step(time.Now(), queue[0])
		p.trace(ctx, queue[0], actions)
		for _, a := range actions {
			queue = p.perform(ctx, a, queue)
		}
	}
}

// task runs f beside the loop and gives the loop its event.
func (p *peer) task(ctx context.Context, f func() core.Event) {
	p.tasks.Go(func() {
		select {
		case p.events <- f():
		case <-ctx.Done():
		}
	})
}

// woken is the role's Wake.
func (p *peer) woken() { post(p.wake) }

func post(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// watch tells the loop of the kernel's news.
func (p *peer) watch(ctx context.Context) {
	for {
		err := p.sys.Network.Watch(ctx, func() { post(p.changed) })
		if err != nil {
			p.log.Warn("the kernel's news are lost for a moment", "err", err)
		}
		if !waitFor(ctx, firstRetry) {
			return
		}
		post(p.changed)
	}
}

// close ends what run left. With remove the interface and the names go too.
func (p *peer) close(remove bool) error {
	p.doors.close()
	var errs []error
	if p.tunnel != nil && !remove {
		errs = append(errs, p.tunnel.Close())
	} else if remove {
		errs = append(errs, p.clear())
	}
	if p.role != nil {
		errs = append(errs, p.role.Close())
	}
	return errors.Join(append(errs, p.store.Close())...)
}

func (p *peer) clear() error {
	if p.tunnel == nil {
		return Clear(p.sys, &p.cfg)
	}
	return errors.Join(clearNames(p.sys, &p.cfg), p.tunnel.Delete())
}

// forward passes an administrator's request on to the coordinator.
func (p *peer) forward(ctx context.Context, r *http1.Request) (*http1.Response, error) {
	if p.role != nil {
		return p.role.Local(ctx, r), nil
	}
	return p.remote.Forward(ctx, r)
}

// status asks the loop how the network is.
func (p *peer) status(ctx context.Context) (local.Network, error) {
	answer := make(chan local.Network, 1)
	select {
	case p.asks <- func() { answer <- p.describe() }:
		return <-answer, nil
	case <-ctx.Done():
		return local.Network{}, fmt.Errorf("ask network %s for its status: %w", p.cfg.Name, ctx.Err())
	}
}
