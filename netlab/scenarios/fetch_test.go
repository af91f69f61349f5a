package scenarios_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"ginnel/netlab"
)

// TestBehaviour49And50Fetch: fetch returns once the news are applied, and says
// what is in the way; without a name it fetches all networks, as up and down
// switch all of them.
func TestBehaviour49And50Fetch(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna", "bob")
		anna, bob := o.peers[0], o.peers[1]
		o.allReach(o.all()...)
		work := o.machine(o.Host("work", o.internet))
		work.ginnel("network", "create", "job", l.job.root(), "--endpoint", netip.AddrPortFrom(work.Addr(), 51820).String())
		work.ginnel("cidr", "add", "desks", l.job.cidr(1))
		anna.ginnel("join", work.invite("anna", "desks"))

		o.coordinator.ginnel("peer", "rename", "bob", "robert")
		if out := anna.ginnel("fetch", "home"); !strings.HasPrefix(out, "fetched home: revision ") || !strings.HasSuffix(out, ", 2 peers\n") {
			t.Errorf("fetch prints %q", out)
		}
		if hosts := anna.etcHosts(); !strings.Contains(hosts, "robert.home.wg") {
			t.Errorf("after the fetch the hosts file is\n%s", hosts)
		}
		if _, err := anna.peer("robert"); err != nil {
			t.Error(err)
		}
		if out := anna.ginnel("fetch"); strings.Count(out, "\n") != 2 || !strings.Contains(out, "fetched home:") || !strings.Contains(out, "fetched job:") {
			t.Errorf("fetch prints %q", out)
		}

		anna.ginnel("down", "job")
		anna.refused("network job is down: `ginnel up job` switches it on", "fetch", "job")
		if out := anna.ginnel("fetch"); strings.Count(out, "\n") != 1 {
			t.Errorf("with one network down fetch prints %q", out)
		}
		if out := anna.ginnel("up"); out != "switched home on\nswitched job on\n" {
			t.Errorf("up prints %q", out)
		}
		anna.reachesAddress(l.job.address(0, 1).String())
		if out := anna.ginnel("down"); out != "switched home off\nswitched job off\n" {
			t.Errorf("down prints %q", out)
		}
		anna.stopped()
		anna.refused("no network of this machine is up", "fetch")
		anna.ginnel("up")
		anna.reaches(bob, patience)

		o.coordinator.daemon.Kill()
		anna.refused("cannot fetch the map of home: ", "fetch", "home")
		anna.refused("cannot fetch the map of home: ", "fetch")
		anna.ginnel("fetch", "job")
	})
}

// TestBehaviour53NothingRemembered: a peer that has never had a map, and finds
// no coordinator, says so.
func TestBehaviour53NothingRemembered(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office()
		token := o.coordinator.invite("anna", "machines")
		anna := &machine{Host: o.Host("anna", o.internet), lab: l}
		anna.ginnel("join", token) // no daemon runs: there is no map yet
		o.coordinator.daemon.Kill()
		anna.start()
		anna.refused("cannot fetch the map of home: ", "fetch")
		netlab.Eventually(t, patience+patience, "anna says that the coordinator is away", func() error {
			n, err := anna.network()
			if err == nil && !strings.Contains(strings.Join(n.Problems, "\n"), "cannot reach the coordinator since") {
				err = fmt.Errorf("its problems are %q", n.Problems)
			}
			return err
		})
		o.coordinator.start()
		anna.reaches(o.coordinator, patience)
	})
}
