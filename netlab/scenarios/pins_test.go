package scenarios_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"ginnel/daemon/local"
	"ginnel/netlab"
)

// TestBehaviour60And61ReusedAddress: an address that an admin frees and gives
// to another machine stays closed to it at those who saw the first one, over
// restarts and without the coordinator, until they forget its pin. Nobody else
// notices anything.
func TestBehaviour60And61ReusedAddress(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna", "bob", "carl")
		anna, bob, carl := o.peers[0], o.peers[1], o.peers[2]
		o.allReach(o.all()...)
		address := bob.overlay()
		o.coordinator.ginnel("peer", "remove", "bob", "--free-address", "--yes")
		anna.forgets("bob", patience)
		carl.forgets("bob", patience)

		o.coordinator.daemon.Kill()
		anna.daemon.Kill()
		anna.start()
		anna.reaches(carl, patience)
		pin, err := anna.pinOf(address)
		if err != nil || pin.InMap || !pin.Presented.IsZero() {
			t.Errorf("anna's pin is %+v, %v", pin, err)
		}
		o.coordinator.start()
		others := []*machine{o.coordinator, anna, carl}
		o.allReach(others...)
		pings := startPings(others)

		dan := l.machine(l.Host("dan", o.internet))
		dan.ginnel("join", strings.TrimSpace(o.coordinator.ginnel("peer", "invite", "dan", "--address", address.String())))
		o.coordinator.reaches(dan, patience)
		for _, m := range []*machine{anna, carl} {
			m.keepsOut("dan", address)
			m.unreachable(address.String())
		}
		if pin, err := anna.pinOf(address); err != nil || pin.Presented.IsZero() || pin.Name != "dan" || pin.InMap {
			t.Errorf("anna's pin is %+v, %v", pin, err)
		}
		pings.noneLost(t)

		anna.refused("--yes", "pin", "forget", address.String())
		anna.refused("no key is pinned for nobody", "pin", "forget", "nobody", "--yes")
		anna.refused("the invitation told", "pin", "forget", "vps", "--yes")
		anna.ginnel("pin", "forget", address.String(), "--yes")
		carl.ginnel("pin", "forget", "dan", "--yes")
		o.allReach(o.coordinator, anna, carl, dan)
		anna.names(dan)
		if n, err := anna.network(); err != nil || len(n.Problems) > 0 {
			t.Errorf("anna has problems: %v, %v", n.Problems, err)
		}
		if pin, err := anna.pinOf(address); err != nil || !pin.InMap || !pin.Presented.IsZero() {
			t.Errorf("anna's pin is %+v, %v", pin, err)
		}
	})
}

// pinOf returns what m has pinned in home for an address.
func (m *machine) pinOf(a netip.Addr) (local.Pin, error) {
	var list []struct {
		Network string
		Pins    []local.Pin
	}
	if err := m.json(&list, "pin", "list", "--network", "home", "--json"); err != nil {
		return local.Pin{}, err
	}
	for _, p := range list[0].Pins {
		if p.Address == a {
			return p, nil
		}
	}
	return local.Pin{}, errors.New("there is no such pin")
}

// keepsOut waits until m says that it does not take the key of name at an
// address, in its status and in its log, and checks that nothing of it is there.
func (m *machine) keepsOut(name string, a netip.Addr) {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, patience, m.Name()+" tells of the conflict", func() error {
		n, err := m.network()
		if err != nil {
			return err
		}
		if text := strings.Join(n.Problems, "\n"); !strings.Contains(text, a.String()) || !strings.Contains(text, "("+name+")") || !strings.Contains(text, "ginnel pin forget") {
			return fmt.Errorf("its problems are %q", n.Problems)
		}
		if !strings.Contains(m.daemon.Log(), "topic=\"pin "+a.String()) {
			return errors.New("its log does not")
		}
		return nil
	})
	if p, err := m.peer(name); err == nil {
		m.lab.t.Errorf("%s has %+v", m.Name(), p)
	}
	if hosts, err := m.ReadFile("/etc/hosts"); err != nil || strings.Contains(string(hosts), name+".home.wg") {
		m.lab.t.Errorf("%s's hosts file (%v):\n%s", m.Name(), err, hosts)
	}
}

// TestBehaviour61DamagedFiles: a state or a book that was damaged is not taken
// for an empty one: it is named, left as it is, and a copy that is put back
// works.
func TestBehaviour61DamagedFiles(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		o.allReach(o.all()...)
		for _, c := range []struct {
			*machine
			path string
		}{{o.peers[0], "/var/lib/ginnel/home.state"}, {o.coordinator, "/var/lib/ginnel/home.state"}, {o.coordinator, "/var/lib/ginnel/home.book"}} {
			c.daemon.Kill()
			sound, err := c.ReadFile(c.path)
			if err != nil {
				t.Fatal(err)
			}
			for what, damaged := range map[string][]byte{
				"empty": {}, "truncated": sound[:len(sound)/2], "zeroed": make([]byte, len(sound)), "garbage": bytes.Repeat([]byte("garbage "), 4096),
			} {
				if err := c.WriteFile(c.path, damaged, 0o600); err != nil {
					t.Fatal(err)
				}
				c.start()
				n, err := c.network()
				if err != nil || n.State != local.Failed || !strings.Contains(n.Error, c.path) || !strings.Contains(n.Error, "put a copy of the file back") {
					t.Errorf("%s %s: status is %+v, %v", what, c.path, n, err)
				}
				c.daemon.Kill()
				if now, err := c.ReadFile(c.path); err != nil || !bytes.Equal(now, damaged) {
					t.Errorf("%s %s: it was changed, %v", what, c.path, err)
				}
			}
			if err := c.WriteFile(c.path, sound, 0o600); err != nil {
				t.Fatal(err)
			}
			c.start()
			o.allReach(o.all()...)
		}
	})
}
