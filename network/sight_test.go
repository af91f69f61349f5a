package network_test

import (
	"net/netip"
	"slices"
	"testing"

	"ginnel/network"
)

func TestBehaviour23And24And26Sight(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.cidr("dev", "10.42.1.0/24")
	w.cidr("ops", "10.42.2.0/24")
	w.join("d1", "dev", "")
	w.join("d2", "dev", "")
	w.join("o1", "ops", "")
	w.join("r1", "net", "")
	w.wantSight("d1", "hub", "d2")
	w.wantSight("o1", "hub")
	w.wantSight("r1", "hub")
	w.wantSight("hub", "r1", "d1", "d2", "o1")

	w.wantHears(w.do(network.Associate{A: "ops", B: "dev"}), "d1", "d2", "o1")
	w.wantSight("d1", "hub", "d2", "o1")
	w.wantSight("o1", "hub", "d1", "d2")
	w.wantSight("r1", "hub")

	w.wantHears(w.do(network.Dissociate{A: "ops", B: "dev"}), "d1", "d2", "o1")
	w.wantSight("d1", "hub", "d2")
	w.wantSight("o1", "hub")
}

func TestBehaviour25AssociationOfAncestors(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.cidr("dev", "10.42.16.0/20")
	w.cidr("lab", "10.42.17.0/24")
	w.cidr("bench", "10.42.17.128/25")
	w.cidr("ops", "10.42.32.0/20")
	w.cidr("night", "10.42.33.0/24")
	w.join("bench1", "bench", "")
	w.join("lab1", "lab", "")
	w.join("night1", "night", "")
	w.wantSight("lab1", "hub")
	w.do(network.Associate{A: "dev", B: "ops"})
	w.wantSight("lab1", "hub", "night1")
	w.wantSight("bench1", "hub", "night1")
	w.wantSight("night1", "hub", "lab1", "bench1")
	w.do(network.Associate{A: "dev", B: "dev"})
	w.wantSight("lab1", "hub", "bench1", "night1")
}

func TestIsolatedCIDR(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.do(network.AddCIDR{Name: "guests", Prefix: prefix("10.42.1.0/24"), Isolated: true})
	w.cidr("ops", "10.42.2.0/24")
	w.join("g1", "guests", "")
	w.join("g2", "guests", "")
	w.join("o1", "ops", "")
	w.wantSight("g1", "hub")
	w.do(network.Associate{A: "guests", B: "ops"})
	w.wantSight("g1", "hub", "o1")
	w.wantSight("o1", "hub", "g1", "g2")
	w.do(network.Associate{A: "guests", B: "guests"})
	w.wantSight("g1", "hub", "g2", "o1")
	w.do(network.Associate{A: "net", B: "ops"})
	w.wantSight("o1", "hub", "g1", "g2")
}

func TestNewsInAnIsolatedCIDR(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.do(network.AddCIDR{Name: "guests", Prefix: prefix("10.42.1.0/24"), Isolated: true})
	w.join("g1", "guests", "10.42.1.1")
	w.join("g2", "guests", "10.42.1.2")
	w.wantHears(w.do(network.RenamePeer{Name: "g1", NewName: "one"}), "hub", "one")
	w.wantHears(w.do(network.SetAdmin{Name: "g2", Admin: true}), "hub", "g2")
	w.wantHears(w.do(network.RenameCIDR{Name: "guests", NewName: "lodgers"}), "hub", "one", "g2")
	w.wantHears(w.do(network.AddCIDR{Name: "room", Prefix: prefix("10.42.1.1/32"), Isolated: true}), "hub", "one")
	w.wantHears(w.do(network.AddCIDR{Name: "attic", Prefix: prefix("10.42.1.2/31")}), "hub", "g2")
}

// A root-level peer is seen from the root's gaps between its CIDRs. Most of
// those hold nobody, and a change does not carry them.
func TestPartsLeaveOutEmptyRanges(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	for i := range 20 {
		a := netip.AddrFrom4([4]byte{10, 42, byte(2*i + 10), 0})
		w.do(network.AddCIDR{Name: "c" + a.String()[6:len(a.String())-2], Prefix: netip.PrefixFrom(a, 24)})
	}
	w.join("a", "net", "")
	w.join("b", "net", "10.42.200.1")
	if c := w.do(network.RenamePeer{Name: "a", NewName: "z"}); len(c.Parts) != 2 {
		t.Errorf("a name changed in %d parts: %v", len(c.Parts), c.Parts)
	}
}

func TestAssociationsWithoutPeersAreNoNews(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.cidr("dev", "10.42.1.0/24")
	w.cidr("ops", "10.42.2.0/24")
	w.join("d1", "dev", "")
	w.wantHears(w.do(network.Associate{A: "ops", B: "dev"}))
	w.wantHears(w.do(network.Dissociate{A: "ops", B: "dev"}))
	w.wantHears(w.do(network.Associate{A: "ops", B: "ops"}))
	w.wantHears(w.do(network.Associate{A: "dev", B: "dev"}), "d1")
}

