package daemon_test

import (
	"os"
	"testing"
	"time"

	"ginnel/daemon/state"
)

// TestPending: a join that was killed once its section was written is finished
// by the daemon.
func TestPending(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		ann := r.machine("ann")
		r.join(ann, "home", "servers")
		id := identityOf(r, ann)
		r.ok(os.Remove(ann.state("home")))
		id.Pending = r.secret()
		r.ok(state.Create(ann.state("home"), id))
		r.find("hub").start()
		ann.start()
		r.within(5*time.Second, "a session", ann.sees("hub"))
		ann.halt()
		if id := identityOf(r, ann); id.IsPending() {
			t.Error("the join is still pending")
		}
	})
}

// identityOf reads who m is in home, while its daemon does not run.
func identityOf(r *rig, m *machine) state.Identity {
	s, err := state.Open(m.state("home"))
	r.ok(err)
	defer s.Close()
	return s.Identity()
}
