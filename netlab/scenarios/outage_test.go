package scenarios_test

import (
	"testing"
	"time"

	"ginnel/netlab"
)

// TestBehaviour42DisabledPeer: a disabled peer is cut off from everybody within
// 2 s, and comes back as it was when it is enabled.
func TestBehaviour42DisabledPeer(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		h := l.homes(netlab.PortRestricted)
		h.allReach(h.peers()...)
		address := h.laptop.overlay()
		h.coordinator.ginnel("peer", "disable", "laptop")
		began := time.Now()
		for _, m := range []*machine{h.desktop, h.nas, h.server} {
			m.forgets("laptop", budget(2*time.Second)-time.Since(began))
		}
		for _, m := range []*machine{h.coordinator, h.desktop, h.nas, h.server} {
			if err := m.Ping(address.String(), time.Second); err == nil {
				t.Errorf("%s still reaches the disabled laptop", m.Name())
			}
		}
		h.laptop.refused("an admin has disabled or removed this peer", "fetch")
		h.coordinator.ginnel("peer", "enable", "laptop")
		for _, m := range []*machine{h.desktop, h.nas, h.server} {
			m.reaches(h.laptop, patience)
		}
		if h.laptop.overlay() != address {
			t.Errorf("the laptop has %s, had %s", h.laptop.overlay(), address)
		}
	})
}

// TestDaemonKilled: a peer whose daemon dies is back within 3 s after it is
// started again. (Where the kernel carries the tunnel it is never away.)
func TestDaemonKilled(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		h := l.homes(netlab.PortRestricted)
		h.allReach(h.peers()...)
		overlay := h.laptop.overlay()
		h.laptop.daemon.Kill()
		began := time.Now()
		h.laptop.daemon = h.laptop.Start(h.binary, "daemon")
		for _, m := range []*machine{h.server, h.desktop, h.nas} {
			if err := m.Ping(overlay.String(), budget(3*time.Second)-time.Since(began)); err != nil {
				t.Errorf("%s: %v", m.Name(), err)
			}
		}
	})
}

// TestBehaviour53RestartWithoutCoordinator: a peer that starts while the
// coordinator is away reaches the others from what it remembers.
func TestBehaviour53RestartWithoutCoordinator(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		h := l.homes(netlab.PortRestricted)
		h.allReach(h.peers()...)
		h.coordinator.daemon.Kill()
		h.laptop.daemon.Kill()
		h.laptop.start()
		h.laptop.reaches(h.server, patience)
		h.laptop.reaches(h.nas, patience)
	})
}
