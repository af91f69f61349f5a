package coordinator

import (
	"net/netip"
	"time"
)

const (
	// reportPause is between the candidates of one peer being told and the next
	// ones: a peer whose addresses never rest must not keep all the others busy.
	reportPause = 5 * time.Second
	// wakePause is between two wakes of the local daemon for endpoint news.
	wakePause = time.Second
)

// reports holds back what one peer reports in too quick succession. The latest
// report always goes out. It is pure: its owner guards it and passes the time.
type reports map[netip.Addr]*report

// report is of a peer whose candidates were told a moment ago.
type report struct {
	free   time.Time // when the next ones may be told
	waits  bool
	latest []netip.AddrPort // to be told at free, if it waits
}

// pass tells whether the candidates of the peer at a are to be told at once;
// else it keeps them, in the place of earlier ones.
func (r reports) pass(a netip.Addr, candidates []netip.AddrPort, now time.Time) bool {
	if last := r[a]; last != nil && (last.waits || last.free.After(now)) {
		last.waits, last.latest = true, candidates
		return false
	}
	r[a] = &report{free: now.Add(reportPause)}
	return true
}

// waits tells whether candidates of the peer at a are held back.
func (r reports) waits(a netip.Addr) bool { return r[a] != nil && r[a].waits }

// take returns the candidates to tell now, and when to ask again; zero: none
// wait.
func (r reports) take(now time.Time) (told map[netip.Addr][]netip.AddrPort, next time.Time) {
	told = map[netip.Addr][]netip.AddrPort{}
	for a, last := range r {
		switch due := !last.free.After(now); {
		case due && last.waits:
			told[a] = last.latest
			r[a] = &report{free: now.Add(reportPause)}
		case due:
			delete(r, a)
		case last.waits:
			next = earlier(next, last.free)
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
