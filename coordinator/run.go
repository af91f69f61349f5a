package coordinator

import (
	"context"
	"net/netip"
	"time"

	"ginnel/network"
	"ginnel/wire"
)

// expiryCheck is how often the clock is looked at while an invitation is open:
// a wall clock may be set at any time, and an expired invitation's name is
// free within 10 s.
const expiryCheck = 5 * time.Second

// Run nudges peers, ends invitations that expired and releases what was held
// too long, until ctx ends; it then returns nil. It returns an error when the
// store is out of step with the book: what is needed then is a new Role, made
// of what the store has. It has one goroutine, the caller's, and one timer.
func (r *Role) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var checked time.Time
	var failing bool
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-r.broken:
			return err
		case <-timer.C:
		case <-r.kick:
		}
		now := r.cfg.Now()
		if now.Sub(checked) >= expiryCheck || now.Before(checked) {
			checked = now
			failing = r.expire(now, failing)
		}
		next := earlier(r.nudge(now), r.nextExpiry(checked))
		if next.IsZero() {
			timer.Stop()
			continue
		}
		timer.Reset(max(0, next.Sub(now)))
	}
}

// expire ends the invitations that expired, and tells whether that failed, as
// it did the last time or not: a disk stays full for long, and is logged once.
func (r *Role) expire(now time.Time, failing bool) bool {
	first := r.Book().NextExpiry()
	if first.IsZero() || first.After(now) {
		return false
	}
	_, err := r.Do(network.Expire{})
	if err != nil && !failing {
		r.cfg.Log.Error("expired invitations stay open, will try again", "err", err)
	}
	return err != nil
}

// nextExpiry is when to look for expired invitations again, having last done so
// at checked; zero: none is open.
func (r *Role) nextExpiry(checked time.Time) time.Time {
	if r.Book().NextExpiry().IsZero() {
		return time.Time{}
	}
	return checked.Add(expiryCheck)
}

// errands are what Run is to do now.
type errands struct {
	wake     bool         // the local daemon
	nudges   []netip.Addr // to whom
	revision uint64       // which they tell
	next     time.Time    // when there is more to do; zero: not before there is news
}

// nudge sends what is due and returns when there is more to do; zero: not
// before there is news.
func (r *Role) nudge(now time.Time) time.Time {
	e := r.takeDue(now)
	if e.wake {
		r.cfg.Wake()
	}
	for _, a := range e.nudges {
		r.cfg.Send(a, wire.Signal{Kind: wire.SignalNudge, Value: e.revision})
	}
	return e.next
}

// takeDue releases what was held too long, spreads the reports that waited long
// enough, and returns what follows from all that happened.
func (r *Role) takeDue(now time.Time) errands {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := errands{revision: r.hub.book.Revision()}
	for a, held := range r.hub.holds {
		if !held.until.After(now) {
			r.release(a, now)
			continue
		}
		e.next = earlier(e.next, held.until)
	}
	waited, nextReport := r.reports.take(now)
	for a, rep := range waited {
		r.spread(a, rep, now)
	}
	e.wake = r.waker.take(now)
	var nextNudge time.Time
	e.nudges, nextNudge = r.nudger.take(now)
	for _, t := range []time.Time{nextReport, nextNudge, r.waker.due} {
		e.next = earlier(e.next, t)
	}
	return e
}
