package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ginnel/daemon/core"
	"ginnel/platform"
	"ginnel/wire"
)

// How long a request may take: a little more than TCP needs to get through a
// tunnel whose handshake has to be repeated.
const requestTimeout = 15 * time.Second

// perform does one action. What is known at once is appended to answers; what
// takes long comes through p.events.
func (p *peer) perform(ctx context.Context, a core.Action, answers []core.Event) []core.Event {
	switch a := a.(type) {
	case core.Observe:
		return p.observe(ctx, a, answers)
	case core.ApplyTunnel:
		return append(answers, core.Applied{Action: a, Err: p.applyTunnel(&a.Change)})
	case core.ApplyNet:
		return append(answers, core.Applied{Action: a, Err: p.applyNet(ctx, &a.Change)})
	case core.SetNames:
		if p.names != nil {
			put(p.disk.names, a)
		}
	case core.Fetch:
		p.task(ctx, func() core.Event { return p.fetch(ctx, a.Position) })
	case core.Report:
		p.task(ctx, func() core.Event { return p.report(ctx, a.Report) })
	case core.Resolve:
		p.task(ctx, func() core.Event { return p.resolve(ctx, a.Host) })
	case core.Signal:
		p.doors.send(a.To, a.Signal)
	case core.Save:
		put(p.disk.saves, a)
	case core.FetchDone:
		p.fetchDone(a)
	case core.Rest:
		if p.rest != nil {
			p.rest()
		}
	case core.Say:
		p.say(a)
	default:
		panic("daemon: the core asked for an action that is unknown here")
	}
	return answers
}

func (p *peer) say(s core.Say) {
	if s.Text == "" {
		p.log.Info("problem is over", "topic", s.Topic)
		return
	}
	p.log.Warn(s.Text, "topic", s.Topic)
}

func (p *peer) fetch(ctx context.Context, pos wire.Position) core.Event {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	u, err := p.coordinator.Fetch(ctx, pos)
	return core.Fetched{Update: u, Err: err}
}

func (p *peer) report(ctx context.Context, r wire.Report) core.Event {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return core.Reported{Err: p.coordinator.Report(ctx, r)}
}

func (p *peer) resolve(ctx context.Context, host string) core.Event {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	addrs, err := p.sys.Resolve(ctx, host)
	return core.Resolved{Host: host, Addrs: addrs, Err: err}
}

func (p *peer) observe(ctx context.Context, a core.Observe, answers []core.Event) []core.Event {
	if a.Tunnel {
		answers = append(answers, p.observeTunnel())
	}
	if a.Net {
		answers = append(answers, core.NetObserved{State: &p.net, Err: p.observeNet(ctx)})
	}
	if a.Underlay {
		addrs, err := p.sys.Network.Underlay()
		answers = append(answers, core.UnderlayObserved{Addresses: addrs, Err: err})
	}
	return answers
}

// observeTunnel reads the tunnel, and hands what it shows to the role.
func (p *peer) observeTunnel() core.Event {
	err := p.openTunnel()
	if err == nil {
		err = p.lost(p.tunnel.Observe(&p.observed))
	}
	if err == nil && p.role != nil {
		p.sighted = slices.DeleteFunc(sightings(p.sighted[:0], &p.observed), func(s wire.Sighting) bool {
			return p.core.Guesses(s.Address, s.Endpoint)
		})
		p.role.Seen(time.Now(), p.sighted)
	}
	return core.TunnelObserved{State: &p.observed, Err: err}
}

// sightings appends what the tunnel shows of each peer. A peer of ours has its
// own address as its only allowed IP.
func sightings(dst []wire.Sighting, s *platform.TunnelState) []wire.Sighting {
	for i := range s.Peers {
		peer := &s.Peers[i]
		if len(peer.AllowedIPs) == 1 && peer.AllowedIPs[0].IsSingleIP() {
			dst = append(dst, wire.Sighting{Address: peer.AllowedIPs[0].Addr(), Endpoint: peer.Endpoint, LastHandshake: peer.LastHandshake})
		}
	}
	return dst
}

func (p *peer) applyTunnel(c *platform.TunnelChange) error {
	if err := p.openTunnel(); err != nil {
		return err
	}
	return p.lost(p.tunnel.Apply(c))
}

// applyNet changes the link, which is ours only where the tunnel is open: the
// name alone may be a stranger's.
func (p *peer) applyNet(ctx context.Context, c *platform.NetChange) error {
	if err := p.openTunnel(); err != nil {
		return err
	}
	if err := p.sys.Network.Apply(p.cfg.Link(), c); err != nil {
		return err
	}
	p.openDoors(ctx)
	return nil
}

// observeNet reads the link into p.net, where it is ours.
func (p *peer) observeNet(ctx context.Context) error {
	if err := p.openTunnel(); err != nil {
		return err
	}
	if err := p.sys.Network.Observe(p.cfg.Link(), &p.net); err != nil {
		return err
	}
	p.openDoors(ctx)
	return nil
}

// openTunnel makes or adopts the interface where that is not done yet.
func (p *peer) openTunnel() error {
	if p.tunnel == nil {
		p.tunnel, p.openErr = p.sys.Tunnels(&p.cfg).Open(p.cfg.Link(), p.cfg.MTU)
	}
	if p.cfg.Existing && p.tunnel == nil && errors.Is(p.openErr, platform.ErrNotExist) {
		p.openErr = fmt.Errorf("interface %s is waited for, as others make it (option interface_mode): %w", p.cfg.Link(), p.openErr)
	}
	return p.openErr
}

// lost lets go of an interface that somebody deleted, so that the next action
// makes it anew.
func (p *peer) lost(err error) error {
	if errors.Is(err, platform.ErrNotExist) {
		p.doors.close()
		if err := p.tunnel.Close(); err != nil {
			p.log.Debug("close a deleted interface", "err", err)
		}
		p.tunnel, p.openErr = nil, err
	}
	return err
}
