package join_test

import (
	"errors"
	"strings"
	"testing"

	"ginnel/daemon/config"
	"ginnel/daemon/join"
	"ginnel/key"
	"ginnel/platform"
)

// TestBehaviour59JoinByExistingInterface: an interface of others that is not
// there is not made, one that is used is not touched, and one that served for a
// join, or a try, is left bare.
func TestBehaviour59JoinByExistingInterface(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		wanted := config.New("", "")
		wanted.Existing, wanted.Interface = true, "wg0"
		inv := w.invite("fay")
		before := w.peer.String()
		if _, err := join.Redeem(t.Context(), w.system(), w.stateDir, inv, wanted); !errors.Is(err, platform.ErrNotExist) || w.peer.String() != before {
			t.Errorf("without the interface: %v\n%s", err, w.peer)
		}
		wanted.Interface = "eth0"
		if _, err := join.Redeem(t.Context(), w.system(), w.stateDir, inv, wanted); err == nil || !strings.Contains(err.Error(), "eth0 is there, and is no WireGuard interface") {
			t.Errorf("by eth0: %v", err)
		}
		wanted.Interface = "wg0"
		others, err := w.peer.Open("wg0", 1280)
		must(t, err)
		must(t, w.peer.SetUp("wg0", true))
		stranger := key.PublicKey{9}
		must(t, others.Apply(&platform.TunnelChange{Peers: []platform.PeerChange{{PublicKey: stranger}}}))
		used := w.peer.String()
		if _, err := join.Redeem(t.Context(), w.system(), w.stateDir, inv, wanted); err == nil || !strings.Contains(err.Error(), "has other peers") || w.peer.String() != used {
			t.Errorf("by an interface that is used: %v\n%s", err, w.peer)
		}
		must(t, others.Apply(&platform.TunnelChange{Remove: []key.PublicKey{stranger}}))
		revoked := *inv
		revoked.Key = key.NewPrivate([key.Size]byte{7})
		bare := func(when string) {
			t.Helper()
			var s platform.TunnelState
			var n platform.NetState
			must(t, errors.Join(others.Observe(&s), w.peer.Observe("wg0", &n)))
			if !s.PrivateKey.IsZero() || len(s.Peers)+len(n.Addresses)+len(n.Routes) > 0 {
				t.Errorf("%s, the machine is\n%s", when, w.peer)
			}
		}
		if _, err := join.Redeem(t.Context(), w.system(), w.stateDir, &revoked, wanted); err == nil {
			t.Error("joined by an invitation that is none")
		}
		bare("after a try")
		j, err := join.Redeem(t.Context(), w.system(), w.stateDir, inv, wanted)
		must(t, err)
		must(t, j.Confirm())
		bare("after the join")
		if !j.Config.Existing || j.Config.Link() != "wg0" {
			t.Errorf("section is %+v", j.Config)
		}
	})
}
