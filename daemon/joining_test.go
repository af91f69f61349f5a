package daemon_test

import (
	"context"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/network"
	"ginnel/platform"
	"ginnel/wire"
)

// invite starts the hub and makes m a machine that has nothing but a section
// with an invitation into home.
func (r *rig) invite(m *machine) *wire.Invitation {
	r.Helper()
	hub := r.find("hub")
	hub.start()
	r.within(5*time.Second, "the coordinator's role", func() bool { return hub.role("home") != nil })
	issued, err := hub.role("home").Invite(wire.InvitationRequest{Name: m.name, CIDR: "servers"})
	r.ok(err)
	inv, err := wire.ParseInvitation(issued.Token)
	r.ok(err)
	r.keep(inv.Key, issued.Token)
	section := config.New("home", config.Peer)
	section.Invitation, section.Endpoints = inv, inv.Coordinator.Endpoints
	m.cfg.Networks = append(m.cfg.Networks, section)
	return inv
}

// joiningFor tells whether home is being joined by m, and why it is not yet.
func joiningFor(m *machine, why string) func() bool {
	return func() bool {
		n := m.status("home")
		return n.State == local.Joining && strings.Contains(n.Error, why)
	}
}

// TestJoinsByItself: a machine whose line comes long after it was started joins
// then, says meanwhile what it waits for, and once in the log. Whatever waits for
// its networks is not kept waiting. Afterwards the invitation says nothing.
func TestJoinsByItself(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		ann := r.machine("ann")
		r.create(r.find("hub"), "lab", "10.43.0.0/16")
		r.join(ann, "lab", "lab")
		inv := r.invite(ann)
		r.world.Cut(r.find("hub").under, ann.under)
		ann.start()
		settled, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r.ok(ann.daemon.Settle(settled))
		r.within(time.Second, "it tells what it does", joiningFor(ann, "the coordinator is being asked"))
		r.within(time.Minute, "a reason", joiningFor(ann, "no answer from the coordinator at [hub.example:51820]"))
		if n := ann.status("lab"); n.State != local.Up {
			t.Errorf("the other network is %s", n.State)
		}
		kept, err := state.Read(ann.state("home"))
		r.ok(err)
		r.pass(2 * time.Hour)
		if id, err := state.Read(ann.state("home")); err != nil || !id.PrivateKey.Equal(kept.PrivateKey) {
			t.Errorf("what it has written before is written anew for each try (%v)", err)
		}
		if p, _ := r.book("home").Peer(inv.Address); !p.IsInvited() {
			t.Fatal("it was redeemed")
		}
		if n := strings.Count(r.log.String(), "not joined yet"); n != 1 {
			t.Errorf("the log says %d times that it is not joined", n)
		}
		r.world.Mend(r.find("hub").under, ann.under)
		r.within(10*time.Minute, "a session", ann.sees("hub"))

		key := ann.status("home").PublicKey
		ann.halt()
		if id := identityOf(r, ann); id.IsPending() || id.PrivateKey.Public() != key {
			t.Errorf("pending %v, with another key than before", id.IsPending())
		}
		ann.start()
		r.within(5*time.Second, "a session again", ann.sees("hub"))
		if n := ann.status("home"); n.PublicKey != key || len(n.Problems) > 0 || strings.Count(r.log.String(), "msg=joined") != 1 {
			t.Errorf("after a restart it has joined anew: %+v", n)
		}
	})
}

// TestGentle: however long nobody answers, the tries become rare, and a reload
// makes one at once.
func TestGentle(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		ann := r.machine("ann")
		r.invite(ann)
		var lookups atomic.Int64
		ann.system.Resolve = func(context.Context, string) ([]netip.Addr, error) {
			lookups.Add(1)
			return nil, os.ErrDeadlineExceeded
		}
		ann.start()
		r.pass(time.Hour)
		before := lookups.Load()
		r.pass(time.Hour)
		if most := int64(12 * 61); lookups.Load()-before > most || lookups.Load() == before { // two a second for half a minute, every 5 minutes
			t.Errorf("%d names were looked up in an hour, want %d at most", lookups.Load()-before, most)
		}
		r.within(6*time.Minute, "a pause", func() bool { before = lookups.Load(); r.pass(time.Minute); return lookups.Load() == before })
		ann.configure(func(*config.Config) {})
		r.within(2*time.Second, "another try", func() bool { return lookups.Load() > before })
	})
}

