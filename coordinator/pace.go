package coordinator

import (
	"net/netip"
	"time"

	"ginnel/wire"
)

const (
	// reportPause is between what one peer reports being told and the next report: a peer whose addresses never rest must not keep all the others busy.
	// reportBurst may be told without it, since a machine that joins and then
	// moves reports several times and means it.
	reportPause = 5 * time.Second
	reportBurst = 3
	// wakePause is between two wakes of the local daemon for endpoint news. It
	// looks at its tunnel by them, and so learns where a peer has moved to.
	wakePause = 200 * time.Millisecond
)

// reports holds back what one peer reports in too quick succession. The latest
// report always goes out. It is pure: its owner guards it and passes the time.
type reports map[netip.Addr]*report

// report is of a peer whose endpoints were told not long ago.
type report struct {
	free   time.Time // reportPause after the last time, for each time in quick succession: when the whole burst is free again
	waits  bool
	latest wire.Report // to be told when it may, if it waits
}

// due is when the next report may be told.
func (r *report) due() time.Time { return r.free.Add(-(reportBurst - 1) * reportPause) }

// told notes that a report is told at now.
func (r *report) told(now time.Time) {
	r.free, r.waits, r.latest = later(r.free, now).Add(reportPause), false, wire.Report{}
}

// pass tells whether the report of the peer at a is to be told at once; else it
// keeps it, in the place of an earlier one.
func (r reports) pass(a netip.Addr, rep wire.Report, now time.Time) bool {
	last := r[a]
	if last == nil {
		last = &report{}
		r[a] = last
	}
	if last.waits || last.due().After(now) {
		last.waits, last.latest = true, rep
		return false
	}
	last.told(now)
	return true
}

// waits tells whether a report of the peer at a is held back.
func (r reports) waits(a netip.Addr) bool { return r[a] != nil && r[a].waits }

// take returns the reports to tell now, and when to ask again; zero: none
// wait.
func (r reports) take(now time.Time) (told map[netip.Addr]wire.Report, next time.Time) {
	told = map[netip.Addr]wire.Report{}
	for a, last := range r {
		switch {
		case last.waits && !last.due().After(now):
			told[a] = last.latest
			last.told(now)
		case last.waits:
			next = earlier(next, last.due())
		case !last.free.After(now):
			delete(r, a)
		}
	}
	return told, next
}

// waker knows when to wake the local daemon. A wake is never lost, and covers
// all news before it.
type waker struct {
	due  time.Time // zero: there is no news
	free time.Time // when endpoint news may wake it again
}

// news says that the durable map changed: the daemon is woken at now.
func (w *waker) news(now time.Time) { w.due = earlier(w.due, now) }

// endpointNews says that there is news of endpoints at now.
func (w *waker) endpointNews(now time.Time) {
	if !w.due.IsZero() {
		return
	}
	w.due = later(now.Add(newsPause), w.free)
	w.free = w.due.Add(wakePause)
}

// take tells whether to wake the daemon now.
func (w *waker) take(now time.Time) bool {
	if w.due.IsZero() || w.due.After(now) {
		return false
	}
	w.due = time.Time{}
	return true
}
