package daemon_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/platform"
)

// borrow makes home of m use an interface of others.
func (m *machine) borrow(link string) {
	n := &m.cfg.Networks[0]
	n.Existing, n.Interface = true, link
}

// lend has the others make an interface.
func (m *machine) lend(link string) {
	m.rig.Helper()
	t, err := m.Open(link, 1420)
	m.rig.ok(err)
	m.rig.ok(t.Close())
}

// bare tells whether an interface of others is there and has nothing of ours.
func (m *machine) bare(link string) error {
	var s platform.NetState
	if err := m.Observe(link, &s); err != nil {
		return err
	}
	t, err := m.Others().Open(link, 1420)
	m.rig.ok(err)
	var have platform.TunnelState
	m.rig.ok(t.Observe(&have))
	m.rig.ok(t.Close())
	if len(s.Addresses)+len(s.Routes)+len(have.Peers) > 0 || !have.PrivateKey.IsZero() {
		return errors.New("something is left")
	}
	return nil
}

// TestBehaviour59ExistingInterface: an interface that others make is waited
// for, taken when it is there and again when it was made again, and left bare.
// None is made or deleted.
func TestBehaviour59ExistingInterface(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		ann := r.machine("ann")
		r.join(ann, "home", "servers")
		ann.borrow("wg0")
		r.find("hub").start()
		ann.start()
		r.pass(10 * time.Minute)
		if n := ann.status("home"); n.State != local.Failed || !strings.Contains(n.Error, "interface wg0 is waited for") {
			t.Errorf("without the interface, status is %+v", n)
		}
		for range 2 {
			ann.lend("wg0")
			r.within(3*time.Second, "the interface is taken", ann.sees("hub"))
			r.ok(ann.RemoveLink("wg0"))
			r.within(time.Second, "it is missed", func() bool { return ann.status("home").State == local.Failed })
			r.pass(10 * time.Minute)
		}
		ann.lend("wg0")
		r.within(3*time.Second, "the interface is taken again", ann.sees("hub"))
		ann.configure(func(c *config.Config) { c.Networks[0].Enabled = false })
		r.ok(ann.bare("wg0"))
		ann.configure(func(c *config.Config) { c.Networks[0].Enabled = true })
		r.within(3*time.Second, "the network is up again", ann.sees("hub"))
		ann.lend("wg1")
		ann.configure(func(c *config.Config) { c.Networks[0].Interface = "wg1" })
		r.ok(ann.bare("wg0"))
		r.within(10*time.Minute, "the network is on the other interface", ann.sees("hub"))
		ann.configure(func(c *config.Config) { c.Networks = nil })
		r.ok(ann.bare("wg1"))
		if ann.has("link home") || ann.has("tunnel home") {
			t.Errorf("an interface of our own was made:\n%s", ann)
		}
	})
}

// TestBehaviour59ClearKnowsTheKey: what has another key than ours is not
// touched, though the section says that the network uses it.
func TestBehaviour59ClearKnowsTheKey(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		ann := r.machine("ann")
		r.join(ann, "home", "servers")
		ann.borrow("wg0")
		ann.lend("wg0")
		r.find("hub").start()
		ann.start()
		r.within(3*time.Second, "the interface is taken", ann.sees("hub"))
		ann.halt()
		r.ok(daemon.Clear(ann.system, ann.dir, &ann.cfg.Networks[0]))
		r.ok(ann.bare("wg0"))

		address := netip.MustParsePrefix("198.51.100.7/24")
		r.ok(ann.Apply("wg0", &platform.NetChange{AddAddresses: []netip.Prefix{address}}))
		others, err := ann.Others().Open("wg0", 1420)
		r.ok(err)
		r.ok(others.Apply(&platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: r.secret()}))
		r.ok(daemon.Clear(ann.system, ann.dir, &ann.cfg.Networks[0]))
		var s platform.NetState
		r.ok(ann.Observe("wg0", &s))
		if !slices.Contains(s.Addresses, address) || ann.bare("wg0") == nil {
			t.Errorf("an interface with another key was changed:\n%s", ann)
		}
	})
}
