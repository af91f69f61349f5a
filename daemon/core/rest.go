package core

import (
	"slices"
	"time"
)

// restAfter is how long after its last work a network is at rest.
const restAfter = 10 * time.Second

// noteRest tells, once, at the first Step after a while without work. Nobody is
// woken up for it: the machine is looked at more often than that matters.
func (c *Core) noteRest() {
	switch {
	case slices.ContainsFunc(c.out, isWork):
		c.restDue = c.now.Add(restAfter)
	case due(c.restDue, c.now):
		c.restDue = time.Time{}
		c.do(Rest{})
	}
}

// isWork tells whether an action leaves something behind. Looks, signals and the
// names come every minute, and do not.
func isWork(a Action) bool {
	switch a.(type) {
	case Observe, Signal, SetNames:
		return false
	}
	return true
}
