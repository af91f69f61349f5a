package scenarios_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"ginnel/netlab"
)

// TestBehaviour07And30InvitationFile: an invitation is written to a private file,
// which is never overwritten; one that cannot be written invites nobody. A join
// from the file can remove it.
func TestBehaviour07And30InvitationFile(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office()
		const file = "/run/anna.invitation"
		o.coordinator.ginnel("peer", "invite", "anna", "--cidr", "machines", "--output", file)
		if mode := o.coordinator.Run("stat", "-c", "%a", file); mode != "600\n" {
			t.Errorf("the invitation's mode is %s", mode)
		}
		o.coordinator.refused("exists already", "peer", "invite", "bob", "--cidr", "machines", "--output", file)
		if p, err := o.coordinator.book("bob"); err == nil {
			t.Errorf("bob is half-invited: %+v", p)
		}
		token, err := o.coordinator.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		anna := o.machine(o.Host("anna", o.internet))
		if err := anna.WriteFile(file, token, 0o600); err != nil {
			t.Fatal(err)
		}
		anna.ginnel("join", "--delete", file)
		anna.reaches(o.coordinator, patience)
		if _, err := anna.ReadFile(file); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the used invitation is still there: %v", err)
		}
		for _, m := range []*machine{anna, o.coordinator} {
			if out := m.Run("find", "/etc/ginnel/ginnel.conf", "/var/lib/ginnel", "-perm", "/077"); out != "" {
				t.Errorf("on %s others may open\n%s", m.Name(), out)
			}
		}
	})
}

// TestBehaviour36And37And39UsedInvitation: an invitation works once. After that
// its temporary key opens no tunnel, and a second machine that tries is left
// as it was.
func TestBehaviour36And37And39UsedInvitation(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("bob")
		token := o.coordinator.invite("anna", "machines")
		anna, thief := o.machine(o.Host("anna", o.internet)), o.machine(o.Host("thief", o.internet))
		anna.ginnel("join", token)
		thief.refused("no answer from the coordinator", "join", token)
		thief.clean()
		o.allReach(o.coordinator, o.peers[0], anna)
		if out := anna.ginnel("join", token); !strings.Contains(out, "already, as anna") {
			t.Errorf("a second join of the same machine says %q", out)
		}
	})
}

// TestBehaviour35Expiry: an invitation that expired cannot be redeemed, and its
// name and address are free within 10 s.
func TestBehaviour35Expiry(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office()
		token := o.coordinator.invite("anna", "machines", "--expires", "2s")
		p, err := o.coordinator.book("anna")
		if err != nil {
			t.Fatal(err)
		}
		netlab.Eventually(t, 12*time.Second, "anna's invitation is gone", func() error {
			if _, err := o.coordinator.book("anna"); err == nil {
				return errors.New("it is in the book")
			}
			return nil
		})
		anna := o.machine(o.Host("anna", o.internet))
		anna.refused("no answer from the coordinator", "join", token)
		anna.clean()
		anna.ginnel("join", o.coordinator.invite("anna", "machines"))
		if anna.overlay() != p.Address {
			t.Errorf("anna has %s, and %s should be free again", anna.overlay(), p.Address)
		}
	})
}

// TestBehaviour38JoinsAtOnce: invitations that are redeemed at the same moment
// all work, and existing tunnels do not notice.
func TestBehaviour38JoinsAtOnce(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("old1", "old2")
		o.allReach(o.all()...)
		pings := startPings(o.all())
		var joins []*netlab.Process
		for i := range 3 {
			m := o.machine(o.Host(fmt.Sprintf("new%d", i), o.internet))
			o.peers = append(o.peers, m)
		}
		for _, m := range o.peers[2:] {
			joins = append(joins, m.Start(o.binary, "join", o.coordinator.invite(m.Name(), "machines")))
		}
		for _, j := range joins {
			if err := j.Wait(patience); err != nil {
				t.Fatalf("%v: %s", err, j.Log())
			}
		}
		o.allReach(o.all()...)
		pings.noneLost(t)
	})
}

// TestBehaviour53JoinWithoutCoordinator: where the coordinator is not reached,
// join says so and leaves nothing; run again when it is back, it works.
func TestBehaviour53JoinWithoutCoordinator(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office()
		token := o.coordinator.invite("anna", "machines")
		o.coordinator.daemon.Kill()
		anna := o.machine(o.Host("anna", o.internet))
		anna.refused("no answer from the coordinator", "join", token)
		anna.clean()
		anna.refused("not a whole invitation", "join", token[:len(token)-1])
		o.coordinator.start()
		anna.ginnel("join", token)

		// One that has joined, but starts without a map and without a coordinator,
		// says what is missing.
		o.coordinator.daemon.Kill()
		anna.daemon.Kill()
		anna.start()
		netlab.Eventually(t, 2*patience, "status tells of the problem", func() error {
			n, err := anna.network()
			if err == nil && !strings.Contains(fmt.Sprint(n.Problems), "coordinator") {
				err = fmt.Errorf("problems: %q", n.Problems)
			}
			return err
		})
	})
}
