package scenarios_test

import (
	"strings"
	"testing"
	"time"

	"ginnel/netlab"
)

// TestBehaviour129RestoredElsewhere: the coordinator's machine is lost, another one is
// restored from a backup, and the peers follow it as if nothing had happened:
// what came after the backup is undone, what comes after the restoration holds.
func TestBehaviour129RestoredElsewhere(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		inet := l.Internet()
		lan := l.router("router", netlab.PortRestricted, inet, 1).LAN
		const name = "vps.example.com"
		lost := l.machine(l.Host("vps", inet))
		lost.ginnel("network", "create", "home", l.home.root(), "--endpoint", name+":"+port)
		lost.ginnel("cidr", "add", "machines", l.home.cidr(1))
		var peers []*machine
		for _, h := range []*netlab.Host{l.Host("laptop", lan), l.Host("nas", inet)} {
			m := l.machine(h)
			m.knows(name, lost.Addr())
			m.ginnel("join", lost.invite(h.Name(), "machines"))
			peers = append(peers, m)
		}
		laptop, nas := peers[0], peers[1]
		l.allReach(lost, laptop, nas)
		backup := lost.ginnel("backup", "-")
		lost.ginnel("peer", "rename", "laptop", "toolate")
		nas.resolves("toolate", laptop.overlay(), patience)
		pings := startPings(peers)
		lost.daemon.Kill()
		lost.SetAddress(l.public(99).String()) // a tunnel that the kernel carries goes on without its daemon

		restored := l.machine(l.Host("vps2", inet))
		if err := restored.WriteFile("/run/backup", []byte(backup), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, m := range peers {
			m.knows(name, restored.Addr())
		}
		out := restored.ginnel("restore", "/run/backup")
		if !strings.Contains(out, "3 peers") {
			t.Errorf("restore says %q", out)
		}
		restored.ginnel("peer", "rename", "laptop", "notebook") // as many commands as the peers know of
		for _, m := range peers {
			m.reaches(restored, 2*time.Minute)
		}
		l.allReach(restored, laptop, nas)
		nas.resolves("notebook", laptop.overlay(), patience)
		pings.noneLost(t)
		desktop := l.machine(l.Host("desktop", lan))
		desktop.knows(name, restored.Addr())
		desktop.ginnel("join", restored.invite("desktop", "machines"))
		l.allReach(restored, laptop, nas, desktop)
	})
}

// TestBehaviour129RestoredAtTheSameAddress: a new machine at the lost one's
// address goes on with the network, and nothing is done on the peers, nor do
// they lose a packet.
func TestBehaviour129RestoredAtTheSameAddress(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna", "bob")
		anna, bob := o.peers[0], o.peers[1]
		l.allReach(o.all()...)
		before, err := bob.network()
		if err != nil {
			t.Fatal(err)
		}
		backup := o.coordinator.ginnel("backup", "-")
		pings := startPings(o.peers)
		address := o.coordinator.Addr()
		o.coordinator.daemon.Kill()
		o.coordinator.SetAddress(l.public(99).String())

		restored := l.machine(l.Host("vps2", o.internet, address.String()))
		if err := restored.WriteFile("/run/backup", []byte(backup), 0o600); err != nil {
			t.Fatal(err)
		}
		restored.ginnel("restore", "/run/backup")
		restored.ginnel("peer", "rename", "anna", "ann")
		for _, m := range o.peers {
			m.reaches(restored, 2*time.Minute)
		}
		bob.resolves("ann", anna.overlay(), patience)
		l.allReach(restored, anna, bob)
		pings.noneLost(t)
		after, err := bob.network()
		if err != nil || after.Self.Address != before.Self.Address || len(after.Problems) != 0 {
			t.Errorf("bob's network is %+v (%v), was %+v", after, err, before)
		}
		carl := l.join(restored, l.Host("carl", o.internet), "machines")
		l.allReach(restored, anna, bob, carl)
	})
}

// TestBehaviour129RestoredAtAnotherAddress: a coordinator that was known by an
// address alone, and is restored at another, is found by a peer that is told
// once where it is, and by that peer's own memory from then on.
func TestBehaviour129RestoredAtAnotherAddress(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		anna := o.peers[0]
		l.allReach(o.all()...)
		backup := o.coordinator.ginnel("backup", "-")
		o.coordinator.daemon.Kill()
		o.coordinator.SetAddress(l.public(99).String())

		restored := l.machine(l.Host("vps2", o.internet))
		if err := restored.WriteFile("/run/backup", []byte(backup), 0o600); err != nil {
			t.Fatal(err)
		}
		restored.ginnel("restore", "/run/backup", "--endpoint", endpointAt(restored.Addr()))
		anna.ginnel("override", "set", o.coordinator.Name(), endpointAt(restored.Addr()))
		anna.reaches(restored, 2*time.Minute)
		anna.ginnel("fetch")
		anna.ginnel("override", "unset", o.coordinator.Name())
		l.allReach(restored, anna)
		anna.daemon.Kill()
		anna.start()
		l.allReach(restored, anna)
		anna.ginnel("fetch")
	})
}
