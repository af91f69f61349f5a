package join_test

import (
	"context"
	"testing"

	"ginnel/daemon/config"
	"ginnel/daemon/join"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// section is what somebody wrote who has inv.
func section(inv *wire.Invitation) config.Network {
	n := config.New("home", config.Peer)
	n.Invitation, n.Endpoints = inv, inv.Coordinator.Endpoints
	return n
}

// TestFinishBySection: what was tried by a section is not confirmed because the
// section is there, whoever tried before.
func TestFinishBySection(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		inv := w.invite("fay")
		w.answer = func(context.Context, *http1.Request) *http1.Response {
			return http1.Fail(wire.Errorf(wire.StatusInternal, "no"))
		}
		for range 2 {
			_, err := w.redeem(t.Context(), inv) // a command, which kept its state
			wantError(t, err, "run the same join again")
			_, err = join.Redeem(t.Context(), w.system(), w.stateDir, inv, section(inv))
			wantError(t, err, "no answer from the coordinator")
			_, err = join.Finish(w.stateDir, inv)
			wantError(t, err, "put option invitation back into the section")
			w.pendingKey()
		}
	})
}
