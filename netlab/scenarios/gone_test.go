package scenarios_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"ginnel/daemon/local"
	"ginnel/netlab"
)

// TestBehaviour59InterfaceGone: when the program of the interface dies while a
// peer is being tried, the daemon says so, looks for it now and then, obeys, and
// goes on when the interface is back.
func TestBehaviour59InterfaceGone(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna", "carl")
		anna, carl, program := o.peers[0], o.peers[1], wireguardGo(t)
		carl.ginnel("down")
		bob := o.machine(o.Host("bob", o.internet))
		owner := bob.lend(program)
		bob.ginnel("join", o.coordinator.invite("bob", "machines"), "--interface", "wg0")
		bob.configured(3)
		bob.reaches(anna, patience)

		bob.losesInterface(owner)
		owner = bob.lend(program)
		bob.configured(3)
		bob.reaches(anna, patience)

		bob.losesInterface(owner)
		bob.signal(syscall.SIGTERM)
		if err := bob.daemon.Wait(patience); err != nil {
			t.Fatal(err)
		}
		bob.start()
		bob.ginnel("down")
		owner = bob.lend(program)
		bob.ginnel("up")
		bob.configured(3)
		bob.losesInterface(owner)
		bob.ginnel("down")
		if out := bob.ginnel("status"); !strings.Contains(out, "network home: down") {
			t.Errorf("after down, status is\n%s", out)
		}
	})
}

// losesInterface kills the program that makes wg0, and waits until the daemon has
// said so and looked for the interface some times. It must do that at its own
// pace: now and again while the kernel tells of the loss, then half a second
// later, one, two and so on, by when every path was due.
func (m *machine) losesInterface(owner *netlab.Process) {
	m.lab.t.Helper()
	const enough = 6
	looks := func() int { return strings.Count(m.daemon.Log(), "look at the tunnel: failed") }
	before, began := looks(), time.Now()
	owner.Kill()
	netlab.Eventually(m.lab.t, patience, "the daemon looks for wg0", func() error {
		n, err := m.network()
		if err != nil {
			return err
		}
		if n.State != local.Failed || !strings.Contains(n.Error, "interface wg0 is waited for") || looks() < before+enough {
			return fmt.Errorf("state %s, error %q, %d looks", n.State, n.Error, looks()-before)
		}
		return nil
	})
	if n, most := looks()-before, 4+2*int(time.Since(began)/time.Second); n > most {
		m.lab.t.Errorf("%s has looked for wg0 %d times in %v, want %d at most", m.Name(), n, time.Since(began), most)
	}
}