func TestBehaviour27AssociationRefusals(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.cidr("dev", "10.42.1.0/24")
	w.cidr("ops", "10.42.2.0/24")
	w.do(network.Associate{A: "ops", B: "dev"})
	w.refused(network.Associate{A: "ops", B: "dev"}, network.Conflict, "ops", "dev", "already")
	w.refused(network.Associate{A: "dev", B: "ops"}, network.Conflict, "already")
	w.refused(network.Associate{A: "dev", B: "none"}, network.NotFound, `"none"`)
	w.refused(network.Associate{A: "none", B: "dev"}, network.NotFound, `"none"`)
	w.refused(network.Associate{A: "dev", B: "infra"}, network.Conflict, "sees everyone already")
	w.refused(network.Associate{A: "infra", B: "infra"}, network.Conflict, "sees everyone already")
	w.refused(network.Dissociate{A: "dev", B: "dev"}, network.NotFound, "not associated")
	w.refused(network.Dissociate{A: "dev", B: "none"}, network.NotFound, `"none"`)
	as := w.Associations()
	if len(as) != 1 || as[0] != (network.Association{A: prefix("10.42.1.0/24"), B: prefix("10.42.2.0/24")}) {
		t.Errorf("associations are %v", as)
	}
	w.do(network.Dissociate{A: "dev", B: "ops"})
	w.refused(network.Dissociate{A: "ops", B: "dev"}, network.NotFound, "not associated")
}

func TestBehaviour28OnlyActivePeersAreSeen(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	a := w.join("a", "net", "")
	w.join("b", "net", "")
	w.join("off", "net", "")
	w.invite("guest", "net", "")
	w.do(network.SetDisabled{Name: "off", Disabled: true})
	w.wantSight("a", "hub", "b")
	w.wantSight("off")
	w.wantSight("guest")
	w.wantSight("hub", "a", "b", "guest")
	if got := w.View(addr("10.42.9.9"), nil); len(got) != 0 {
		t.Errorf("an address without a peer sees %v", got)
	}
	if got := w.View(a, []netip.Prefix{}); len(got) != 0 {
		t.Errorf("nowhere, a sees %v", got)
	}
	if got := w.View(a, []netip.Prefix{prefix("10.42.0.3/32"), prefix("10.42.1.0/24")}); len(got) != 1 || got[0].Name != "b" {
		t.Errorf("at b's address, a sees %v", got)
	}
}

func TestVisibleRangesAreExact(t *testing.T) {
	w := newWorld(t, "10.42.0.0/24")
	w.cidr("dev", "10.42.0.64/26")
	w.cidr("lab", "10.42.0.64/27")
	w.cidr("ops", "10.42.0.128/25")
	w.do(network.AddCIDR{Name: "iso", Prefix: prefix("10.42.0.128/26"), Isolated: true}, network.Associate{A: "dev", B: "iso"})
	for a, want := range map[string][]netip.Prefix{
		"10.42.0.1":   {prefix("10.42.0.0/24")},
		"10.42.0.9":   {prefix("10.42.0.0/26")},
		"10.42.0.70":  {prefix("10.42.0.1/32"), prefix("10.42.0.64/27"), prefix("10.42.0.128/26")},
		"10.42.0.100": {prefix("10.42.0.1/32"), prefix("10.42.0.96/27"), prefix("10.42.0.128/26")},
		"10.42.0.130": {prefix("10.42.0.1/32"), prefix("10.42.0.64/26")},
		"10.42.0.200": {prefix("10.42.0.1/32"), prefix("10.42.0.192/26")},
		"10.43.0.1":   nil,
	} {
		if got := w.VisibleRanges(addr(a)); !slices.Equal(got, want) {
			t.Errorf("%s sees %v, want %v", a, got, want)
		}
	}
	if w.Sees(addr("10.42.0.9"), addr("10.42.0.9")) || w.Sees(addr("10.42.0.1"), addr("10.43.0.1")) || !w.Sees(addr("10.42.0.9"), addr("10.42.0.1")) {
		t.Error("Sees is wrong at the edges")
	}
}

func TestTouched(t *testing.T) {
	changes := []network.Change{
		{Parts: []network.Part{{prefix("10.0.0.0/8"), prefix("10.1.0.1/32")}, {prefix("10.2.0.0/16"), prefix("10.5.0.0/16")}}},
		{Parts: []network.Part{{prefix("10.1.0.0/16"), prefix("10.1.0.0/32")}, {prefix("10.1.0.0/16"), prefix("10.1.0.0/31")}}},
	}
	if got := network.Touched(changes, addr("10.1.0.9")); !slices.Equal(got, []netip.Prefix{prefix("10.1.0.0/31")}) {
		t.Errorf("touched is %v", got)
	}
	if got := network.Touched(changes, addr("11.0.0.1")); got == nil || len(got) != 0 {
		t.Errorf("touched is %#v, want an empty slice that is not nil", got)
	}
}
