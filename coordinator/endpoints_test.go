package coordinator_test

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ginnel/coordinator/coordinatortest"
	"ginnel/network"
	"ginnel/wire"
)

func TestBehaviour72SeenEndpointsReachThoseWhoMaySeeThem(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		ann, bob := fetch(t, n, "ann", wire.Position{}), fetch(t, n, "bob", wire.Position{})
		fetch(t, n, "carl", wire.Position{})
		n.Seen(time.Now(), []wire.Sighting{sighting(n, "bob", "192.0.2.7:1234")})
		synctest.Wait()
		if sent := n.Nudges("ann"); len(sent) > 0 {
			t.Error("nudged before a burst can be over")
		}
		pass(21 * time.Millisecond)
		if sent := n.Nudges("ann"); len(sent) != 1 || sent[0] != (wire.Signal{Kind: wire.SignalNudge, Value: ann.Position.Revision}) {
			t.Errorf("ann, who sees bob, got %v", sent)
		}
		if sent := n.Nudges("bob"); len(sent) != 1 {
			t.Errorf("bob himself got %v", sent)
		}
		if sent := n.Nudges("carl"); len(sent) > 0 {
			t.Errorf("carl, who does not see bob, got %v", sent)
		}
		want := []wire.Patch{{Address: n.Address("bob"), Endpoints: wire.Endpoints{Seen: addrPort("192.0.2.7:1234")}}}
		if u := fetch(t, n, "ann", ann.Position); !slices.EqualFunc(u.Patches, want, samePatch) || len(u.Ranges) > 0 {
			t.Errorf("ann's update is %+v, want patches %+v alone", u, want)
		}
		if u := fetch(t, n, "bob", bob.Position); u.Self.Endpoints.Seen != addrPort("192.0.2.7:1234") {
			t.Errorf("bob is told he is at %s", u.Self.Endpoints.Seen)
		}
	})
}

// TestBookAndInvitationHaveRoomForTheSame: packages that do not know each other
// say how many endpoints of a coordinator there are.
func TestBookAndInvitationHaveRoomForTheSame(t *testing.T) {
	if network.MaxEndpoints != wire.MaxInvitingEndpoints {
		t.Errorf("a book has room for %d endpoints, an invitation for %d", network.MaxEndpoints, wire.MaxInvitingEndpoints)
	}
}

func samePatch(a, b wire.Patch) bool {
	return a.Address == b.Address && a.Endpoints.Seen == b.Endpoints.Seen &&
		slices.Equal(a.Endpoints.Candidates, b.Endpoints.Candidates) && slices.Equal(a.Endpoints.Announced, b.Endpoints.Announced)
}

func TestSightingsThatProveNothingAreNoNews(t *testing.T) {
	n := coordinatortest.New(t)
	before := own(t, n, wire.Position{}).Position
	old := sighting(n, "bob", "192.0.2.7:1")
	old.LastHandshake = time.Now().Add(-181 * time.Second)
	never := sighting(n, "bob", "192.0.2.7:1")
	never.LastHandshake = time.Time{}
	stranger := sighting(n, "bob", "192.0.2.7:1")
	stranger.Address = netip.MustParseAddr("10.42.9.9")
	n.Seen(time.Now(), []wire.Sighting{
		old, never, stranger, sighting(n, "dan", "192.0.2.7:1"),
		sighting(n, "bob", "10.42.1.2:1"), sighting(n, "bob", "[fe80::1%eth0]:1"), sighting(n, "bob", "0.0.0.0:1"),
	})
	if after := own(t, n, before).Position; after != before {
		t.Errorf("position is %+v, want %+v", after, before)
	}
}

