package daemon

import (
	"context"
	"fmt"
)

// Settle waits until Run has read the configuration and each network that is
// switched on there was tried: it has its interface, with addresses and routes
// as the saved map has them, or it failed and is tried again. The error is about
// one that was not when ctx ended.
func (d *Daemon) Settle(ctx context.Context) error {
	select {
	case <-d.begun:
	case <-ctx.Done():
		return fmt.Errorf("the configuration is not read: %w", ctx.Err())
	}
	for _, n := range d.all() {
		select {
		case <-n.tried:
		case <-ctx.Done():
			return fmt.Errorf("network %s is not opened: %w", n.config().Name, ctx.Err())
		}
	}
	return d.Alive(ctx)
}

// Alive waits until the loop of every network that runs has answered. A network
// that failed and waits for its next try does not run. The error is about one
// that had not answered when ctx ended.
func (d *Daemon) Alive(ctx context.Context) error {
	for _, n := range d.all() {
		if p, _ := n.running(); p != nil && !p.answers(ctx) {
			return fmt.Errorf("network %s does not answer: %w", p.cfg.Name, ctx.Err())
		}
	}
	return nil
}

// all returns the networks that are switched on.
func (d *Daemon) all() []*network {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make([]*network, 0, len(d.networks))
	for _, n := range d.networks {
		list = append(list, n)
	}
	return list
}

// answers waits until the loop takes something in, which it does not before it
// has done what it starts with; it returns false when ctx ended before. A loop
// that has ended does not hang.
func (p *peer) answers(ctx context.Context) bool {
	select {
	case p.asks <- func(context.Context) {}:
	case <-p.ended:
	case <-ctx.Done():
		return false
	}
	return true
}
