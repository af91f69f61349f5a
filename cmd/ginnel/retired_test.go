package main

import (
	"net/netip"
	"slices"
	"testing"
)

// TestBehaviour44FreeAddress: the address of a removed peer is listed, and given
// out again once it is freed, of which is said what it means.
func TestBehaviour44FreeAddress(t *testing.T) {
	m := newAdmin(t)
	a := m.net.Address("bob")
	address := a.String()
	m.refuses(exitFailed, []string{address + " is not retired"}, "peer", "free-address", address, "--yes")
	m.refuses(exitUsage, []string{`"bob" is no address`, "peer list --retired"}, "peer", "free-address", "bob", "--yes")
	m.does("removed peer bob\n", "peer", "remove", "bob", "--yes")
	m.does("ADDRESS\n"+address+"\n", "peer", "list", "--retired")
	var list []netip.Addr
	m.json(&list, "peer", "list", "--retired")
	if !slices.Equal(list, []netip.Addr{a}) {
		t.Errorf("retired are %v", list)
	}
	m.refuses(exitUsage, []string{"not both"}, "peer", "list", "--retired", "--unseen-for", "1d")
	m.refuses(exitFailed, []string{"ginnel peer free-address " + address}, "peer", "invite", "new", "--address", address)
	m.refuses(exitUsage, []string{"ginnel pin forget " + address, "Free " + address + "?", "--yes"}, "peer", "free-address", address)
	m.failed(m.runWith("1\nn\n", true, "peer", "free-address"), exitFailed, []string{"nothing was changed"}, nil)
	if r := m.runWith("1\ny\n", true, "peer", "free-address"); r.status != exitOK || r.out != "freed the address "+address+"\n" {
		t.Errorf("%+v", r)
	}
	m.does("ADDRESS\n", "peer", "list", "--retired")
	if r := m.run("peer", "invite", "new", "--address", address); r.status != exitOK {
		t.Errorf("the freed address is refused: %s", r.err)
	}
}