// TestWaitAfterJoin: what fails once the machine has joined is tried again soon,
// however long it has waited for joining.
func TestWaitAfterJoin(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		ann := r.machine("ann")
		r.invite(ann)
		ann.cfg.Networks[0].Role = config.Coordinator // it is none
		r.world.Cut(r.find("hub").under, ann.under)
		ann.start()
		r.pass(time.Hour)
		r.world.Mend(r.find("hub").under, ann.under)
		r.within(10*time.Minute, "joined, and something else", func() bool { return ann.status("home").State == local.Failed })
		r.pass(time.Hour)
		log := r.log.String()
		if !strings.Contains(log, "in=1s") || !strings.Contains(log, "in=1m0s") || strings.Contains(log, "in=2m8s") || strings.Contains(log, "in=5m0s") {
			t.Errorf("the waits are wrong:\n%s", log)
		}
	})
}

// TestJoinIsTakenUp: what was pending when the machine stopped is redeemed with
// the same key, whether the coordinator has accepted it before or not.
func TestJoinIsTakenUp(t *testing.T) {
	for name, accepted := range map[string]bool{"accepted": true, "not accepted": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				ann := r.machine("ann")
				inv, own := r.invite(ann), r.secret()
				c := &inv.Coordinator
				r.ok(state.Create(ann.state("home"), state.Identity{
					Network: "home", Root: inv.Root, Name: inv.Name, Address: inv.Address, PrivateKey: own, Pending: inv.Key,
					Coordinator: state.Coordinator{Address: c.Address, PublicKey: c.PublicKey, APIPort: c.APIPort},
				}))
				if accepted {
					r.do("home", network.Redeem{Address: inv.Address, Invited: inv.Key.Public(), Key: own.Public()})
				}
				r.world.Cut(r.find("hub").under, ann.under)
				ann.start()
				r.within(time.Minute, "a reason", joiningFor(ann, "no answer"))
				ann.halt()
				if id := identityOf(r, ann); !id.IsPending() {
					t.Fatal("it was confirmed, and nobody has accepted")
				}
				r.world.Mend(r.find("hub").under, ann.under)
				ann.start()
				r.within(time.Minute, "a session", ann.sees("hub"))
				if p, _ := r.book("home").Peer(inv.Address); p.Key != own.Public() {
					t.Error("another key was submitted")
				}
			})
		})
	}
}

// TestMemberIgnoresInvitations: a member stays who it is, whatever invitation
// its section gets, and says what to do. One that is not joined yet takes it.
func TestMemberIgnoresInvitations(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		ann, bob := r.machine("ann"), r.machine("bob")
		r.invite(ann)
		other := r.invite(bob)
		ann.start()
		r.within(5*time.Second, "a session", ann.sees("hub"))
		key := ann.status("home").PublicKey
		ann.configure(edit("home", func(n *config.Network) { n.Invitation = other }))
		r.within(5*time.Second, "it says so", func() bool {
			n := ann.status("home")
			return ann.sees("hub")() && n.PublicKey == key && len(n.Problems) == 1 && strings.Contains(n.Problems[0], "`ginnel leave` first")
		})
		if p, _ := r.book("home").Peer(other.Address); !p.IsInvited() {
			t.Error("the other invitation was redeemed")
		}

		carl := r.machine("carl")
		useless := r.invite(carl)
		r.do("home", network.RemovePeer{Name: useless.Name})
		carl.start()
		r.within(time.Minute, "a reason", joiningFor(carl, "no answer"))
		carl.configure(edit("home", func(n *config.Network) { n.Invitation = other }))
		r.within(5*time.Second, "a session", carl.sees("hub"))
		if name := carl.status("home").Self.Name; name != "bob" {
			t.Errorf("carl is %s by the invitation of bob", name)
		}
	})
}

// TestGivenUp: a section that goes before the machine has joined takes with it
// what joining made, and no interface of a stranger that has the name.
func TestGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		ann, bob := r.machine("ann"), r.machine("bob")
		empty := ann.String()
		r.invite(ann)
		r.invite(bob)
		for _, m := range []*machine{ann, bob} {
			r.world.Cut(r.find("hub").under, m.under)
		}
		theirs, err := bob.Open("home", 1280)
		r.ok(err)
		r.ok(theirs.Apply(&platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: r.secret()}))
		before := bob.String()
		ann.start()
		bob.start()
		r.within(5*time.Second, "the interface is in the way", joiningFor(bob, "there is an interface home on this machine already"))
		r.within(5*time.Second, "an interface", func() bool { return ann.has("tunnel home") })
		ann.configure(drop("home"))
		bob.configure(drop("home"))
		if got := ann.String(); got != empty {
			t.Errorf("this is left:\n%s", got)
		}
		if strings.Contains(r.log.String(), "did not stop cleanly") {
			t.Error("the log complains that it was stopped")
		}
		if got := bob.String(); got != before {
			t.Errorf("the stranger's interface is not as before:\n%s\nwant\n%s", got, before)
		}
	})
}
