package core

import (
	"errors"
	"fmt"
	"time"

	"ginnel/wire"
)

// When the coordinator is asked.
const (
	refusedFirst = 30 * time.Second
	refusedMost  = 5 * time.Minute
	// fetchPatience is how long the first Fetch waits for the path to come up:
	// asked before, its connection would begin with a lost packet.
	fetchPatience  = 500 * time.Millisecond
	unreachedAfter = 30 * time.Second // without success, people are told
)

// contact is the asking of the coordinator for the map.
type contact struct {
	inFlight bool
	asked    wire.Position // the last Fetch's
	due      time.Time     // of the next Fetch
	poll     poll
	last     time.Time // when the coordinator last told us the map, or that it is still right; zero: not yet
	ok       bool      // the last answer was an update we took
	failing  time.Time // since when there was no success; zero: not failing
	err      error     // of the last failure

	// News that came while a Fetch was under way, whose answer may lack it.
	news   bool   // of endpoints
	nudged uint64 // of this revision
	hurry  bool   // the path came up: if this Fetch fails, try again at once

	awaited        fetchNow
	retry, refused backoff
}

func newContact() contact {
	return contact{
		retry:   backoff{first: retryFirst, most: fetchRetryMost},
		refused: backoff{first: refusedFirst, most: refusedMost},
	}
}

func (t *contact) deadline() time.Time {
	var d time.Time
	if !t.inFlight {
		d = earliest(t.due, t.poll.due)
	}
	return earliest(d, t.sayAt())
}

// sayAt is when people are told that the coordinator is not reached; zero:
// there is nothing to tell, or it was told.
func (t *contact) sayAt() time.Time {
	if t.failing.IsZero() {
		return time.Time{}
	}
	return t.failing.Add(unreachedAfter)
}

// askCoordinator asks for the map when it is time to.
func (c *Core) askCoordinator() {
	t := &c.contact
	c.noticeSilence()
	if due(t.sayAt(), c.now) {
		c.sayUnreached()
	}
	if !t.inFlight && due(t.poll.due, c.now) {
		c.doPoll()
	}
	if t.inFlight || !due(t.due, c.now) {
		return
	}
	t.poll = poll{}
	t.inFlight, t.news, t.nudged, t.hurry = true, false, 0, false
	t.awaited.underWay, t.awaited.wanted = t.awaited.wanted, 0
	t.asked = c.world.Position
	if len(c.leftOut) > 0 || c.pins.recheck {
		t.asked = wire.Position{} // what is left out of the map is in no delta to come
	}
	c.do(Fetch{Position: t.asked})
}

// noticeSilence has people told when nothing was heard of the coordinator for
// as long as a session lasts: the next Fetch may be minutes away. Without
// keepalive silence means nothing.
func (c *Core) noticeSilence() {
	p, t := c.coordinator(), &c.contact
	_, told := c.problems[topicCoordinator]
	if p == nil || c.cfg.Keepalive == 0 || told || !t.failing.IsZero() || p.heard.IsZero() {
		return
	}
	heard := p.heard
	if t.last.After(heard) {
		heard = t.last
	}
	if c.now.Sub(heard) > sessionLife {
		t.failing = heard
	}
}

func (c *Core) sayUnreached() {
	t := &c.contact
	since := wire.Dated(c.now, t.failing).Format(time.DateTime)
	t.failing = time.Time{}
	if t.err == nil {
		c.say(topicCoordinator, "cannot reach the coordinator since %s: it does not answer", since)
		return
	}
	c.say(topicCoordinator, "cannot reach the coordinator since %s: %v", since, t.err)
}

// reached notes that the coordinator answered, whatever it said.
func (c *Core) reached() {
	c.contact.failing, c.contact.err = time.Time{}, nil
	c.over(topicCoordinator)
}

func (c *Core) fetched(ev Fetched) {
	t := &c.contact
	t.inFlight = false
	var refusal *wire.Problem
	switch {
	case errors.As(ev.Err, &refusal) && !isBusy(refusal):
		c.fetchRefused(refusal)
	case ev.Err != nil || ev.Update == nil:
		c.fetchFailed(ev.Err)
	default:
		c.fetchAnswered(ev.Update)
	}
	if t.awaited.wanted > 0 {
		t.due = c.now
	}
}

// isBusy tells whether the coordinator only had no room for us at this moment:
// it has not looked at who asks, so that is no answer.
func isBusy(p *wire.Problem) bool {
	return p.Status == wire.StatusTooMany || p.Status == wire.StatusUnavailable
}

func (c *Core) fetchRefused(p *wire.Problem) {
	t := &c.contact
	c.reached()
	t.ok = false
	c.say(topicRefused, "the coordinator refuses to send the map: %s", p.Detail)
	c.answerFetchNow(p)
	if p.Status == wire.StatusUnauthorized || p.Status == wire.StatusForbidden {
		t.due = c.later(&t.refused)
		return
	}
	t.due = c.later(&t.retry)
}

func (c *Core) fetchFailed(err error) {
	t := &c.contact
	_, told := c.problems[topicCoordinator]
	if t.failing.IsZero() && !told {
		t.failing = c.now
	}
	t.ok, t.err = false, err
	c.answerFetchNow(explainSilence(err))
	t.due = c.later(&t.retry)
	if t.hurry {
		t.due = c.now
	}
}

// explainSilence says what nothing coming back may mean: a coordinator drops the
// packets of a peer that was disabled or removed.
func explainSilence(err error) error {
	var silent interface{ Timeout() bool }
	if errors.As(err, &silent) && silent.Timeout() {
		return fmt.Errorf("%w: the coordinator is away, or an admin has disabled or removed this peer", err)
	}
	return err
}

func (c *Core) fetchAnswered(u *wire.Update) {
	t := &c.contact
	c.reached()
	c.over(topicRefused)
	if err := c.check(u, t.asked); err != nil {
		t.ok = false
		c.say(topicMap, "the coordinator sent a map that cannot be right: %v", err)
		c.answerFetchNow(err)
		t.due = c.later(&t.retry)
		return
	}
	c.over(topicMap)
	t.ok, t.last = true, c.now
	t.retry.ok()
	t.refused.ok()
	t.due = c.now.Add(c.spread(fetchEvery))
	t.poll = poll{due: c.now.Add(c.spread(pollEvery)), fetch: t.due}
	if t.news || t.nudged > u.Position.Revision {
		t.due = c.now
	}
	c.take(u)
	t.awaited.applying, t.awaited.underWay = max(t.awaited.applying, t.awaited.underWay), 0
}

// nudged notes that our map is at revision now, or that there is news of
// endpoints where it is one we have.
func (c *Core) nudged(revision uint64) {
	t := &c.contact
	if revision > c.world.Position.Revision {
		t.nudged = max(t.nudged, revision)
	} else {
		t.news = true
	}
	t.due = c.now
}

// coordinatorUp is told when the path to the coordinator begins to carry.
func (c *Core) coordinatorUp() {
	c.contact.hurry = true
	if !c.contact.inFlight {
		c.contact.due = c.now
	}
}
