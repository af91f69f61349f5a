package core

import (
	"net/netip"
	"slices"
	"time"

	"ginnel/wire"
)

// report is the telling of our endpoints to the coordinator.
type report struct {
	own      []netip.AddrPort // our candidates; nil: to be made again
	accepted wire.Report      // what the coordinator has of us, where known
	known    bool
	sent     wire.Report // under way
	inFlight bool
	due      time.Time // not before; zero: at once
	retry    backoff
}

// reportWanted tells whether the coordinator should hear our endpoints. While
// it is not reached there is no point: the fetch finds out when it is. Neither
// is there between two underlays: a report without addresses would get through
// only with the next one, and hold up the news of it.
func (c *Core) reportWanted() bool {
	r := &c.report
	if r.inFlight || !c.contact.ok || !c.underlayKnown || len(c.view.underlay) == 0 || c.view.port == 0 {
		return false
	}
	if r.own == nil {
		r.own = c.view.ownCandidates(c.cfg.Exclude)
	}
	return !r.known || !slices.Equal(r.own, r.accepted.Candidates) || !slices.Equal(c.cfg.Announced, r.accepted.Announced)
}

func (c *Core) reportDeadline() time.Time {
	if !c.reportWanted() {
		return time.Time{}
	}
	return c.report.due
}

// tellCandidates reports our endpoints when they are news.
func (c *Core) tellCandidates() {
	r := &c.report
	if !c.reportWanted() || c.now.Before(r.due) {
		return
	}
	r.inFlight, r.sent = true, wire.Report{Candidates: r.own, Announced: c.cfg.Announced}
	c.do(Report{Report: r.sent})
}

func (c *Core) reported(err error) {
	r := &c.report
	r.inFlight = false
	if err != nil {
		r.due = c.later(&r.retry)
		c.say(topicReport, "cannot tell the coordinator our endpoints: %v", err)
		return
	}
	r.retry.ok()
	r.due = time.Time{}
	r.accepted, r.known = r.sent, true
	c.over(topicReport)
}
