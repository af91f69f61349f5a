package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ginnel/daemon/core"
	"ginnel/wire"
)

// run is the peer's loop. It ends with ctx, or when the role failed.
func (p *peer) run(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer func() { p.writeLast(err == nil) }()
	defer p.tasks.Wait()
	defer cancel()
	defer func() { p.end(err) }()
	first, err := p.started()
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	if p.role != nil {
		p.tasks.Go(func() { failed <- p.role.Run(ctx) })
	}
	p.tasks.Go(func() { p.watch(ctx) })
	p.tasks.Go(func() { p.write(ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ev := core.Event(first); ; {
		if ev != nil {
			p.step(ctx, ev)
		}
		p.arm(timer)
		ev = nil
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return p.roleEnded(ctx, err)
		case ev = <-p.events:
		case f := <-p.asks:
			f(ctx)
		case <-p.wake:
			ev = core.Signalled{From: p.id.Address, Signal: wire.Signal{Kind: wire.SignalNudge}}
		case <-p.changed:
			ev = core.Changed{}
		case s := <-p.settings:
			ev = core.Configured{Settings: s}
		case <-timer.C:
			if !p.doors.due.IsZero() && !p.doors.due.After(time.Now()) {
				p.openDoors(ctx)
			}
			ev = core.Tick{}
		}
	}
}

// end lets those know who wait for the loop, and why.
func (p *peer) end(err error) {
	p.endErr = err
	if err == nil {
		p.endErr = errStopping
	}
	close(p.ended)
}

// started returns what to start with. A map that cannot be read is no reason
// not to: the coordinator has it. But nobody else has the pins.
func (p *peer) started() (ev core.Started, err error) {
	if ev.Pins, err = p.store.Pins(); err != nil {
		return ev, advise(&p.cfg, err)
	}
	if ev.Map, err = p.store.Map(); err != nil {
		p.log.Error("the saved map is not used, a new one is fetched", "err", err)
	}
	return ev, nil
}

// roleEnded says what run returns when the role did: nothing when it was to.
func (p *peer) roleEnded(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return nil
	case err == nil:
		return errors.New("the coordinator's role ended by itself")
	}
	return fmt.Errorf("the coordinator's role ended: %w", err)
}

// arm sets the one timer to the core's deadline or the doors', and to now while
// there is something that the core has not heard of.
func (p *peer) arm(t *time.Timer) {
	at := p.core.Deadline()
	if due := p.doors.due; !due.IsZero() && (at.IsZero() || due.Before(at)) {
		at = due
	}
	switch {
	case len(p.backlog) > 0:
		t.Reset(0)
	case at.IsZero():
		t.Stop()
	default:
		t.Reset(time.Until(at))
	}
}

// maxEvents is how many step gives the core before it returns, so that whatever
// the core goes on asking for, others have their turn and the daemon can be
// stopped.
const maxEvents = 100

// step gives ev to the core, does what it asks for and feeds it the answers. Of
// very many the rest waits in p.backlog.
func (p *peer) step(ctx context.Context, ev core.Event) {
	p.backlog = append(p.backlog, ev)
	for n := 0; n < maxEvents && len(p.backlog) > 0; n++ {
		ev, p.backlog = p.backlog[0], p.backlog[1:]
		actions := p.core.Step(time.Now(), ev)
		p.trace(ctx, ev, actions)
		for _, a := range actions {
			p.backlog = p.perform(ctx, a, p.backlog)
		}
	}
	if len(p.backlog) == 0 {
		p.backlog = nil // its memory has what was in it
	}
}

// task runs f beside the loop and gives the loop its event.
func (p *peer) task(ctx context.Context, f func() core.Event) {
	p.tasks.Go(func() { p.tell(ctx, f()) })
}

// tell gives the loop an event; it is dropped when ctx ends. The loop itself
// must not call it.
func (p *peer) tell(ctx context.Context, ev core.Event) {
	select {
	case p.events <- ev:
	case <-ctx.Done():
	}
}

// call has the loop call f, likewise.
func (p *peer) call(ctx context.Context, f func()) {
	select {
	case p.asks <- func(context.Context) { f() }:
	case <-ctx.Done():
	}
}

// woken is the role's Wake.
func (p *peer) woken() { post(p.wake) }

func post(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// watch tells the loop of the kernel's news. Without them the core still looks
// now and then. Of a row of failures the first is logged.
func (p *peer) watch(ctx context.Context) {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		began := time.Now()
		err := p.sys.Network.Watch(ctx, func() { post(p.changed) })
		if time.Since(began) > lastRetry {
			wait = firstRetry
		}
		if err != nil && wait == firstRetry {
			p.log.Warn("changes of this machine's links are noticed late", "err", err)
		}
		if !waitFor(ctx, wait) {
			return
		}
	}
}

// waitFor waits until d has passed; it returns false when ctx ended first.
func waitFor(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
