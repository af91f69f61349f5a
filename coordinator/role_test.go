package coordinator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ginnel/coordinator"
	"ginnel/coordinator/coordinatortest"
	"ginnel/coordinator/store"
	"ginnel/key"
	"ginnel/network"
	"ginnel/wire"
	"ginnel/wire/http1"
)

func addrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// bubble runs a test in virtual time, with the role running.
func bubble(t *testing.T, test func(t *testing.T, n *coordinatortest.Network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := coordinatortest.New(t)
		stop := n.Run()
		defer stop()
		synctest.Wait()
		n.Forget()
		test(t, n)
	})
}

// pass lets virtual time pass, and then waits until everybody is at rest.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// fetch has a peer fetch its map from a position.
func fetch(t testing.TB, n *coordinatortest.Network, name string, pos wire.Position) *wire.Update {
	t.Helper()
	target := fmt.Sprintf("%s?revision=%d&epoch=%d&seq=%d", wire.PathMap, pos.Revision, pos.Epoch, pos.Seq)
	response := n.Call(name, "GET", target, nil)
	if response.Status != wire.StatusOK {
		t.Fatalf("%s fetches its map: %d %s", name, response.Status, response.Body)
	}
	u := new(wire.Update)
	if err := json.Unmarshal(response.Body, u); err != nil {
		t.Fatal(err)
	}
	if err := u.Check(); err != nil {
		t.Fatal(err)
	}
	return u
}

// own has the coordinator's own daemon fetch.
func own(t testing.TB, n *coordinatortest.Network, pos wire.Position) *wire.Update {
	t.Helper()
	u, err := n.Fetch(context.Background(), pos)
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Check(); err != nil {
		t.Fatal(err)
	}
	return u
}

func memberOf(u *wire.Update, a netip.Addr) (wire.Member, bool) {
	i := slices.IndexFunc(u.Members, func(m wire.Member) bool { return m.Address == a })
	if i < 0 {
		return wire.Member{}, false
	}
	return u.Members[i], true
}

func sighting(n *coordinatortest.Network, name, endpoint string) wire.Sighting {
	return wire.Sighting{Address: n.Address(name), Endpoint: addrPort(endpoint), LastHandshake: time.Now()}
}

func wantStatus(t testing.TB, r *http1.Response, status int) {
	t.Helper()
	if r.Status != status {
		t.Fatalf("status is %d %s, want %d", r.Status, r.Body, status)
	}
}

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

func samePatch(a, b wire.Patch) bool {
	return a.Address == b.Address && a.Endpoints.Seen == b.Endpoints.Seen &&
		slices.Equal(a.Endpoints.Candidates, b.Endpoints.Candidates)
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

func TestNudgesStopWithTheFetch(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		n.Call("carl", "GET", wire.PathNetwork, nil) // a sign of life
		n.MustDo(network.RenamePeer{Name: "carl", NewName: "carla"})
		n.Keys["carla"] = n.Keys["carl"]
		pass(2 * time.Second)
		if sent := n.Nudges("carla"); len(sent) != 4 || sent[0].Value != n.Book().Revision() { // at 0, 0.25, 0.75, 1.75 s
			t.Errorf("nudged with %v, want 4 nudges", sent)
		}
		fetch(t, n, "carla", wire.Position{})
		pass(10 * time.Minute)
		if sent := n.Nudges("carla"); len(sent) > 0 {
			t.Errorf("nudged after the fetch: %v", sent)
		}
		if wakes := n.Wakes(); wakes != 1 {
			t.Errorf("the local daemon was woken %d times, want once", wakes)
		}
	})
}

