package coordinator_test

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"ginnel/coordinator"
	"ginnel/coordinator/coordinatortest"
	"ginnel/network"
	"ginnel/wire"
)

// TestOneRestlessPeerIsToldAtAPace: one that never rests costs the others a
// nudge every 5 s after its first three reports, and its latest word is told.
func TestOneRestlessPeerIsToldAtAPace(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		n.Call("ann", "GET", wire.PathNetwork, nil) // a sign of life
		pos := fetch(t, n, "ann", wire.Position{}).Position
		nudges, wakes := 0, 0
		report := func(port uint16) {
			t.Helper()
			report(t, n, "bob", port)
			pass(25 * time.Millisecond)
			nudges, wakes = nudges+len(n.Nudges("ann")), wakes+n.Wakes()
			pos = fetch(t, n, "ann", pos).Position // ann's daemon does as nudged
		}
		report(1)
		if nudges != 1 || wakes != 1 {
			t.Errorf("of the first report %d nudges and %d wakes came at once, want 1 and 1", nudges, wakes)
		}
		for i := range 399 { // 10 s
			report(uint16(2 + i))
		}
		if nudges > 5 || wakes > 5 {
			t.Errorf("in 10 s ann was nudged %d times, the local daemon woken %d times, want 5 at most", nudges, wakes)
		}
		pass(6 * time.Second)
		m, _ := memberOf(fetch(t, n, "ann", wire.Position{}), n.Address("bob"))
		if want := addrPort("198.51.100.1:400"); len(m.Endpoints.Candidates) != 1 || m.Endpoints.Candidates[0] != want {
			t.Errorf("ann has bob at %v in the end, want %v", m.Endpoints.Candidates, want)
		}
	})
}

// report has a peer report one candidate.
func report(t *testing.T, n *coordinatortest.Network, name string, port uint16) {
	t.Helper()
	c := netip.AddrPortFrom(netip.MustParseAddr("198.51.100.1"), port)
	wantStatus(t, n.Call(name, "PUT", wire.PathSelf, wire.Report{Candidates: []netip.AddrPort{c}}), wire.StatusNoContent)
}

// TestLatestReportCounts: it goes out by itself, and may take back one that
// waits.
func TestLatestReportCounts(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		n.MustDo(network.RemovePeer{Name: "eve"}) // nothing else keeps Run busy
		for _, ports := range [][]uint16{{1, 2, 3, 4, 5}, {6, 7, 8, 9, 8}} {
			for _, port := range ports {
				report(t, n, "bob", port)
			}
			pass(6 * time.Second)
			m, _ := memberOf(own(t, n, wire.Position{}), n.Address("bob"))
			if want := ports[len(ports)-1]; m.Endpoints.Candidates[0].Port() != want {
				t.Errorf("after reports of %v bob is told to be at %v", ports, m.Endpoints.Candidates)
			}
			pass(time.Minute)
		}
	})
}

// TestASignOfLifeBringsTheNudge that nobody was there to get.
func TestASignOfLifeBringsTheNudge(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		n.MustDo(network.RemovePeer{Name: "eve"}, network.SetAdmin{Name: "carl", Admin: true})
		pass(time.Hour)
		n.Forget()
		n.Call("carl", "GET", wire.PathNetwork, nil)
		synctest.Wait()
		if sent := n.Nudges("carl"); len(sent) != 1 {
			t.Errorf("back, carl was nudged %d times, want once", len(sent))
		}
	})
}

// TestHeldReportsAreForgottenWithTheirPeer: nothing is told of who was cut off.
func TestHeldReportsAreForgottenWithTheirPeer(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		for port := range uint16(4) {
			report(t, n, "bob", 1+port)
		}
		n.MustDo(network.SetDisabled{Name: "bob", Disabled: true})
		pos := own(t, n, wire.Position{}).Position
		pass(time.Minute)
		if after := own(t, n, pos).Position; after != pos {
			t.Errorf("position is %+v, want %+v", after, pos)
		}
	})
}

// TestRestlessNetworkWakesTheDaemonAtAPace: peers that take turns do not keep
// the coordinator's own daemon busy; a change of the book wakes it at once.
func TestRestlessNetworkWakesTheDaemonAtAPace(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		n.Grow(60)
		defer n.Run()()
		synctest.Wait()
		n.Forget()
		for i := range 60 { // 3 s
			report(t, n, fmt.Sprintf("router-%d", i), 1)
			pass(50 * time.Millisecond)
		}
		if wakes := n.Wakes(); wakes < 10 || wakes > 16 {
			t.Errorf("woken %d times in 3 s", wakes)
		}
		n.MustDo(network.SetAdmin{Name: "bob", Admin: true})
		synctest.Wait()
		if wakes := n.Wakes(); wakes != 1 {
			t.Errorf("woken %d times for a change of the book, want once and at once", wakes)
		}
	})
}

// TestABigNetworkHearsSoon: a thousand peers hear of a disabled one well before
// 2 s are over, never more than a batch at once.
func TestABigNetworkHearsSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := coordinatortest.New(t)
		n.Grow(1000)
		var order []netip.Addr
		sent, most, inBatch := map[netip.Addr]bool{}, 0, map[time.Time]int{}
		n.Configure = func(c *coordinator.Config) {
			c.Send = func(to netip.Addr, _ wire.Signal) {
				order, sent[to] = append(order, to), true
				inBatch[time.Now()]++
				most = max(most, inBatch[time.Now()])
			}
		}
		n.Start(n.Book(), nil)
		stop := n.Run()
		n.MustDo(network.SetDisabled{Name: "router-7", Disabled: true}, network.SetAdmin{Name: "router-900", Admin: true})
		pass(1300 * time.Millisecond)
		stop()
		if subject := n.Address("router-900"); order[0] != subject {
			t.Errorf("the first to hear is %s, want %s, whom the other change is about", order[0], subject)
		}
		if len(sent) != 999 || most > 32 {
			t.Errorf("%d peers were nudged, %d at once; want 999 and 32 at most", len(sent), most)
		}
	})
}

func TestNudgesStopWithTheFetch(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		n.Call("carl", "GET", wire.PathNetwork, nil) // a sign of life
		n.MustDo(network.RenamePeer{Name: "carl", NewName: "carla"})
		n.Keys["carla"] = n.Keys["carl"]
		pass(2 * time.Second)
		if sent := n.Nudges("carla"); len(sent) != 4 || sent[0].Value != n.Book().Revision() { // at 0, 0.25, 0.75, 1.75 s
			t.Errorf("nudged with %v, want 4 nudges", sent)
		}
		pos := fetch(t, n, "carla", wire.Position{}).Position
		pass(time.Second)
		fetch(t, n, "carla", pos) // now it knows
		pass(10 * time.Minute)
		if sent := n.Nudges("carla"); len(sent) > 0 {
			t.Errorf("nudged after the fetch: %v", sent)
		}
		if wakes := n.Wakes(); wakes != 1 {
			t.Errorf("the local daemon was woken %d times, want once", wakes)
		}
	})
}
