package scenarios_test

import (
	"strings"
	"testing"
	"time"

	"ginnel/netlab"
)

// TestBehaviour40And41And44And45Peers: names change at once, a removed peer is
// cut off by everybody and its address stays retired, and the coordinator's own
// peer is spared.
func TestBehaviour40And41And44And45Peers(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna", "bob", "carl")
		o.allReach(o.all()...)
		anna, bob, carl := o.peers[0], o.peers[1], o.peers[2]

		o.coordinator.ginnel("peer", "rename", "carl", "charles")
		for _, m := range []*machine{anna, bob, o.coordinator} {
			m.resolves("charles", carl.overlay(), 2*time.Second)
			m.forgets("carl", 2*time.Second)
		}

		address := bob.overlay()
		o.coordinator.ginnel("peer", "remove", "bob", "--yes")
		for _, m := range []*machine{anna, carl, o.coordinator} {
			m.forgets("bob", 2*time.Second)
		}
		bob.unreachable(anna.overlay().String())
		bob.unreachable(o.coordinator.overlay().String())
		anna.unreachable(address.String())
		next := o.join(o.coordinator, o.Host("bob2", o.internet), "machines")
		if next.overlay() == address {
			t.Errorf("the removed peer's address %s was given out again", address)
		}
		o.coordinator.ginnel("peer", "rename", "bob2", "bob")
		anna.resolves("bob", next.overlay(), 2*time.Second)

		for _, args := range [][]string{{"disable", "vps"}, {"rename", "vps", "hub"}, {"remove", "vps", "--yes"}} {
			o.coordinator.refused("the coordinator's own peer", append([]string{"peer"}, args...)...)
		}
	})
}

// TestBehaviour29And46RemoteAdmin: an admin peer does everything from where it is,
// and a peer that is no admin nothing.
func TestBehaviour29And46RemoteAdmin(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		anna := o.peers[0]
		boss := o.join(o.coordinator, o.Host("boss", o.internet), "machines", "--admin")

		boss.ginnel("cidr", "add", "lab", l.home.cidr(2))
		boss.ginnel("cidr", "rename", "lab", "bench")
		boss.ginnel("cidr", "add", "spare", l.home.cidr(3))
		boss.ginnel("cidr", "remove", "spare")
		carl := o.join(boss, o.Host("carl", o.internet), "bench")
		boss.ginnel("association", "add", "bench", "machines")
		carl.reaches(anna, patience)
		boss.ginnel("peer", "disable", "carl")
		anna.forgets("carl", 2*time.Second)
		boss.ginnel("peer", "enable", "carl")
		carl.reaches(anna, patience)
		boss.ginnel("peer", "rename", "carl", "charles")
		anna.resolves("charles", carl.overlay(), 2*time.Second)
		boss.ginnel("association", "remove", "bench", "machines", "--yes")
		anna.forgets("charles", 2*time.Second)
		boss.ginnel("peer", "remove", "charles", "--yes")
		if list := boss.ginnel("peer", "list"); strings.Contains(list, "charles") || !strings.Contains(list, "boss") {
			t.Errorf("the book has:\n%s", list)
		}

		for _, args := range [][]string{
			{"cidr", "add", "more", l.home.cidr(4)}, {"cidr", "rename", "bench", "lab"}, {"cidr", "remove", "bench"},
			{"association", "add", "bench", "machines"}, {"association", "remove", "bench", "machines"},
			{"peer", "invite", "dora", "--cidr", "machines"}, {"peer", "list"}, {"peer", "rename", "boss", "clerk"},
			{"peer", "disable", "boss"}, {"peer", "enable", "boss"}, {"peer", "remove", "boss", "--yes"},
		} {
			anna.refused("only admins may do this", args...)
		}
	})
}

// TestBehaviour16CarvedCIDR: a CIDR can be made around existing peers. Who
// loses sight of whom is said first, and then it is so.
func TestBehaviour16CarvedCIDR(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna", "bob", "carl")
		anna, bob, carl := o.peers[0], o.peers[1], o.peers[2] // hosts 1 to 3
		o.allReach(o.all()...)

		carve := []string{"cidr", "add", "pair", l.home.pair(1, 2)}
		o.coordinator.refused("--yes", carve...)
		anna.reaches(bob, patience)
		out := o.coordinator.Run("sh", "-c", o.binary+" "+strings.Join(carve, " ")+" --yes 2>&1")
		for _, pair := range []string{"anna and bob will not", "anna and carl will not"} {
			if !strings.Contains(out, pair) {
				t.Errorf("the preview does not say %q:\n%s", pair, out)
			}
		}
		for _, m := range []*machine{bob, carl} {
			anna.forgets(m.Name(), 2*time.Second)
			m.forgets("anna", 2*time.Second)
			m.unreachable(anna.overlay().String())
		}
		o.allReach(o.coordinator, bob, carl)

		o.coordinator.ginnel("association", "add", "pair", "machines")
		began := time.Now()
		for _, m := range []*machine{bob, carl} {
			anna.reaches(m, 2*time.Second-time.Since(began))
		}
	})
}

// TestBehaviour47CoordinatorIsAMember: its machine pings and is pinged, by
// name, and sees everybody's name.
func TestBehaviour47CoordinatorIsAMember(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		o.coordinator.ginnel("cidr", "add", "lab", l.home.cidr(2))
		o.peers = append(o.peers, o.join(o.coordinator, o.Host("bob", o.internet), "lab"))
		for _, m := range o.peers {
			o.allReach(o.coordinator, m)
			m.names(o.coordinator)
			o.coordinator.names(m)
		}
		if out := o.coordinator.Run("getent", "hosts", "bob.home.wg"); !strings.HasPrefix(out, l.home.address(2, 1).String()+" ") {
			t.Errorf("the C library resolves bob's name to %q", out)
		}
		netlab.Eventually(t, patience, "anna is connected", func() error {
			p, err := o.coordinator.peer("anna")
			if err == nil && !p.Connected {
				err = errNotConnected
			}
			return err
		})
	})
}