func TestBehaviour41RenamesReachThoseWhoSeeThePeer(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		ann := fetch(t, n, "ann", wire.Position{}).Position
		wantStatus(t, n.Call("ann", "PATCH", wire.PathPeers+"/bob", `{"name":"rob"}`), wire.StatusOK)
		n.Keys["rob"] = n.Keys["bob"]
		synctest.Wait()
		if len(n.Nudges("ann")) != 1 || len(n.Nudges("rob")) != 1 || n.Wakes() != 1 || len(n.Nudges("carl")) > 0 {
			t.Error("not exactly those who see the peer were told")
		}
		u := fetch(t, n, "ann", ann)
		if m, ok := memberOf(u, n.Address("rob")); !ok || m.Name != "rob" || len(u.Members) != 1 {
			t.Errorf("ann's update is %+v, want rob alone", u)
		}
		if u := fetch(t, n, "rob", wire.Position{}); u.Self.Name != "rob" {
			t.Errorf("the peer itself is called %s", u.Self.Name)
		}
	})
}

func TestBehaviour42DisabledPeersAreDroppedAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		pos, bob := own(t, n, wire.Position{}).Position, n.Address("bob")
		ann := fetch(t, n, "ann", wire.Position{}).Position
		wantStatus(t, n.Call("ann", "PATCH", wire.PathPeers+"/bob", `{"disabled":true}`), wire.StatusOK)
		synctest.Wait()
		if n.Wakes() != 1 || len(n.Nudges("ann")) != 1 {
			t.Error("the coordinator's own daemon and ann were not told at once")
		}
		for name, u := range map[string]*wire.Update{"hub": own(t, n, pos), "ann": fetch(t, n, "ann", ann)} {
			if _, there := memberOf(u, bob); there || len(u.Ranges) == 0 {
				t.Errorf("%s still has bob: %+v", name, u)
			}
		}
		wantStatus(t, n.Call("bob", "GET", wire.PathMap, nil), wire.StatusForbidden)
		key := n.Keys["bob"].Public()
		wantStatus(t, n.Call("ann", "PATCH", wire.PathPeers+"/bob", `{"disabled":false}`), wire.StatusOK)
		if m, ok := memberOf(own(t, n, pos), bob); !ok || m.PublicKey != key {
			t.Errorf("enabled again, bob is %+v", m)
		}
		wantStatus(t, n.Call("bob", "GET", wire.PathMap, nil), wire.StatusOK)
	})
}

func TestBehaviour35InvitationsEnd(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		pos := own(t, n, wire.Position{}).Position
		eve := n.Address("eve")
		if m, ok := memberOf(own(t, n, wire.Position{}), eve); !ok || m.Role != wire.RoleInvitee || m.PublicKey != n.Keys["eve"].Public() {
			t.Fatalf("the coordinator's own map has eve as %+v", m)
		}
		pass(time.Hour - time.Second)
		n.Address("eve")
		pass(11 * time.Second)
		if _, there := n.Book().PeerNamed("eve"); there {
			t.Error("10 s after its end the invitation is still open")
		}
		if n.Wakes() != 1 {
			t.Error("the local daemon was not told")
		}
		if _, there := memberOf(own(t, n, pos), eve); there {
			t.Error("eve is still in the coordinator's own map")
		}
		n.Invite("eve", "phones")
		if n.Address("eve") != eve {
			t.Errorf("the address is not free: eve is at %s now", n.Address("eve"))
		}
	})
}

func TestBehaviour35ExpiredInvitationsAreNotRedeemed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // without Run: nobody swept
		n := coordinatortest.New(t)
		pass(time.Hour)
		wantStatus(t, redeem(n, "eve", n.Source.Key()), wire.StatusGone)
	})
}

// TestExpiryIsTriedAgain: a store that cannot take it does not stop the role.
func TestExpiryIsTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		n.Store.SetFull(true)
		pass(time.Hour + 20*time.Second)
		n.Address("eve")
		n.Store.SetFull(false)
		pass(10 * time.Second)
		if _, there := n.Book().PeerNamed("eve"); there {
			t.Error("the invitation is still open")
		}
	})
}

