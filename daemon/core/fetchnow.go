package core

import "errors"

// fetchNow is the asking that somebody waits for: at each of its stages the
// last ticket, 0 where nobody waits.
type fetchNow struct {
	wanted   uint64 // a Fetch that begins from now on: the answer under way may be older than the wish
	underWay uint64 // the answer to the one under way
	applying uint64 // what was answered to be applied
}

// answerFetchNow tells those who wait for the Fetch that has just failed.
func (c *Core) answerFetchNow(err error) {
	t := &c.contact.awaited
	if t.underWay == 0 {
		return
	}
	if err == nil {
		err = errors.New("it does not answer")
	}
	c.do(FetchDone{Ticket: t.underWay, Err: err})
	t.underWay = 0
}

// endFetchNow tells those who wait for what was answered to be applied that it
// is, or what is in the way.
func (c *Core) endFetchNow() {
	t := &c.contact.awaited
	if t.applying == 0 {
		return
	}
	err := c.notApplied()
	if err == nil && (c.tun.dirty || c.tun.applying > 0 || c.names.busy) {
		return
	}
	c.do(FetchDone{Ticket: t.applying, Err: err})
	t.applying = 0
}

// notApplied tells which problem keeps the map from being applied.
func (c *Core) notApplied() error {
	for _, topic := range []string{topicTunnelRead, topicTunnel, topicNames} {
		if text, lasts := c.problems[topic]; lasts {
			return errors.New(text)
		}
	}
	return nil
}
