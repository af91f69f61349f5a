package scenarios_test

import (
	"errors"
	"testing"
	"time"

	"ginnel/netlab"
)

// TestKernelTwoWANs: a router whose default route moves to its other line, as a
// program that watches the lines does when one fails, and back, reaches everybody
// again within seconds: the kernel's WireGuard chooses another source.
func TestKernelTwoWANs(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		o := l.office("server")
		lines := []*netlab.Router{l.router("line1", netlab.PortRestricted, o.internet, 1), l.router("line2", netlab.PortRestricted, o.internet, 2)}
		host := l.Host("router", lines[0].LAN)
		host.Connect(lines[1].LAN)
		router := l.join(o.coordinator, host, "machines")
		l.allReach(append(o.all(), router)...)
		within := budget(10 * time.Second)
		for _, line := range []int{2, 1} {
			router.Route(pick(l.family, "0.0.0.0/0", "::/0"), l.lan(line).Addr().Next().String())
			began := time.Now()
			for _, m := range o.all() {
				router.reaches(m, within-time.Since(began))
				m.reaches(router, within-time.Since(began))
			}
			t.Logf("line %d: %v", line, time.Since(began))
		}
	})
}

// TestWANComesLate: a router that starts long before its line is up connects
// within seconds when it comes, with what it remembers.
func TestWANComesLate(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		o := l.office("router")
		router := o.peers[0]
		o.allReach(o.all()...)
		router.daemon.Kill()
		router.Link(0).Down()
		address, gateway := router.Link(0).Addrs()[0], router.Link(0).Addrs()[0].Masked().Addr().Next()
		router.ip("address", "flush", "dev", "eth0")
		router.start()
		netlab.Eventually(t, 2*patience, "the router has tried for a while", func() error {
			n, err := router.network()
			if err == nil && len(n.Problems) == 0 {
				err = errors.New("it has no problem")
			}
			return err
		})
		router.Link(0).Up()
		router.ip("address", "add", address.String(), "dev", "eth0")
		router.ip("route", "add", "default", "via", gateway.String(), "dev", "eth0")
		began := time.Now()
		router.reaches(o.coordinator, budget(5*time.Second))
		o.coordinator.reaches(router, budget(10*time.Second)-time.Since(began))
		o.coordinator.ginnel("peer", "rename", "router", "gate")
		netlab.Eventually(t, patience, "the router hears of its new name", func() error {
			n, err := router.network()
			if err == nil && n.Self.Name != "gate" {
				err = errors.New("it is called " + n.Self.Name)
			}
			return err
		})
	})
}
