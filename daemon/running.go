package daemon

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"ginnel/daemon/core"
	"ginnel/daemon/local"
	"ginnel/key"
	"ginnel/wire"
)

// fetchTime is how long a fetch that somebody waits for may take: first one
// that is under way may have to come to its end.
const fetchTime = 25 * time.Second

// waiting are those who wait for a fetch. Only the loop touches it.
type waiting struct {
	last uint64 // ticket given
	list []waiter
}

type waiter struct {
	ticket uint64
	answer chan<- error // has room for it
}

// Running returns the named network. Its errors are [*wire.Problem]s that say
// why it does not run.
func (d *Daemon) Running(name string) (local.Running, error) {
	p, err := d.running(name)
	if err != nil {
		return nil, err // not a nil *peer in an interface that is none
	}
	return p, nil
}

func (d *Daemon) running(name string) (*peer, error) {
	d.mu.Lock()
	cfg, configured := d.config.Network(name)
	n := d.networks[name]
	d.mu.Unlock()
	switch {
	case !configured:
		return nil, wire.Errorf(wire.StatusNotFound, "there is no network %s on this machine: `ginnel network list` lists them", name)
	case cfg.Refused:
		return nil, wire.Errorf(wire.StatusUnavailable, "network %s is not running: %s", name, refused)
	case n == nil:
		return nil, wire.Errorf(wire.StatusConflict, "network %s is down: `ginnel up %[1]s` switches it on", name)
	}
	p, err := n.running()
	if p == nil {
		return nil, wire.Errorf(wire.StatusUnavailable, "network %s is not running: %v", name, err)
	}
	return p, nil
}

// Fetch implements local.Running.
func (p *peer) Fetch(ctx context.Context) (*local.Network, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	answer := make(chan error, 1)
	err := p.inLoop(ctx, func(loop context.Context) {
		w := &p.waiting
		w.last++
		w.list = append(w.list, waiter{w.last, answer})
		p.step(loop, core.FetchNow{Ticket: w.last})
	})
	if err != nil {
		return nil, err
	}
	select {
	case err = <-answer:
	case <-p.ended:
		err = errors.New("the network was stopped")
	case <-ctx.Done():
		err = errors.New("it takes too long")
	}
	if err != nil {
		return nil, wire.Errorf(wire.StatusBadGateway, "cannot fetch the map of %s: %v", p.cfg.Name, err)
	}
	n := p.status(ctx)
	return &n, nil
}

// fetchDone answers those who waited long enough.
func (p *peer) fetchDone(a core.FetchDone) {
	p.waiting.list = slices.DeleteFunc(p.waiting.list, func(w waiter) bool {
		if w.ticket > a.Ticket {
			return false
		}
		w.answer <- a.Err
		return true
	})
}

// Pins implements local.Running.
func (p *peer) Pins(ctx context.Context) (pins []local.Pin, err error) {
	pins = []local.Pin{}
	err = p.inLoop(ctx, func(context.Context) {
		for _, s := range p.core.AppendPins(nil) {
			pins = append(pins, local.Pin{Address: s.Address, Name: s.Name, PublicKey: s.PublicKey, InMap: s.InMap, Presented: s.Presented})
		}
	})
	return pins, err
}

// Forget implements local.Running.
func (p *peer) Forget(ctx context.Context, a netip.Addr, k key.PublicKey) (err error) {
	asked := p.inLoop(ctx, func(loop context.Context) {
		pins := p.core.AppendPins(nil)
		i := slices.IndexFunc(pins, func(s core.PinStatus) bool { return s.Address == a })
		switch {
		case i < 0:
			err = wire.Errorf(wire.StatusNotFound, "no key is pinned for %s in %s: `ginnel pin list` lists those that are", a, p.cfg.Name)
		case a == p.id.Coordinator.Address:
			err = wire.Errorf(wire.StatusConflict, "%s is the coordinator, whose key the invitation told: to trust another, `ginnel leave %s` and join with a new invitation", a, p.cfg.Name)
		case !k.IsZero() && k != pins[i].Presented:
			err = wire.Errorf(wire.StatusConflict, "the coordinator does not present the key %s for %s any more, and nothing was changed: `ginnel pin list` shows what it does", k, a)
		default:
			p.step(loop, core.Forget{Address: a, Key: k})
		}
	})
	return errors.Join(asked, err)
}

// inLoop has the loop call f, and returns when it has.
func (p *peer) inLoop(ctx context.Context, f ask) error {
	done := make(chan struct{})
	select {
	case p.asks <- func(loop context.Context) { defer close(done); f(loop) }:
		<-done
		return nil
	case <-p.ended:
		return wire.Errorf(wire.StatusUnavailable, "network %s is not running: %v", p.cfg.Name, p.endErr)
	case <-ctx.Done():
		return wire.Errorf(wire.StatusUnavailable, "network %s is too busy: try again in a moment", p.cfg.Name)
	}
}
