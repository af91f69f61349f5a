package network_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"ginnel/network"
)

func TestBehaviour32And33PeerNames(t *testing.T) {
	w := newWorld(t, "10.42.0.0/24")
	w.join("web-1", "net", "")
	invite := func(name string) network.Invite {
		return network.Invite{Name: name, CIDR: "net", Key: w.newKey(), Expires: later}
	}
	w.refused(invite("web-1"), network.Conflict, "web-1", "10.42.0.2")
	w.refused(invite("hub"), network.Conflict, "hub")
	w.do(invite(strings.Repeat("a", 63)), invite("net"))
	for _, bad := range []string{"", "Web", "web_1", "web.1", "-web", "web-", "we--b", "wéb", "web\n", strings.Repeat("a", 64)} {
		w.refused(invite(bad), network.Invalid)
		w.refused(network.RenamePeer{Name: "web-1", NewName: bad}, network.Invalid)
	}
	w.refused(network.RenamePeer{Name: "web-1", NewName: "hub"}, network.Conflict, "hub", "10.42.0.1")
	w.refused(network.RenamePeer{Name: "none", NewName: "x"}, network.NotFound, `"none"`)
}

func TestBehaviour41RenameIsHeardByThoseWhoSee(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.cidr("dev", "10.42.1.0/24")
	a := w.join("a", "dev", "")
	w.join("b", "dev", "")
	w.join("far", "net", "")
	w.wantHears(w.do(network.RenamePeer{Name: "a", NewName: "z"}), "hub", "z", "b")
	w.wantSight("b", "hub", "z")
	if p, _ := w.Peer(a); p.Name != "z" || p.Address != a {
		t.Errorf("renamed to %+v", p)
	}
	if c := w.do(network.RenamePeer{Name: "z", NewName: "z"}); c.Revision != 0 {
		t.Errorf("renaming to the same name gave %+v", c)
	}
	w.invite("guest", "dev", "")
	w.wantHears(w.do(network.RenamePeer{Name: "guest", NewName: "visitor"}), "hub")
	w.do(network.SetDisabled{Name: "b", Disabled: true})
	w.wantHears(w.do(network.RenamePeer{Name: "b", NewName: "c"}))
}

func TestBehaviour42DisableAndEnable(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.cidr("dev", "10.42.1.0/24")
	a := w.join("a", "dev", "")
	w.join("b", "dev", "")
	w.join("far", "net", "")
	before, _ := w.Peer(a)
	w.wantHears(w.do(network.SetDisabled{Name: "a", Disabled: true}), "hub", "a", "b")
	w.wantSight("hub", "far", "b")
	w.wantSight("b", "hub")
	w.wantSight("a")
	if c := w.do(network.SetDisabled{Name: "a", Disabled: true}); c.Revision != 0 {
		t.Errorf("disabling twice gave %+v", c)
	}
	w.wantHears(w.do(network.SetDisabled{Name: "a"}), "hub", "a", "b")
	w.wantSight("a", "hub", "b")
	if after, _ := w.Peer(a); *after != *before {
		t.Errorf("came back as %+v, was %+v", after, before)
	}
	w.invite("guest", "dev", "")
	w.refused(network.SetDisabled{Name: "guest", Disabled: true}, network.Conflict, "not redeemed")
	w.refused(network.SetDisabled{Name: "none", Disabled: true}, network.NotFound, `"none"`)
}

func TestBehaviour43AddressAndKeyNeverChange(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	a := w.join("a", "net", "")
	before, _ := w.Peer(a)
	w.refused(network.Redeem{Address: a, Key: w.newKey()}, network.Gone, "redeemed already")
	w.do(network.RenamePeer{Name: "a", NewName: "b"}, network.SetAdmin{Name: "b", Admin: true},
		network.SetDisabled{Name: "b", Disabled: true}, network.SetDisabled{Name: "b"})
	if after, _ := w.Peer(a); after.Address != before.Address || after.Key != before.Key {
		t.Errorf("became %+v, was %+v", after, before)
	}
}

