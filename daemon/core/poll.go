package core

import (
	"time"

	"ginnel/wire"
)

// How a coordinator is asked that has not nudged for long. A Fetch costs some
// 1,300 bytes and a dozen packets, a poll 80 bytes and two.
const (
	pollEvery    = 5 * time.Minute
	fetchEvery   = time.Hour       // the map itself, whatever the answers to polls
	pollSpread   = 0.2             // of these times, around them
	pollPatience = 2 * time.Second // for the answer: a session may have to be made anew
)

// poll is the asking whether there is news. The zero value: the map is fetched
// instead.
type poll struct {
	due     time.Time // of the next one; zero: none before the next Fetch
	waiting bool      // for the answer
	fetch   time.Time // when the map is to be fetched though there is no news
}

// spread is d with this peer's jitter.
func (c *Core) spread(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 - pollSpread/2 + pollSpread*c.cfg.Jitter))
}

// doPoll asks whether there is news. Without an answer the map is fetched, and
// at once where none can be expected, or none that would do: news of what was
// left out of the map is no news to the coordinator.
func (c *Core) doPoll() {
	t, p := &c.contact, c.coordinator()
	t.poll.due = time.Time{}
	if p == nil || p.path.state != connected || !t.ok || len(c.leftOut) > 0 {
		t.due = c.now
		return
	}
	t.poll.waiting = true
	t.due = earliest(t.due, c.now.Add(pollPatience))
	c.do(Signal{To: p.member.Address, Signal: wire.Signal{Kind: wire.SignalPoll, Value: c.world.Position.Epoch}})
}

// pollAnswered is told that there is no news in an epoch. A nudge that came
// after the poll counts for more.
func (c *Core) pollAnswered(epoch uint64) {
	t := &c.contact
	if t.inFlight || !t.poll.waiting || epoch != c.world.Position.Epoch {
		return
	}
	c.reached()
	t.last, t.due = c.now, t.poll.fetch
	t.poll.waiting, t.poll.due = false, c.now.Add(c.spread(pollEvery))
}
