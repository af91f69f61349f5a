package core

import (
	"net/netip"
	"slices"
	"time"

	"ginnel/wire"
)

// report is the telling of our candidates to the coordinator.
type report struct {
	own      []netip.AddrPort // our candidates; nil: to be made again
	accepted []netip.AddrPort // what the coordinator has of us, where known
	known    bool
	sent     []netip.AddrPort // under way
	inFlight bool
	due      time.Time // not before; zero: at once
	retry    backoff
}

// reportWanted tells whether the coordinator should hear our candidates. While
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
	return !r.known || !slices.Equal(r.own, r.accepted)
}

func (c *Core) reportDeadline() time.Time {
	if !c.reportWanted() {
		return time.Time{}
	}
	return c.report.due
}

// tellCandidates reports our candidates when they are news.
func (c *Core) tellCandidates() {
	r := &c.report
	if !c.reportWanted() || c.now.Before(r.due) {
		return
	}
	r.inFlight, r.sent = true, r.own
	c.do(Report{Report: wire.Report{Candidates: r.sent}})
}

func (c *Core) reported(err error) {
	r := &c.report
	r.inFlight = false
	if err != nil {
		r.due = c.now.Add(r.retry.fail())
		c.say(topicReport, "cannot tell the coordinator our endpoints: %v", err)
		return
	}
	r.retry.ok()
	r.due = time.Time{}
	r.accepted, r.known = r.sent, true
	c.over(topicReport)
}