func TestBehaviour44RemovedAddressesStayRetired(t *testing.T) {
	w := newWorld(t, "10.42.0.0/29")
	w.join("a", "net", "")
	w.join("b", "net", "")
	w.wantHears(w.do(network.RemovePeer{Name: "a"}), "hub", "b")
	w.wantSight("b", "hub")
	if got := w.join("a", "net", ""); got != addr("10.42.0.4") {
		t.Errorf("the new peer got %v", got)
	}
	w.refused(network.Invite{Name: "c", Address: addr("10.42.0.2"), Key: w.newKey(), Expires: later}, network.Conflict, "10.42.0.2 is retired", "`ginnel peer free-address 10.42.0.2`")
	freed := w.join("c", "net", "")
	c := w.do(network.RemovePeer{Name: "c", FreeAddress: true})
	if len(c.Put.Retired) != 0 || !slices.Equal(w.Snapshot().Retired, []netip.Addr{addr("10.42.0.2")}) {
		t.Errorf("the freed address is retired: %+v", c)
	}
	if got := w.join("c", "net", ""); got != freed {
		t.Errorf("the new peer got %v, not the address that was freed", got)
	}
	guest := w.invite("guest", "net", "")
	w.wantHears(w.do(network.RemovePeer{Name: "guest"}), "hub")
	if got := w.invite("guest", "net", ""); got != guest {
		t.Errorf("a revoked invitation did not free %v, the next got %v", guest, got)
	}
	w.refused(network.RemovePeer{Name: "none"}, network.NotFound, `"none"`)
}

// TestBehaviour44AddressesAreFreedLater: an address that stayed retired is given
// out again once an admin frees it, and not before.
func TestBehaviour44AddressesAreFreedLater(t *testing.T) {
	w := newWorld(t, "10.42.0.0/29")
	a := w.join("a", "net", "")
	w.join("b", "net", "")
	w.refused(network.FreeAddress{Address: a}, network.NotFound, "10.42.0.2 is not retired")
	w.do(network.RemovePeer{Name: "a"})
	w.wantHears(w.do(network.FreeAddress{Address: a}))
	if retired := w.Retired(); len(retired) != 0 {
		t.Errorf("retired are %v", retired)
	}
	w.refused(network.FreeAddress{Address: a}, network.NotFound, "10.42.0.2 is not retired")
	if got := w.join("c", "net", ""); got != a {
		t.Errorf("the new peer got %v, not the address that was freed", got)
	}
	w.wantSight("c", "hub", "b")
}

// TestInvitationsIssuedAgain: the earlier one is good for nothing any more.
func TestInvitationsIssuedAgain(t *testing.T) {
	w := newWorld(t, "10.42.0.0/24")
	guest := w.invite("guest", "net", "")
	revoked := w.redeem(guest, w.newKey())
	w.do(network.RemovePeer{Name: "guest"})
	w.invite("boss", "net", guest.String())
	w.refused(revoked, network.Gone, "revoked")
	w.refused(network.Redeem{Address: guest, Key: w.newKey()}, network.Gone, "revoked")
	w.do(w.redeem(guest, revoked.Invited)) // a key like any other by now
}

func TestBehaviour44Admins(t *testing.T) {
	w := newWorld(t, "10.42.0.0/24")
	w.join("a", "net", "")
	w.wantHears(w.do(network.SetAdmin{Name: "a", Admin: true}), "hub", "a")
	if p, _ := w.PeerNamed("a"); !p.Admin {
		t.Error("a is no admin")
	}
	if c := w.do(network.SetAdmin{Name: "a", Admin: true}); c.Revision != 0 {
		t.Errorf("made an admin twice: %+v", c)
	}
	w.do(network.SetAdmin{Name: "a"})
	w.refused(network.SetAdmin{Name: "none", Admin: true}, network.NotFound, `"none"`)
}

func TestBehaviour45CoordinatorStays(t *testing.T) {
	w := newWorld(t, "fd42::/64")
	w.refused(network.SetDisabled{Name: "hub", Disabled: true}, network.Conflict, "hub", "coordinator")
	w.refused(network.SetAdmin{Name: "hub"}, network.Conflict, "hub", "coordinator")
	w.refused(network.RenamePeer{Name: "hub", NewName: "x"}, network.Conflict, "hub", "coordinator")
	w.refused(network.RemovePeer{Name: "hub"}, network.Conflict, "hub", "coordinator")
	w.refused(network.RemovePeer{Name: "hub", FreeAddress: true}, network.Conflict)
	w.refused(network.Redeem{Address: w.Coordinator().Address, Key: w.newKey()}, network.Gone)
}
