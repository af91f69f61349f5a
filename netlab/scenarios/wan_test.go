package scenarios_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"ginnel/daemon/local"
	"ginnel/netlab"
	"ginnel/platform"
)

// twoWANs is an office with a router that has two lines.
type twoWANs struct {
	*office
	router *machine
	lines  [2]*netlab.Router
}

func (l *lab) twoWANs() *twoWANs {
	l.t.Helper()
	w := &twoWANs{office: l.office("server")}
	for i := range w.lines {
		w.lines[i] = l.router(fmt.Sprint("line", i), netlab.PortRestricted, w.internet, 1+i)
	}
	host := l.Host("router", w.lines[0].LAN)
	// Another digit than on the first line: a packet from there that still leaves
	// by this one does not take the only port that this NAT has for it.
	host.Connect(w.lines[1].LAN, l.lan(2).Addr().Next().Next().Next().String())
	w.router = l.join(w.coordinator, host, "machines")
	l.allReach(append(w.all(), w.router)...)
	return w
}

// moves has the default route move to a line: the router reaches everybody again
// within seconds.
func (w *twoWANs) moves(line int) {
	w.t.Helper()
	w.router.Route(pick(w.family, "0.0.0.0/0", "::/0"), w.lan(1+line).Addr().Next().String())
	within, began := budget(10*time.Second), time.Now()
	for _, m := range w.all() {
		w.router.reaches(m, within-time.Since(began))
		m.reaches(w.router, within-time.Since(began))
	}
	w.t.Logf("line %d: %v", line, time.Since(began))
}

// TestKernelTwoWANs: a router whose default route moves to its other line, and
// back, reaches everybody again within seconds. In IPv4 the kernel's WireGuard
// chooses another source; in IPv6 it keeps the one it has, and gets the answers by
// the line that was left.
func TestKernelTwoWANs(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		w := l.twoWANs()
		w.moves(1)
		w.moves(0)
	})
}

// TestTwoWANs: so does the embedded device, when the other line is dead, too: as
// a program does that watches the lines and finds one to have failed. In IPv6
// the kernel's WireGuard would keep the dead line's address for 15 s or more.
func TestTwoWANs(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		w := l.twoWANs()
		w.router.option("backend", "userspace")
		w.router.is(local.Up, "", platform.Userspace)
		l.allReach(append(w.all(), w.router)...)
		for _, line := range []int{1, 0} {
			failed := w.lines[1-line].WAN
			failed.Down()
			w.moves(line)
			failed.Up()
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
