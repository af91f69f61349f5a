package daemon_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"ginnel/daemon"
)

// soon returns what a call says that may take a second at most.
func soon(r *rig, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(r.Context(), time.Second)
	defer cancel()
	return call(ctx)
}

// TestSettle: a daemon has settled when the interfaces are there, though nobody
// outside answers, and though one network cannot run; not before.
func TestSettle(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		_, ann := twoNetworks(r)
		for _, m := range r.machines {
			m.halt()
		}
		if d := daemon.New(daemon.Options{}); soon(r, d.Settle) == nil {
			t.Error("a daemon has settled that does not run")
		}
		for _, name := range []string{"home", "lab"} {
			r.ok(ann.RemoveLink(name))
		}
		rename(t, ann.state("lab"), ann.state("lab")+".away")
		before := time.Now()
		ann.start()
		r.ok(soon(r, ann.daemon.Settle))
		if !ann.has("tunnel home") || !ann.has("10.42.1.1") || time.Since(before) > 0 {
			t.Errorf("after %v the machine has settled as\n%s", time.Since(before), ann.OS)
		}
	})
}

// TestSettleWaits for a network that takes long to open.
func TestSettleWaits(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		hub := r.find("hub")
		hub.hold = make(chan struct{})
		hub.start()
		if err := soon(r, hub.daemon.Settle); err == nil || !strings.Contains(err.Error(), "network home is not opened") {
			t.Errorf("before its book is open: %v", err)
		}
		r.ok(soon(r, hub.daemon.Alive)) // there is nothing yet that could hang
		close(hub.hold)
		r.ok(soon(r, hub.daemon.Settle))
		if !hub.has("tunnel home") {
			t.Errorf("the machine has settled as\n%s", hub.OS)
		}
	})
}

// TestAlive: a loop that hangs is noticed, a network that fails does not count.
func TestAlive(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		_, ann := twoNetworks(r)
		r.ok(soon(r, ann.daemon.Alive))
		ann.halt()
		rename(t, ann.state("lab"), ann.state("lab")+".away")
		hangs, end := make(chan struct{}, 1), make(chan struct{})
		ann.rest = func() {
			select {
			case hangs <- struct{}{}:
			default:
			}
			<-end
		}
		ann.start()
		<-hangs
		if err := soon(r, ann.daemon.Alive); err == nil || !strings.Contains(err.Error(), "network home does not answer") {
			t.Errorf("while it hangs: %v", err)
		}
		close(end)
		r.ok(soon(r, ann.daemon.Alive))
		ann.halt()
		r.ok(soon(r, ann.daemon.Alive))
	})
}
