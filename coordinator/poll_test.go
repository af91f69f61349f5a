package coordinator_test

import (
	"slices"
	"testing"
	"time"

	"ginnel/coordinator/coordinatortest"
	"ginnel/network"
	"ginnel/wire"
)

// TestPolled: a peer that polls hears whether it has all news there was for it,
// and a disabled one or a stranger hears nothing.
func TestPolled(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		n.Call("ann", "GET", wire.PathNetwork, nil) // a sign of life
		pos := fetch(t, n, "ann", wire.Position{}).Position
		pos = fetch(t, n, "ann", pos).Position
		n.Forget()
		poll := func(epoch uint64, want wire.SignalKind) {
			t.Helper()
			pass(0) // what was sent before
			n.Forget()
			n.Polled(n.Address("ann"), epoch)
			pass(0) // an answer that there is news begins with nudging
			got := n.Nudges("ann")
			if len(got) == 0 || slices.ContainsFunc(got, func(s wire.Signal) bool { return s.Kind != want }) {
				t.Errorf("answered %v, want signals of kind %c", got, want)
			}
		}
		poll(pos.Epoch, wire.SignalCurrent)
		poll(pos.Epoch+1, wire.SignalNudge) // of an earlier life of the coordinator

		report(t, n, "carl", 7) // whom ann does not see
		pass(time.Minute)
		n.Forget()
		poll(pos.Epoch, wire.SignalCurrent)

		report(t, n, "bob", 7)
		pass(10 * time.Minute) // nudges have ended, all lost
		n.Forget()
		poll(pos.Epoch, wire.SignalNudge)
		next := fetch(t, n, "ann", pos).Position
		poll(pos.Epoch, wire.SignalNudge) // the answer may be lost
		fetch(t, n, "ann", next)
		poll(pos.Epoch, wire.SignalCurrent)

		n.MustDo(network.RenamePeer{Name: "bob", NewName: "rob"})
		n.Forget()
		poll(pos.Epoch, wire.SignalNudge)

		for _, name := range []string{"dan", "eve"} {
			n.Polled(n.Address(name), pos.Epoch)
			if got := n.Nudges(name); len(got) != 0 {
				t.Errorf("%s is answered %v", name, got)
			}
		}
	})
}
