package core

import (
	"errors"
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
	// refusal is what the coordinator said to a report with what we announce, if
	// it has refused one: it is older, and is told the rest alone until it was
	// started anew. nil: it has not.
	refusal  *wire.Problem
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
	return !r.known || !slices.Equal(r.own, r.accepted.Candidates) || !slices.Equal(c.announced(), r.accepted.Announced)
}

// announced is what the coordinator is told that this machine announces.
func (c *Core) announced() []string {
	if c.report.refusal != nil {
		return nil
	}
	return c.cfg.Announced
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
	r.inFlight, r.sent = true, wire.Report{Candidates: r.own, Announced: c.announced()}
	c.do(Report{Report: r.sent})
}

func (c *Core) reported(err error) {
	r := &c.report
	r.inFlight = false
	var refusal *wire.Problem
	switch {
	case err == nil:
		c.reportAccepted()
	case len(r.sent.Announced) > 0 && errors.As(err, &refusal) && refusal.Status == wire.StatusBadRequest:
		r.refusal, r.known, r.due = refusal, false, time.Time{} // at once, to see whether the rest is taken
	default:
		r.due = c.later(&r.retry)
		c.say(topicReport, "cannot tell the coordinator our endpoints: %v", err)
	}
}

func (c *Core) reportAccepted() {
	r := &c.report
	r.retry.ok()
	r.due = time.Time{}
	r.accepted, r.known = r.sent, true
	c.over(topicReport)
	if r.refusal != nil {
		c.say(topicAnnounced, "the coordinator does not take what this machine announces (%v): it is older than this machine's ginnel, upgrade it", r.refusal)
	} else {
		c.over(topicAnnounced)
	}
}
