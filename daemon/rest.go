package daemon

import (
	"time"

	"ginnel/daemon/core"
)

// restAfter is how long after its last work a network is at rest.
const restAfter = 10 * time.Second

// rest knows when the network is at rest. Looks and signals are no work: they
// come every minute, and leave nothing behind.
type rest struct {
	due  time.Time // zero: it is, and was told so
	tell func()    // nil: nobody wants to know
}

// worked notes an action.
func (r *rest) worked(a core.Action) {
	switch a.(type) {
	case core.Observe, core.Signal:
	default:
		if r.tell != nil {
			r.due = time.Now().Add(restAfter)
		}
	}
}

// tellDue tells that the network is at rest, when it is.
func (r *rest) tellDue() {
	if !r.due.IsZero() && !r.due.After(time.Now()) {
		r.due = time.Time{}
		r.tell()
	}
}
