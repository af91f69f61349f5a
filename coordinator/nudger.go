package coordinator

import (
	"net/netip"
	"time"
)

// When a peer is nudged.
const (
	// newsPause lets a burst of endpoint news become one nudge.
	newsPause = 20 * time.Millisecond
	// firstPause is the pause after the first nudge; each next one is twice as
	// long, up to longestPause, for nudgeLife in all.
	firstPause   = 250 * time.Millisecond
	longestPause = 30 * time.Second
	nudgeLife    = 2 * time.Minute
	// aliveFor is how long a sign of life counts: WireGuard gives up a session
	// that long after its handshake. A peer without one is nudged
	// absentNudges times and then when it is heard of again.
	aliveFor     = 180 * time.Second
	absentNudges = 2
)

// nudger knows who has yet to fetch its map, and when to remind it. It is
// pure: its owner guards it and passes the time.
type nudger struct {
	waiting map[netip.Addr]*waiting
	heard   map[netip.Addr]time.Time // the last sign of life
}

// waiting is a peer whose map changed since its last fetch.
type waiting struct {
	due   time.Time     // of the next nudge; zero: not before it is heard of, or there is more news
	pause time.Duration // after the next nudge
	until time.Time     // no nudge after this
	sent  int
}

func newNudger() *nudger {
	return &nudger{waiting: map[netip.Addr]*waiting{}, heard: map[netip.Addr]time.Time{}}
}

// news says that the map of the peer at a changed, and that it shall be
// nudged at due, now or a little later.
func (n *nudger) news(a netip.Addr, due time.Time) {
	w := n.waiting[a]
	if w == nil {
		w = &waiting{}
		n.waiting[a] = w
	}
	if w.sent >= absentNudges && !n.alive(a, due) {
		return // asleep: it was told, and will be when it wakes
	}
	if w.due.IsZero() || due.Before(w.due) {
		w.due = due
	}
	w.pause, w.until = firstPause, due.Add(nudgeLife)
}

// fetched says that the peer at a was given its current map.
func (n *nudger) fetched(a netip.Addr) { delete(n.waiting, a) }

// hear says that the peer at a showed a sign of life at the time at.
func (n *nudger) hear(a netip.Addr, at, now time.Time) {
	if !at.After(n.heard[a]) {
		return
	}
	was := n.alive(a, now)
	n.heard[a] = at
	if w := n.waiting[a]; w != nil && !was && n.alive(a, now) && w.due.IsZero() {
		w.sent = 0
		n.news(a, now)
	}
}

// forget drops all that is known of the peer at a.
func (n *nudger) forget(a netip.Addr) {
	delete(n.waiting, a)
	delete(n.heard, a)
}

// alive tells whether the peer at a gave a sign of life lately.
func (n *nudger) alive(a netip.Addr, now time.Time) bool {
	at, ok := n.heard[a]
	return ok && now.Sub(at) <= aliveFor
}

// take returns the peers to nudge now, and when to ask again; zero: not before
// there is news.
func (n *nudger) take(now time.Time) (to []netip.Addr, next time.Time) {
	for a, w := range n.waiting {
		if w.due.IsZero() {
			continue
		}
		if !w.due.After(now) {
			to = append(to, a)
			n.plan(a, w, now)
		}
		next = earlier(next, w.due)
	}
	return to, next
}

// plan decides what follows the nudge that is sent now.
func (n *nudger) plan(a netip.Addr, w *waiting, now time.Time) {
	w.sent++
	w.due = now.Add(w.pause)
	w.pause = min(2*w.pause, longestPause)
	if w.due.After(w.until) || w.sent >= absentNudges && !n.alive(a, now) {
		w.due = time.Time{}
	}
}

// earlier is the earlier of two times, of which zero means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
