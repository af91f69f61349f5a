package scenarios_test

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"ginnel/wire"
)

// endpointBudget is for one endpoint change, end to end, on a quiet LAN.
const endpointBudget = 250 * time.Millisecond

// TestEndpointChangeIsFast: when a machine's address changes, the tunnels of
// all who may see it lead to the new one soon, and so does their map, by which
// those would find it who had no session.
func TestEndpointChangeIsFast(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		o := l.office("anna", "ben", "carl", "mover")
		mover := o.peers[3]
		watchers := append(o.peers[:3:3], o.coordinator)
		o.allReach(o.all()...)
		overlay := mover.overlay().String()
		var tunnels, maps []time.Duration
		for i := range 5 {
			to := l.public(200 + i)
			began := time.Now()
			mover.SetAddress(to.String())
			tunnels = append(tunnels, slowest(t, watchers, began, func(m *machine) error { return m.Ping(overlay, patience) }))
			learned := slowest(t, watchers[:3], began, func(m *machine) error { return m.learns(mover.Name(), to) })
			if i < 3 { // a peer that reports more in quick succession is told of later
				maps = append(maps, learned)
			}
			for _, m := range watchers[:3] { // the next change comes when all is quiet again
				m.sees(mover, func(e wire.Endpoints) bool { return e.Seen.Addr() == to })
			}
		}
		for what, took := range map[string][]time.Duration{"tunnels": tunnels, "maps": maps} {
			slices.Sort(took)
			median := took[len(took)/2]
			t.Logf("endpoint change to the %s of all: median %v of at most %v (%v)", what, median.Round(time.Millisecond), endpointBudget, took)
			if median > endpointBudget {
				t.Errorf("the %s of all follow an endpoint change after %v, the budget is %v", what, median, endpointBudget)
			}
		}
	})
}

// slowest runs f for each machine at the same time and returns how long after
// began the last one was done.
func slowest(t *testing.T, machines []*machine, began time.Time, f func(*machine) error) time.Duration {
	t.Helper()
	var each sync.WaitGroup
	took := make([]time.Duration, len(machines))
	errs := make([]error, len(machines))
	for i, m := range machines {
		each.Go(func() {
			errs[i] = f(m)
			took[i] = time.Since(began)
		})
	}
	each.Wait()
	for i, err := range errs {
		if err != nil {
			t.Fatalf("%s: %v", machines[i].Name(), err)
		}
	}
	return slices.Max(took)
}

// learns waits until m's map has the address for the peer called name.
func (m *machine) learns(name string, address netip.Addr) error {
	for end := time.Now().Add(patience); ; {
		p, err := m.peer(name)
		switch {
		case err != nil:
			return err
		case has(p.Endpoints, address):
			return nil
		case time.Now().After(end):
			return fmt.Errorf("its map has %+v for %s", p.Endpoints, name)
		}
	}
}

func has(e wire.Endpoints, a netip.Addr) bool {
	return e.Seen.Addr() == a || slices.ContainsFunc(e.Candidates, func(c netip.AddrPort) bool { return c.Addr() == a })
}
