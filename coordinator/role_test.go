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

// TestRunEndsWhenTheStoreIsOutOfStep: no command would be accepted any more,
// and whoever runs the role makes a new one.
func TestRunEndsWhenTheStoreIsOutOfStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := coordinatortest.New(t)
		n.Configure = func(c *coordinator.Config) { c.Store = aheadStore{} }
		n.Start(n.Book(), nil)
		ended := make(chan error, 1)
		go func() { ended <- n.Role.Run(t.Context()) }()
		for range 2 { // the second finds Run ending already
			if _, err := n.Do(network.SetAdmin{Name: "bob", Admin: true}); !errors.Is(err, store.ErrOutOfStep) {
				t.Errorf("the command's error is %v", err)
			}
		}
		if err := <-ended; !errors.Is(err, store.ErrOutOfStep) {
			t.Errorf("Run ended with %v", err)
		}
	})
}

// aheadStore is a store that someone else has written to.
type aheadStore struct{}

// Commit fails.
func (aheadStore) Commit(...network.Change) error {
	return fmt.Errorf("%w: for a test", store.ErrOutOfStep)
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
	bare, _, err := network.New("home", netip.MustParsePrefix("10.42.0.0/16"), "hub", n.Keys["hub"].Public())
	if err != nil {
		t.Fatal(err)
	}
	strange, _, err := bare.Apply(time.Now(), network.SetEndpoints{Endpoints: []string{"hub"}})
	if err != nil {
		t.Fatal(err)
	}
	good := coordinator.Config{Book: bare, Store: n.Store, Now: time.Now, PrivateKey: n.Keys["hub"], Rand: strings.NewReader("12345678")}
	if _, err := coordinator.New(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*coordinator.Config){
		"another network's key": func(c *coordinator.Config) { c.PrivateKey = n.Keys["ann"] },
		"no endpoint":           func(c *coordinator.Config) { c.Endpoints = []string{"hub"} },
		"no endpoint in a book": func(c *coordinator.Config) { c.Book = strange },
		"too many endpoints": func(c *coordinator.Config) {
			c.Endpoints = slices.Repeat([]string{"hub:1"}, wire.MaxInvitingEndpoints+1)
		},
		"no randomness": func(c *coordinator.Config) { c.Rand = strings.NewReader("1234567") },
	} {
		cfg := good
		cfg.Rand = strings.NewReader("12345678")
		spoil(&cfg)
		if _, err := coordinator.New(cfg); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestBehaviour71FullDisk: a role starts although the endpoints of the
// configuration cannot be written into its book, and the next one does it.
func TestBehaviour71FullDisk(t *testing.T) {
	n := coordinatortest.New(t)
	bare, _, err := network.New("home", netip.MustParsePrefix("10.42.0.0/16"), "hub", n.Keys["hub"].Public())
	if err != nil {
		t.Fatal(err)
	}
	for _, full := range []bool{true, false} {
		n.Store.SetFull(full)
		r, err := coordinator.New(coordinator.Config{
			Book: bare, Store: n.Store, Endpoints: []string{"hub:1"}, Now: time.Now, PrivateKey: n.Keys["hub"], Rand: strings.NewReader("12345678"),
		})
		if err != nil {
			t.Fatalf("full %v: %v", full, err)
		}
		if there := len(r.Book().Endpoints()) > 0; there == full {
			t.Errorf("full %v: the book has %q", full, r.Book().Endpoints())
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
