package coordinator

import (
	"cmp"
	"net/netip"
	"sort"
	"time"

	"ginnel/wire"
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
	// answeredPause is the least pause after a nudge that made the peer ask for
	// its map. It knows the news when it asks again from where they took it;
	// until then the answer may be lost, or have gone to another program.
	answeredPause = 10 * time.Second
	// aliveFor is how long a sign of life counts: WireGuard gives up a session
	// that long after its handshake. A peer without one is nudged
	// absentNudges times and then when it is heard of again.
	aliveFor     = 180 * time.Second
	absentNudges = 2
	// batchSize nudges leave within batchPause, and no more: those who are
	// nudged come all at once. A thousand peers have theirs within 1.3 s.
	batchSize  = 32
	batchPause = 40 * time.Millisecond
)

// nudger knows who has yet to fetch its map, and when to remind it. It is
// pure: its owner guards it and passes the time.
type nudger struct {
	waiting map[netip.Addr]*waiting
	heard   map[netip.Addr]time.Time // the last sign of life
	began   time.Time                // of the present batch
	room    int                      // what is left of it
}

// waiting is a peer whose map changed since its last fetch.
type waiting struct {
	news  wire.Position // what it has yet to reach
	first bool          // the news is of itself: it goes before others
	last  time.Time     // of its nudges; zero: none since the news
	due   time.Time     // of the next nudge; zero: not before it is heard of, or there is more news
	pause time.Duration // after the next nudge
	until time.Time     // no nudge after this
	sent  int
}

func newNudger() *nudger {
	return &nudger{waiting: map[netip.Addr]*waiting{}, heard: map[netip.Addr]time.Time{}}
}

// news says that the map of the peer at a is to reach a position, and that it
// shall be nudged at due, now or a little later.
func (n *nudger) news(a netip.Addr, reach wire.Position, due time.Time) {
	w := n.waiting[a]
	if w == nil {
		w = &waiting{}
		n.waiting[a] = w
	}
	w.news = reach
	if w.sent >= absentNudges && !n.alive(a, due) {
		return // asleep: it was told, and will be when it wakes
	}
	w.remind(due)
}

// remind has nudges begin anew at due.
func (w *waiting) remind(due time.Time) {
	w.due = earlier(w.due, due)
	w.last, w.pause, w.until = time.Time{}, firstPause, due.Add(nudgeLife)
}

// hurry says that the news for the peer at a, if there is any, is of itself.
func (n *nudger) hurry(a netip.Addr) {
	if w := n.waiting[a]; w != nil {
		w.first = true
	}
}

// fetched says that the peer at a asked for its map from pos and was answered.
func (n *nudger) fetched(a netip.Addr, pos wire.Position) {
	w := n.waiting[a]
	switch {
	case w == nil:
	case pos.Epoch == w.news.Epoch && pos.Revision >= w.news.Revision && pos.Seq >= w.news.Seq:
		delete(n.waiting, a)
	case !w.last.IsZero() && !w.due.IsZero():
		w.due = later(w.due, w.last.Add(answeredPause))
	}
}

// current tells whether the peer at a has all news there was for it in this
// epoch, if it has asked for its map in it.
func (n *nudger) current(a netip.Addr) bool { return n.waiting[a] == nil }

// hear says that the peer at a showed a sign of life at the time at. It tells
// whether the peer is to be nudged now, having been away.
func (n *nudger) hear(a netip.Addr, at, now time.Time) bool {
	if !at.After(n.heard[a]) {
		return false
	}
	was := n.alive(a, now)
	n.heard[a] = at
	w := n.waiting[a]
	if w == nil || was || !n.alive(a, now) || !w.due.IsZero() {
		return false
	}
	w.sent = 0
	w.remind(now)
	return true
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
	if now.Before(n.began) || now.Sub(n.began) >= batchPause {
		n.began, n.room = now, batchSize
	}
	due := n.due(now)
	to = due[:min(len(due), n.room)]
	n.room -= len(to)
	for _, a := range to {
		n.plan(a, now)
	}
	if len(to) < len(due) {
		return to, n.began.Add(batchPause)
	}
	for _, w := range n.waiting {
		next = earlier(next, w.due)
	}
	return to, next
}

// due returns the peers whose nudge is due, in the order in which they get it:
// first those whom the news is about, then those who will hear it, and of each
// those who wait longest.
func (n *nudger) due(now time.Time) []netip.Addr {
	type peer struct {
		address netip.Addr
		rank    int
		due     time.Time
	}
	var due []peer
	for a, w := range n.waiting {
		switch {
		case w.due.IsZero() || w.due.After(now):
		case w.first:
			due = append(due, peer{a, 0, w.due})
		case n.alive(a, now):
			due = append(due, peer{a, 1, w.due})
		default:
			due = append(due, peer{a, 2, w.due})
		}
	}
	sort.Slice(due, func(i, j int) bool {
		a, b := &due[i], &due[j]
		return cmp.Or(a.rank-b.rank, a.due.Compare(b.due), a.address.Compare(b.address)) < 0
	})
	list := make([]netip.Addr, len(due))
	for i := range due {
		list[i] = due[i].address
	}
	return list
}

// plan decides what follows the nudge that the peer at a gets now.
func (n *nudger) plan(a netip.Addr, now time.Time) {
	w := n.waiting[a]
	w.sent++
	w.first, w.last = false, now
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

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
