package coordinator_test

import (
	"fmt"
	"net/netip"
	"testing"

	"ginnel/coordinator/coordinatortest"
	"ginnel/key"
	"ginnel/wire"
)

// TestHostileStrangers: those who are nobody, or not who they say, cost nothing
// that lasts: no agreement on a secret for every guess, no memory, no nudges.
func TestHostileStrangers(t *testing.T) {
	n := coordinatortest.New(t)
	before := n.Book()
	stranger := n.Source.PrivateKey()
	for _, from := range []netip.Addr{n.Address("bob"), n.Address("eve"), n.Address("dan"), netip.MustParseAddr("10.42.77.7")} {
		r := n.CallFrom(from, stranger, "GET", wire.PathMap, nil)
		if r.Status != wire.StatusUnauthorized {
			t.Fatalf("from %s: %d %s", from, r.Status, r.Body)
		}
		guess, err := key.ParseToken(n.Token(stranger))
		if err != nil {
			t.Fatal(err)
		}
		// One X25519 allocates more than this.
		if allocs := testing.AllocsPerRun(1000, func() { n.Authenticate(from, guess) }); allocs > 0 {
			t.Errorf("a wrong token from %s costs %v allocations", from, allocs)
		}
	}
	if n.Book() != before {
		t.Error("the book changed")
	}
}

// TestHostileInvitee: whoever has an invitation, and no more, may redeem it and
// nothing else, however it asks.
func TestHostileInvitee(t *testing.T) {
	n := coordinatortest.New(t)
	before := n.Book()
	for _, test := range []struct {
		method, target string
		body           any
	}{
		{"GET", wire.PathMap, nil},
		{"PUT", wire.PathSelf, wire.Report{}},
		{"GET", wire.PathNetwork, nil},
		{"POST", wire.PathInvitations, wire.InvitationRequest{Name: "mallory", CIDR: "phones", Admin: true}},
		{"DELETE", wire.PathPeers + "/bob", nil},
		{"GET", wire.PathRedeem + "/", nil},
		{"GET", "/v1/redeem%20", nil},
	} {
		if r := n.Call("eve", test.method, test.target, test.body); r.Status != wire.StatusForbidden {
			t.Errorf("%s %s: %d %s", test.method, test.target, r.Status, r.Body)
		}
	}
	for i := range 1000 {
		r := n.Call("eve", "POST", wire.PathRedeem, fmt.Sprintf(`{"public_key":"%044d"}`, i))
		if r.Status != wire.StatusBadRequest && r.Status != wire.StatusUnprocessable {
			t.Fatalf("a key that is none: %d %s", r.Status, r.Body)
		}
	}
	taken := wire.RedeemRequest{PublicKey: n.Keys["bob"].Public()}
	if r := n.Call("eve", "POST", wire.PathRedeem, taken); r.Status != wire.StatusConflict {
		t.Errorf("another peer's key: %d %s", r.Status, r.Body)
	}
	if n.Book() != before {
		t.Error("the book changed")
	}
	if r := n.Call("eve", "POST", wire.PathRedeem, wire.RedeemRequest{PublicKey: n.Source.PrivateKey().Public()}); r.Status != wire.StatusOK {
		t.Errorf("its own key, after all that: %d %s", r.Status, r.Body)
	}
}