func TestFailedCommitChangesNothing(t *testing.T) {
	n := coordinatortest.New(t)
	pos, before, committed := own(t, n, wire.Position{}).Position, n.Book(), len(n.Store.Changes())
	n.Store.SetFull(true)
	for _, r := range []*http1.Response{
		n.Call("ann", "PATCH", wire.PathPeers+"/bob", `{"name":"rob"}`),
		n.Call("ann", "POST", wire.PathInvitations, wire.InvitationRequest{Name: "fay", CIDR: "phones"}),
		redeem(n, "eve", n.Source.Key()),
	} {
		wantStatus(t, r, wire.StatusInternal)
		if strings.Contains(string(r.Body), coordinatortest.ErrFull.Error()) {
			t.Errorf("the answer tells of the machine's inside: %s", r.Body)
		}
	}
	if u := own(t, n, pos); n.Book() != before || u.Position != pos || len(u.Ranges) > 0 {
		t.Error("the book or the map changed")
	}
	n.Store.SetFull(false)
	wantStatus(t, n.Call("ann", "PATCH", wire.PathPeers+"/bob", `{"name":"rob"}`), wire.StatusOK)
	if n.Book().Revision() != before.Revision()+1 || len(n.Store.Changes()) != committed+1 {
		t.Error("after the failure the revisions do not go on where they were")
	}
}

// TestRestart: deltas go on, over a real store, where they were.
func TestRestart(t *testing.T) {
	n := coordinatortest.New(t)
	path := filepath.Join(t.TempDir(), "home.book")
	if err := store.Create(path, n.Book(), network.Change{}); err != nil {
		t.Fatal(err)
	}
	ann := fetch(t, n, "ann", wire.Position{}).Position
	_, change, err := n.Book().Apply(time.Now(), network.RenamePeer{Name: "bob", NewName: "rob"})
	if err != nil {
		t.Fatal(err)
	}
	s, _, _, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Commit(change), s.Close()); err != nil {
		t.Fatal(err)
	}
	s, book, tail, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n.Start(book, tail)
	u := fetch(t, n, "ann", ann)
	if m, ok := memberOf(u, n.Address("rob")); !ok || m.Name != "rob" || len(u.Members) != 1 || u.Position.Epoch == ann.Epoch {
		t.Errorf("after a restart ann's update is %+v, want rob alone, in another epoch", u)
	}
}

func TestNewRefuses(t *testing.T) {
	n := coordinatortest.New(t)
	good := coordinator.Config{Book: n.Book(), PrivateKey: n.Keys["hub"], Rand: strings.NewReader("12345678")}
	if _, err := coordinator.New(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*coordinator.Config){
		"another network's key": func(c *coordinator.Config) { c.PrivateKey = n.Keys["ann"] },
		"no endpoint":           func(c *coordinator.Config) { c.Endpoints = []string{"hub"} },
		"no randomness":         func(c *coordinator.Config) { c.Rand = strings.NewReader("1234567") },
	} {
		cfg := good
		cfg.Rand = strings.NewReader("12345678")
		spoil(&cfg)
		if _, err := coordinator.New(cfg); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	n := coordinatortest.New(t)
	stop := n.Run()
	defer stop()
	var work sync.WaitGroup
	for i := range 4 {
		work.Go(func() {
			for j := range 20 {
				n.Seen(time.Now(), []wire.Sighting{sighting(n, "bob", fmt.Sprintf("192.0.2.%d:%d", i+1, j+1))})
				n.Call("ann", "GET", wire.PathMap, nil)
				n.Call("ann", "GET", wire.PathPeers, nil)
				n.Call("bob", "PUT", wire.PathSelf, wire.Report{Candidates: []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(j + 1)}), uint16(i+1))}})
				name := fmt.Sprintf("peer-%d-%d", i, j)
				n.Call("ann", "POST", wire.PathInvitations, wire.InvitationRequest{Name: name, CIDR: "phones"})
			}
		})
	}
	work.Wait()
	if got := len(n.Book().Peers()); got != 6+80 {
		t.Errorf("the book has %d peers, want 86", got)
	}
}

// redeem has an invitee redeem with the public half of another key.
func redeem(n *coordinatortest.Network, name string, k key.PublicKey) *http1.Response {
	return n.Call(name, "POST", wire.PathRedeem, wire.RedeemRequest{PublicKey: k})
}
