package join_test

import (
	"context"
	"errors"
	"testing"

	"ginnel/daemon/state"
	"ginnel/key"
	"ginnel/network"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// TestBehaviour39RefusedJoin: what the coordinator refuses leaves neither an
// interface nor a state.
func TestBehaviour39RefusedJoin(t *testing.T) {
	for _, status := range []int{400, 401, 403, 409, 410, 422} {
		inBubble(t, func(t *testing.T, w *world) {
			asked := 0
			w.answer = func(context.Context, *http1.Request) *http1.Response {
				asked++
				return http1.Fail(wire.Errorf(status, "because"))
			}
			_, err := w.redeem(t.Context(), w.invite("fay"))
			var p *wire.Problem
			if !errors.As(err, &p) || p.Status != status || p.Detail != "because" || asked != 1 {
				t.Errorf("%d: asked %d times, error is %v", status, asked, err)
			}
			w.nothingLeft()
		})
	}
}

// TestRevokedInvitation: the peer was removed a moment ago, and the
// coordinator's tunnel still knows its key.
func TestRevokedInvitation(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		inv := w.invite("fay")
		w.net.MustDo(network.RemovePeer{Name: "fay"})
		_, err := w.redeem(t.Context(), inv)
		var p *wire.Problem
		if !errors.As(err, &p) || p.Status != wire.StatusUnauthorized {
			t.Errorf("error is %v, want a 401", err)
		}
		wantError(t, err, "does not know this invitation")
		w.nothingLeft()
	})
}

// TestBusyCoordinator: a server that has no time has decided nothing.
func TestBusyCoordinator(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		busy := []int{429, 503, 500, 408}
		w.answer = func(ctx context.Context, r *http1.Request) *http1.Response {
			if len(busy) > 0 {
				status := busy[0]
				busy = busy[1:]
				return http1.Fail(wire.Errorf(status, "not now"))
			}
			return w.role(ctx, r)
		}
		w.confirmed(w.redeem(t.Context(), w.invite("fay")))
	})
}

// TestLostReply: the coordinator accepts and the answer is lost. The same join
// again ends it, with the same key.
func TestLostReply(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		inv := w.invite("fay")
		w.answer = func(ctx context.Context, r *http1.Request) *http1.Response {
			w.Cut(hubAddr, peerAddr)
			return w.role(ctx, r)
		}
		_, err := w.redeem(t.Context(), inv)
		wantError(t, err, "run the same join again")
		w.untouched()
		own := w.pendingKey()
		if p, _ := w.net.Book().Peer(inv.Address); p.Key != own.Public() {
			t.Fatal("the coordinator did not accept")
		}
		w.Mend(hubAddr, peerAddr)
		w.answer = w.role
		j, err := w.redeem(t.Context(), inv)
		w.confirmed(j, err)
	})
}

// TestLostReplyInOneRun: the reply is lost, the network is not: one run is
// enough.
func TestLostReplyInOneRun(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.answer = func(ctx context.Context, r *http1.Request) *http1.Response {
			resp := w.role(ctx, r)
			w.answer = w.role
			return &http1.Response{Status: wire.StatusGatewayTimeout, Done: resp.Done}
		}
		w.confirmed(w.redeem(t.Context(), w.invite("fay")))
	})
}

// TestLateUnauthorized: after a lost reply the invitation's key is nobody's,
// while the coordinator's tunnel still knows it for a moment. That is no
// refusal: the own key is good.
func TestLateUnauthorized(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		requests := 0
		w.answer = func(ctx context.Context, r *http1.Request) *http1.Response {
			requests++
			switch requests {
			case 1:
				w.net.Handle(r).Done() // the role is done with it, the tunnel is not
				return http1.Fail(wire.Errorf(wire.StatusBadGateway, "lost"))
			case 2:
				resp := w.net.Handle(r)
				if resp.Status != wire.StatusUnauthorized {
					t.Errorf("the invitation's key is answered with %d", resp.Status)
				}
				resp.Done = w.sync
				return resp
			}
			return w.role(ctx, r)
		}
		w.confirmed(w.redeem(t.Context(), w.invite("fay")))
	})
}

// TestRefusedAfterAll: an unfinished join whose invitation was given to another
// machine since is over, and leaves nothing.
func TestRefusedAfterAll(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		inv := w.invite("fay")
		w.answer = func(context.Context, *http1.Request) *http1.Response {
			w.Cut(hubAddr, peerAddr)
			return http1.Fail(wire.Errorf(wire.StatusInternal, "lost"))
		}
		_, err := w.redeem(t.Context(), inv)
		wantError(t, err, "run the same join again")
		w.Mend(hubAddr, peerAddr)
		w.answer = func(context.Context, *http1.Request) *http1.Response {
			return http1.Fail(wire.Errorf(wire.StatusGone, "the invitation is used"))
		}
		_, err = w.redeem(t.Context(), inv)
		wantError(t, err, "the invitation is used")
		w.nothingLeft()
	})
}

// TestAnotherInvitation: an unfinished join does not stand in the way of
// another invitation.
func TestAnotherInvitation(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		first := w.invite("fay")
		w.answer = func(context.Context, *http1.Request) *http1.Response {
			return http1.Fail(wire.Errorf(wire.StatusInternal, "no"))
		}
		_, err := w.redeem(t.Context(), first)
		wantError(t, err, "run the same join again")
		old := w.pendingKey()
		w.answer = w.role
		w.confirmed(w.redeem(t.Context(), w.invite("gus")))
		if p, _ := w.net.Book().PeerNamed("gus"); p.Key == old.Public() {
			t.Error("the other join's key was used again")
		}
	})
}

// TestKilled: a run that was killed leaves its interface and its state; the
// same join again takes them over.
func TestKilled(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		inv := w.invite("fay")
		own := key.NewPrivate([32]byte{1: 7})
		must(t, state.Create(w.statePath(), state.Identity{
			Network: inv.Network, Root: inv.Root, Name: inv.Name, Address: inv.Address, PrivateKey: own, Pending: inv.Key,
			Coordinator: state.Coordinator{Address: inv.Coordinator.Address, PublicKey: inv.Coordinator.PublicKey, APIPort: inv.Coordinator.APIPort},
		}))
		_, err := w.peer.Open("home", 1280)
		must(t, err)
		w.confirmed(w.redeem(t.Context(), inv))
		if p, _ := w.net.Book().Peer(inv.Address); p.Key != own.Public() {
			t.Error("another key was submitted")
		}
	})
}

// TestAbandon: a section that could not be written keeps the join pending.
func TestAbandon(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		inv := w.invite("fay")
		j, err := w.redeem(t.Context(), inv)
		must(t, err)
		must(t, j.Abandon())
		own := w.pendingKey()
		w.confirmed(w.redeem(t.Context(), inv))
		if p, _ := w.net.Book().Peer(inv.Address); p.Key != own.Public() {
			t.Error("another key was submitted")
		}
	})
}
