package daemon_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/local"
)

// TestStatusIsNow: what is told is looked at when it is asked for, not shown as
// it was at the last look.
func TestStatusIsNow(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers"})
		hub, ann := r.find("hub"), r.find("ann")
		r.within(5*time.Second, "a session", ann.sees("hub"))
		for range 100 { // a handshake every two minutes, a look every half
			r.pass(7 * time.Second)
			h, a := hub.peer("ann"), ann.peer("hub")
			if !h.LastHandshake.Equal(a.LastHandshake) || h.Rx != a.Tx || a.Rx != h.Tx {
				t.Fatalf("hub tells %+v, ann %+v", h, a)
			}
		}
	})
}

// TestCoordinatorGone: a peer that cannot be reached any more is one that was,
// and a coordinator's silence is told although nothing is asked of it.
func TestCoordinatorGone(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers"})
		hub, ann := r.find("hub"), r.find("ann")
		r.within(5*time.Second, "a session", ann.sees("hub"))
		r.pass(10 * time.Second)
		last := ann.peer("hub").LastHandshake
		r.ok(hub.RemoveLink("eth0"))
		r.within(4*time.Minute, "a problem", func() bool { return tellsOfCoordinator(ann.status("home")) })
		r.pass(20 * time.Minute)
		if p := ann.peer("hub"); p.Connected || p.LastHandshake.Before(last) {
			t.Errorf("hub is %+v, was seen at %v", p, last)
		}
		hub.SetLink("eth0", netip.PrefixFrom(hub.under, 24))
		r.within(5*time.Minute, "the end of the problem", func() bool { return !tellsOfCoordinator(ann.status("home")) })
	})
}

func tellsOfCoordinator(n local.Network) bool {
	return strings.Contains(strings.Join(n.Problems, "\n"), "cannot reach the coordinator since")
}

// peer returns what m tells of a peer of home.
func (m *machine) peer(name string) local.Peer {
	m.rig.Helper()
	for _, p := range m.status("home").Peers {
		if p.Name == name {
			return p
		}
	}
	m.rig.Fatalf("%s knows no %s", m.name, name)
	return local.Peer{}
}
