package network_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ginnel/network"
)

// TestBehaviour71EndpointsAreInTheBook: they are there from the beginning, can
// be replaced as a whole, and everybody hears of it, of nothing else.
func TestBehaviour71EndpointsAreInTheBook(t *testing.T) {
	given := []string{"vpn.example.net:51820", "[2001:db8::1]:51820"}
	b, change, err := network.New("net", prefix("10.42.0.0/16"), "hub", testKey(0), given...)
	if err != nil || !slices.Equal(b.Endpoints(), given) || !slices.Equal(change.Put.Endpoints, given) {
		t.Fatalf("the new book has %v, the change %v: %v", b.Endpoints(), change.Put.Endpoints, err)
	}
	w := &world{TB: t, Book: b}
	w.do(network.AddCIDR{Name: "servers", Prefix: prefix("10.42.1.0/24")},
		network.Invite{Name: "ann", CIDR: "servers", Key: w.newKey(), Expires: later})
	before := w.Book
	moved := []string{"new.example.net:51820"}
	change = w.do(network.SetEndpoints{Endpoints: moved})
	if !slices.Equal(w.Endpoints(), moved) || w.Revision() != before.Revision()+1 || !slices.Equal(before.Endpoints(), given) {
		t.Errorf("revision %d has %v, the one before %v", w.Revision(), w.Endpoints(), before.Endpoints())
	}
	want := []network.Part{{Audience: w.Root(), Touched: prefix("10.42.0.1/32")}}
	if !slices.Equal(change.Parts, want) {
		t.Errorf("the change is told to %v, want %v", change.Parts, want)
	}
	if change := w.do(network.SetEndpoints{Endpoints: moved}); change.Revision != 0 {
		t.Errorf("the same endpoints again are a change: %+v", change)
	}
	moved[0] = "changed by the caller"
	if w.Endpoints()[0] != "new.example.net:51820" {
		t.Error("the book keeps the caller's slice")
	}
}

func TestEndpointsRefused(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	var nine []string
	for i := range 9 {
		nine = append(nine, fmt.Sprintf("a:%d", i+1))
	}
	for word, list := range map[string][]string{
		"name one at least": nil, "0 characters": {""}, "9 endpoints": nine, "a:1 is there twice": {"a:1", "a:1"},
		"300 characters": {strings.Repeat("a", 300)}, "10.42.0.1:1 is an address inside the network": {"a:1", "10.42.0.1:1"},
		"[::ffff:10.42.3.4]:1 is an address inside": {"[::ffff:10.42.3.4]:1"},
	} {
		w.refused(network.SetEndpoints{Endpoints: list}, network.Invalid, word)
		if len(list) == 0 {
			continue
		}
		if _, _, err := network.New("net", prefix("10.42.0.0/16"), "hub", testKey(0), list...); err == nil {
			t.Errorf("a new book takes the endpoints %.80q", list)
		}
	}
}
