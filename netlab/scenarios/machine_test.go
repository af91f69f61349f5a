package scenarios_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"ginnel/netlab"
)

// TestBehaviour11TwoNetworks: one machine is the coordinator of one network and
// a peer of another, and each of them goes on when the other one ends.
func TestBehaviour11TwoNetworks(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o, work := l.officeWithJob()
		anna := o.peers[0]
		// Of the job vps is host 1, anna is host 2.
		for from, to := range map[*machine]string{o.coordinator: l.job.address(1, 2).String(), anna: l.job.address(1, 1).String(), work: l.job.address(1, 1).String()} {
			if err := from.Ping(to, patience); err != nil {
				t.Error(err)
			}
		}
		anna.resolvesTo("vps.job.wg", l.job.address(1, 1), patience)
		anna.names(o.coordinator)
		o.allReach(o.coordinator, anna)
		anna.refused("say which with --network", "peer", "list")
		if list := o.coordinator.ginnel("peer", "list", "--network", "home"); !strings.Contains(list, l.home.address(1, 1).String()) {
			t.Errorf("the book of home has:\n%s", list)
		}

		anna.ginnel("down", "job")
		o.allReach(o.coordinator, anna)
		anna.unreachable(l.job.address(1, 1).String())
		o.coordinator.ginnel("leave", "job", "--yes")
		o.allReach(o.coordinator, anna)
	})
}

// officeWithJob is an office of vps and anna, who are both peers of another
// network, "job", whose coordinator is the machine work.
func (l *lab) officeWithJob() (o *office, work *machine) {
	l.t.Helper()
	o = l.office("anna")
	work = o.machine(o.Host("work", o.internet))
	work.ginnel("network", "create", "job", l.job.root(), "--endpoint", endpointAt(work.Addr()))
	work.ginnel("cidr", "add", "desks", l.job.cidr(1))
	for _, m := range []*machine{o.coordinator, o.peers[0]} {
		m.ginnel("join", work.invite(m.Name(), "desks"))
	}
	return o, work
}

// TestBehaviour51OneNetworkFails: a network whose interface is somebody else's
// leaves the other alone, says so, and comes when the name is free.
func TestBehaviour51OneNetworkFails(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o, work := l.officeWithJob()
		anna, onJob := o.peers[0], l.job.address(1, 2)
		anna.ginnel("down", "job")
		anna.Run("ip", "link", "add", "job", "type", "veth", "peer", "name", "elsewhere")
		anna.refused("exists already", "up", "job")
		anna.daemon.Kill()
		anna.start()
		o.allReach(o.coordinator, anna)
		anna.names(o.coordinator)
		if out := anna.ginnel("status", "job"); !strings.Contains(out, "exists already") {
			t.Errorf("status says\n%s", out)
		}
		anna.Run("ip", "link", "del", "job")
		if err := work.Ping(onJob.String(), 2*time.Minute); err != nil {
			t.Errorf("job does not come when its name is free: %v", err)
		}
		o.allReach(o.coordinator, anna)
	})
}

// TestBehaviour12DownUpLeave: down takes everything away that up makes, leave
// what join made, and network remove what network create made.
func TestBehaviour12DownUpLeave(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna", "bob")
		anna, bob := o.peers[0], o.peers[1]
		o.allReach(o.all()...)
		anna.names(bob)

		anna.ginnel("down")
		anna.stopped()
		anna.daemon.Kill()
		anna.start()
		anna.stopped()
		anna.ginnel("up")
		o.allReach(o.all()...)
		anna.names(bob)

		anna.refused("there is no terminal", "leave")
		anna.ginnel("leave", "--yes")
		anna.clean()
		bob.daemon.Kill() // leaving needs no daemon
		bob.ginnel("leave", "--yes")
		bob.clean()
		o.coordinator.refused("network remove", "leave", "--yes")
		o.coordinator.ginnel("network", "remove", "home", "--yes")
		o.coordinator.clean()
	})
}

// TestBehaviour70Signals: SIGHUP makes the daemon read its configuration,
// SIGTERM and SIGINT end it with status 0.
func TestBehaviour70Signals(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		anna := o.peers[0]
		o.allReach(o.all()...)
		const conf = "/etc/ginnel/ginnel.conf"
		up, err := anna.ReadFile(conf)
		if err != nil {
			t.Fatal(err)
		}
		anna.ginnel("down")
		anna.stopped()
		if err := anna.WriteFile(conf, up, 0o600); err != nil {
			t.Fatal(err)
		}
		anna.signal(syscall.SIGHUP)
		anna.reachesAddress(l.home.address(0, 1).String())
		if err := anna.WriteFile(conf, append(up, "\nnonsense\n"...), 0o600); err != nil {
			t.Fatal(err)
		}
		anna.signal(syscall.SIGHUP) // a configuration that is wrong changes nothing
		netlab.Eventually(t, patience, "the daemon complains", func() error {
			if log := anna.daemon.Log(); !strings.Contains(log, "ginnel.conf:") {
				return fmt.Errorf("its log does not name the file and line")
			}
			return nil
		})
		o.allReach(o.all()...)
		for i, m := range o.all() {
			m.signal([]syscall.Signal{syscall.SIGTERM, syscall.SIGINT}[i%2])
			if err := m.daemon.Wait(5 * time.Second); err != nil {
				t.Error(err)
			}
		}
	})
}

func (m *machine) signal(s syscall.Signal) {
	m.lab.t.Helper()
	if err := m.daemon.Signal(s); err != nil {
		m.lab.t.Fatalf("%s: signal: %v", m.Name(), err)
	}
}

// reachesAddress waits until m can ping an overlay address.
func (m *machine) reachesAddress(address string) {
	m.lab.t.Helper()
	if err := m.Ping(address, patience); err != nil {
		m.lab.t.Fatal(err)
	}
}