func TestBehaviour73CandidatesSpread(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		pos := own(t, n, wire.Position{}).Position
		report := wire.Report{Candidates: []netip.AddrPort{addrPort("192.168.1.5:51820")}}
		for range 2 {
			wantStatus(t, n.Call("bob", "PUT", wire.PathSelf, report), wire.StatusNoContent)
		}
		pass(25 * time.Millisecond)
		if n.Wakes() != 1 || len(n.Nudges("ann")) != 1 || len(n.Nudges("carl")) > 0 {
			t.Error("not exactly those who see bob were told, once")
		}
		u := own(t, n, pos)
		want := []wire.Patch{{Address: n.Address("bob"), Endpoints: wire.Endpoints{Candidates: report.Candidates}}}
		if !slices.EqualFunc(u.Patches, want, samePatch) {
			t.Errorf("patches are %+v, want %+v", u.Patches, want)
		}
		if err := n.Report(context.Background(), report); err != nil {
			t.Fatal(err)
		}
		hub, ok := memberOf(fetch(t, n, "carl", wire.Position{}), n.Address("hub"))
		if !ok || !slices.Equal(hub.Endpoints.Candidates, report.Candidates) || hub.Role != wire.RoleCoordinator {
			t.Errorf("carl sees the coordinator as %+v", hub)
		}
	})
}

// TestBehaviour63And76AnnouncedEndpoints: what a peer announces reaches those
// who may see it, a port alone with the address it is seen at, which it follows;
// the seen endpoint and the candidates stay beside it. Nothing is written down.
func TestBehaviour63And76AnnouncedEndpoints(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		written := n.Book().Revision()
		fetch(t, n, "carl", fetch(t, n, "carl", wire.Position{}).Position) // he has all there is
		pos := fetch(t, n, "ann", wire.Position{}).Position
		rep := wire.Report{Candidates: []netip.AddrPort{addrPort("192.168.1.5:51820")}, Announced: []string{":4000", "bob.example:5000"}}
		step := func(what string, seen netip.AddrPort, announced ...string) {
			t.Helper()
			pass(6 * time.Second)
			u := fetch(t, n, "ann", pos)
			pos = u.Position
			want := []wire.Patch{{Address: n.Address("bob"), Endpoints: wire.Endpoints{Seen: seen, Candidates: rep.Candidates, Announced: announced}}}
			if !slices.EqualFunc(u.Patches, want, samePatch) || u.Check() != nil {
				t.Errorf("%s: patches are %+v, want %+v", what, u.Patches, want)
			}
		}
		wantStatus(t, n.Call("bob", "PUT", wire.PathSelf, rep), wire.StatusNoContent)
		step("not seen yet", netip.AddrPort{}, "bob.example:5000")
		n.Seen(time.Now(), []wire.Sighting{sighting(n, "bob", "192.0.2.7:1234")})
		step("seen", addrPort("192.0.2.7:1234"), "192.0.2.7:4000", "bob.example:5000")
		n.Seen(time.Now(), []wire.Sighting{sighting(n, "bob", "[2001:db8::7]:1234")})
		step("moved", addrPort("[2001:db8::7]:1234"), "[2001:db8::7]:4000", "bob.example:5000")
		rep.Announced = []string{"[::]:4000", ":4000", "[2001:db8::7]:4000"}
		wantStatus(t, n.Call("bob", "PUT", wire.PathSelf, rep), wire.StatusNoContent)
		step("the same in three spellings", addrPort("[2001:db8::7]:1234"), "[2001:db8::7]:4000")
		if self := fetch(t, n, "bob", wire.Position{}).Self; !slices.Equal(self.Endpoints.Announced, []string{"[2001:db8::7]:4000"}) {
			t.Errorf("bob himself is told %v", self.Endpoints.Announced)
		}
		rep.Announced = nil
		wantStatus(t, n.Call("bob", "PUT", wire.PathSelf, rep), wire.StatusNoContent)
		step("unset", addrPort("[2001:db8::7]:1234"))
		if n.Book().Revision() != written {
			t.Error("announced endpoints are in the book")
		}
		if sent := n.Nudges("carl"); len(sent) > 0 {
			t.Errorf("carl, who does not see bob, was nudged %d times", len(sent))
		}
	})
}

