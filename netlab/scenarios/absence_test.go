package scenarios_test

import (
	"testing"
	"time"

	"ginnel/netlab"
)

// The scenario that takes longest is in the file that comes first: so it is
// begun first, and the others run beside it.

// TestBehaviour52CoordinatorAway: its restart, and its absence for minutes,
// drop no packet of established tunnels. The absence is longer than a session
// lasts (180 s), so that handshakes without it are seen.
func TestBehaviour52CoordinatorAway(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		h := l.homes(netlab.PortRestricted)
		h.allReach(h.peers()...)
		pings := startPings(h.peers())
		h.coordinator.daemon.Kill()
		h.coordinator.start()
		h.coordinator.reaches(h.laptop, patience)
		h.coordinator.daemon.Kill()
		<-time.After(absence)
		pings.noneLost(t)
		h.coordinator.start()
		h.coordinator.ginnel("peer", "rename", "laptop", "notebook")
		netlab.Eventually(t, patience, "the nas hears of a new name", func() error {
			_, err := h.nas.peer("notebook")
			return err
		})
	})
}

const absence = 200 * time.Second
