package daemon_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/key"
	"ginnel/platform"
)

// away returns a machine that tries to join by its section and finds nobody.
func (r *rig) away(name string) *machine {
	r.Helper()
	m := r.machine(name)
	r.invite(m)
	r.world.Cut(r.find("hub").under, m.under)
	m.start()
	r.within(time.Minute, "no answer", joiningFor(m, "no answer"))
	return m
}

// TestInvitationTakenOut: a section that loses its invitation before anybody has
// accepted makes no member, in no run of the daemon. With the invitation the
// machine goes on joining.
func TestInvitationTakenOut(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		ann := r.away("ann")
		inv := ann.cfg.Networks[0].Invitation
		ann.configure(edit("home", func(n *config.Network) { n.Invitation = nil }))
		for range 2 {
			r.pass(time.Minute)
			if n := ann.status("home"); n.State != local.Failed || !strings.Contains(n.Error, "put option invitation back") || !strings.Contains(n.Error, "`ginnel leave`") {
				t.Errorf("status is %+v", n)
			}
			ann.halt()
			if id := identityOf(r, ann); !id.IsPending() {
				t.Fatal("it was confirmed, and nobody has accepted")
			}
			ann.start()
		}
		ann.configure(edit("home", func(n *config.Network) { n.Invitation = inv }))
		r.world.Mend(r.find("hub").under, ann.under)
		r.within(10*time.Minute, "a session", ann.sees("hub"))
		ann.configure(edit("home", func(n *config.Network) { n.Invitation = nil }))
		r.within(time.Minute, "a session without the invitation, which is spent", ann.sees("hub"))
	})
}

// TestStrangerBetweenTries: an interface that somebody makes while the machine
// is joining stays theirs, when the section goes, too, and whether it has peers
// already or not. One that a killed try has left goes.
func TestStrangerBetweenTries(t *testing.T) {
	for name, test := range map[string]struct {
		change func(r *rig, id *state.Identity) platform.TunnelChange
		why    string // why it is not joined; "": it is joining's own
	}{
		"peers": {func(r *rig, _ *state.Identity) platform.TunnelChange {
			return platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: r.secret(), Peers: []platform.PeerChange{{PublicKey: key.PublicKey{9}}}}
		}, "has other peers already"},
		"no peers": {func(r *rig, _ *state.Identity) platform.TunnelChange {
			return platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: r.secret()}
		}, "another private key"},
		"ours, no key": {func(*rig, *state.Identity) platform.TunnelChange { return platform.TunnelChange{} }, ""},
		"ours, the invitation's": {func(_ *rig, id *state.Identity) platform.TunnelChange {
			return platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: id.Pending}
		}, ""},
		"ours, the own": {func(_ *rig, id *state.Identity) platform.TunnelChange {
			return platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: id.PrivateKey}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				bob := r.away("bob")
				r.within(time.Minute, "a pause", func() bool { return !bob.has("tunnel home") })
				id, err := state.Read(bob.state("home"))
				r.ok(err)
				if test.why == "" {
					bob.halt()
				}
				tunnel, err := bob.Open("home", 1280)
				r.ok(err)
				c := test.change(r, &id)
				r.ok(tunnel.Apply(&c))
				if test.why != "" {
					r.within(10*time.Minute, "it is refused", joiningFor(bob, test.why))
					before := bob.String()
					bob.configure(drop("home"))
					if got := bob.String(); got != before {
						t.Errorf("the stranger's interface is not as before:\n%s\nwant\n%s", got, before)
					}
					return
				}
				r.ok(daemon.Clear(bob.system, bob.dir, &bob.cfg.Networks[0]))
				if bob.has("tunnel home") {
					t.Errorf("it is still there:\n%s", bob)
				}
			})
		})
	}
}

// TestStateLost: a machine whose state is lost, and not its invitation, is told
// that the interface in the way may be its own.
func TestStateLost(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		ann := r.machine("ann")
		r.invite(ann)
		ann.start()
		r.within(5*time.Second, "a session", ann.sees("hub"))
		ann.halt()
		away := ann.state("home") + ".away"
		r.ok(os.Rename(ann.state("home"), away))
		ann.start()
		r.within(time.Minute, "a reason", joiningFor(ann, "its state was lost: put a copy back"))
		r.ok(os.Rename(away, ann.state("home")))
		r.within(10*time.Minute, "a session again", ann.sees("hub"))
	})
}
