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
// too long, until ctx ends; it then returns nil. It has one goroutine, the
// caller's, and one timer.
func (r *Role) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var checked time.Time
	var failing bool
	for {
		select {
		case <-ctx.Done():
			return nil
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

// nudge sends what is due and returns when there is more to do; zero: not
// before there is news.
func (r *Role) nudge(now time.Time) time.Time {
	to, value, next := r.takeDue(now)
	for _, a := range to {
		if a == r.own {
			r.cfg.Wake()
			continue
		}
		r.cfg.Send(a, wire.Signal{Kind: wire.SignalNudge, Value: value})
	}
	return next
}

// takeDue releases what was held too long, and returns who to nudge with which
// revision.
func (r *Role) takeDue(now time.Time) (to []netip.Addr, value uint64, next time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for a, held := range r.hub.holds {
		if !held.until.After(now) {
			r.release(a, now)
			continue
		}
		next = earlier(next, held.until)
	}
	to, due := r.nudger.take(now)
	for _, a := range to {
		if a == r.own {
			r.nudger.fetched(a) // Wake is never lost
		}
	}
	return to, r.hub.book.Revision(), earlier(next, due)
}