// TestBehaviour71PeersHearOfTheCoordinatorsEndpoints: all of them, whatever
// their CIDR, and with every description of it.
func TestBehaviour71PeersHearOfTheCoordinatorsEndpoints(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		ann, carl := fetch(t, n, "ann", wire.Position{}).Position, fetch(t, n, "carl", wire.Position{}).Position
		n.Forget()
		moved := []string{"new.example:51820", "[2001:db8::1]:1"}
		wantStatus(t, n.Call("ann", "PATCH", wire.PathNetwork, wire.NetworkPatch{Endpoints: moved}), wire.StatusOK)
		pass(25 * time.Millisecond)
		for name, pos := range map[string]wire.Position{"ann": ann, "carl": carl} {
			if len(n.Nudges(name)) != 1 {
				t.Errorf("%s is not nudged once", name)
			}
			u := fetch(t, n, name, pos)
			hub, ok := memberOf(u, n.Address("hub"))
			if !ok || len(u.Members) != 1 || !slices.Equal(hub.Endpoints.Announced, moved) {
				t.Errorf("%s is told %+v, want the coordinator alone, at %v", name, u.Members, moved)
			}
		}
		if err := n.Report(context.Background(), wire.Report{Candidates: []netip.AddrPort{addrPort("192.168.1.1:51820")}}); err != nil {
			t.Fatal(err)
		}
		hub, _ := memberOf(fetch(t, n, "carl", wire.Position{}), n.Address("hub"))
		if !slices.Equal(hub.Endpoints.Announced, moved) || len(hub.Endpoints.Candidates) != 1 {
			t.Errorf("after a report the coordinator is at %+v", hub.Endpoints)
		}
		n.Start(n.Book(), nil) // a restart, with what is written down
		hub, _ = memberOf(fetch(t, n, "carl", wire.Position{}), n.Address("hub"))
		if !slices.Equal(hub.Endpoints.Announced, moved) {
			t.Errorf("after a restart the coordinator is at %+v", hub.Endpoints)
		}
	})
}

// TestFirstLookAfterARestart: everybody's endpoint is news to everybody.
func TestFirstLookAfterARestart(t *testing.T) {
	n := coordinatortest.New(t)
	n.Grow(1000)
	now := time.Now()
	var all []wire.Sighting
	for i, p := range n.Book().Peers() {
		all = append(all, wire.Sighting{Address: p.Address, LastHandshake: now, Endpoint: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(1+i))})
	}
	n.Seen(now, all)
	if u := own(t, n, wire.Position{Revision: n.Book().Revision(), Epoch: 1}); len(u.Patches) < 1000 {
		t.Errorf("%d are told of, want all", len(u.Patches))
	}
}

// TestClockSetBack: a handshake with a time to come is no older than when it
// was shown, and no younger.
func TestClockSetBack(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		s := sighting(n, "bob", "192.0.2.9:7")
		s.LastHandshake = time.Now().Add(time.Hour)
		at := time.Now()
		n.Seen(at, []wire.Sighting{s})
		p, _ := n.Book().PeerNamed("bob")
		if shown := n.Describe(n.Book(), p).LastHandshake; !shown.Equal(at) {
			t.Errorf("the last handshake is shown at %s, want %s", shown, at)
		}
		pass(10 * time.Minute)
		n.Forget()
		s.Endpoint = addrPort("203.0.113.5:9") // a guess of the daemon's
		n.Seen(time.Now(), []wire.Sighting{s})
		m, _ := memberOf(fetch(t, n, "ann", wire.Position{}), n.Address("bob"))
		if m.Endpoints.Seen != addrPort("192.0.2.9:7") {
			t.Errorf("bob, who was seen 10 minutes ago, is told to be at %s", m.Endpoints.Seen)
		}
		n.MustDo(network.RenamePeer{Name: "bob", NewName: "rob"})
		pass(time.Minute)
		if sent := n.Nudges("rob"); len(sent) > 0 {
			t.Errorf("rob, who is away, is nudged %d times", len(sent))
		}
		s = sighting(n, "rob", "203.0.113.5:9") // an earlier time than the one before it
		n.Seen(time.Now(), []wire.Sighting{s})
		m, _ = memberOf(fetch(t, n, "ann", wire.Position{}), n.Address("rob"))
		if m.Endpoints.Seen != s.Endpoint {
			t.Errorf("back, rob is told to be at %s", m.Endpoints.Seen)
		}
		pass(30 * time.Millisecond)
		if sent := n.Nudges("rob"); len(sent) != 1 {
			t.Errorf("back, rob is nudged %d times, want once", len(sent))
		}
	})
}
