package network_test

import (
	"reflect"
	"testing"

	"ginnel/network"
)

func TestBehaviour13AddRenameRemoveCIDR(t *testing.T) {
	for _, root := range []string{"10.42.0.0/16", "fd42::/112"} {
		w := newWorld(t, root)
		inside := "10.42.16.0/20"
		if root[0] == 'f' {
			inside = "fd42::1000/116"
		}
		add := w.do(network.AddCIDR{Name: "servers", Prefix: prefix(inside)})
		if add.Revision != 2 || w.Revision() != 2 || len(add.Put.CIDRs) != 1 || len(add.Parts) != 0 {
			t.Errorf("adding an empty CIDR gave %+v", add)
		}
		servers, ok := w.CIDRNamed("servers")
		if !ok || servers.Prefix != prefix(inside) || w.Parent(servers).Name != "net" {
			t.Fatalf("servers is %+v", servers)
		}
		rename := w.do(network.RenameCIDR{Name: "servers", NewName: "machines"})
		if _, still := w.CIDRNamed("servers"); still || len(rename.Put.CIDRs) != 1 || len(rename.Parts) != 0 {
			t.Errorf("renaming an empty CIDR gave %+v", rename)
		}
		remove := w.do(network.RemoveCIDR{Name: "machines"})
		if len(w.CIDRs()) != 2 || remove.Delete.CIDRs[0].Prefix != prefix(inside) || len(remove.Parts) != 0 {
			t.Errorf("removing an empty CIDR gave %+v", remove)
		}
	}
}

func TestBehaviour14To18CIDRRanges(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.cidr("ci-servers", "10.42.32.0/20")
	w.cidr("rack", "10.42.33.0/24")
	cases := []struct {
		name, prefix string
		kind         network.Kind
		words        []string
	}{
		{"x", "10.43.0.0/24", network.Invalid, []string{"outside", "net (10.42.0.0/16)"}},
		{"x", "10.0.0.0/8", network.Invalid, []string{"outside"}},
		{"x", "0.0.0.0/0", network.Invalid, []string{"outside"}},
		{"x", "fd42::/64", network.Invalid, []string{"outside"}},
		{"x", "10.42.0.0/18", network.Conflict, []string{"10.42.0.0/18 overlaps infra (10.42.0.1/32)"}},
		{"x", "10.42.32.0/19", network.Conflict, []string{"10.42.32.0/19 overlaps ci-servers (10.42.32.0/20)"}},
		{"x", "10.42.32.0/23", network.Conflict, []string{"overlaps rack (10.42.33.0/24)"}},
		{"ci-servers", "10.42.64.0/20", network.Conflict, []string{"ci-servers (10.42.32.0/20)"}},
		{"net", "10.42.64.0/20", network.Conflict, []string{"net (10.42.0.0/16)"}},
		{"infra", "10.42.64.0/20", network.Conflict, []string{"infra"}},
		{"x", "10.42.32.0/20", network.Conflict, []string{"10.42.32.0/20", "ci-servers"}},
		{"x", "10.42.0.0/16", network.Conflict, []string{"net"}},
		{"x", "10.42.0.1/32", network.Conflict, []string{"infra"}},
		{"x", "10.42.67.7/20", network.Invalid, []string{"did you mean 10.42.64.0/20"}},
		{"X", "10.42.64.0/20", network.Invalid, []string{`"X"`}},
		{"", "10.42.64.0/20", network.Invalid, []string{"name"}},
	}
	for _, c := range cases {
		w.refused(network.AddCIDR{Name: c.name, Prefix: prefix(c.prefix)}, c.kind, c.words...)
	}
	w.refused(network.AddCIDR{Name: "x"}, network.Invalid, "missing")
	w.cidr("single", "10.42.33.9/32")
	if c := w.CIDROf(addr("10.42.33.9")); c.Name != "single" || w.Parent(c).Name != "rack" || w.Parent(w.Parent(c)).Name != "ci-servers" {
		t.Errorf("10.42.33.9 belongs to %v", c)
	}
	if w.CIDROf(addr("10.43.0.0")) != nil || w.CIDROf(addr("fd42::1")) != nil || w.CIDROf(addr("10.42.255.255")).Name != "net" {
		t.Error("CIDROf is wrong at the edges")
	}
	if w.Parent(&network.CIDR{Name: "x", Prefix: prefix("10.42.64.0/20")}) != nil {
		t.Error("a CIDR that is not in the book has a parent")
	}
}

func (w *world) wantPreview(cmd network.Regrouping, most int, gained, lost network.Pairs) {
	w.Helper()
	gotGained, gotLost, err := w.Preview(cmd, most)
	if err != nil || !reflect.DeepEqual(gotGained, gained) || !reflect.DeepEqual(gotLost, lost) {
		w.Errorf("preview of at most %d: %+v gained, %+v lost, %v; want %+v and %+v", most, gotGained, gotLost, err, gained, lost)
	}
}

func TestBehaviour16CarveOutAroundPeers(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.join("a", "net", "10.42.1.1")
	w.join("b", "net", "10.42.1.2")
	w.join("c", "net", "10.42.2.1")
	w.join("d", "net", "10.42.2.2")
	w.invite("late", "net", "10.42.1.3")
	w.wantSight("a", "hub", "b", "c", "d")

	cmd := network.AddCIDR{Name: "rack", Prefix: prefix("10.42.1.0/24")}
	want := [][2]string{{"a", "c"}, {"a", "d"}, {"b", "c"}, {"b", "d"}}
	w.wantPreview(cmd, 100, network.Pairs{}, network.Pairs{Count: 4, Names: want})
	w.wantPreview(cmd, 3, network.Pairs{}, network.Pairs{Count: 4, Names: want[:3]})
	w.wantPreview(cmd, 0, network.Pairs{}, network.Pairs{Count: 4})
	before := w.Revision()
	w.wantHears(w.do(cmd), "hub", "a", "b", "late", "c", "d")
	if w.Revision() != before+1 || w.CIDROf(addr("10.42.1.1")).Name != "rack" {
		t.Error("the peers did not come to belong to the new CIDR")
	}
	w.wantSight("a", "hub", "b")
	w.wantSight("c", "hub", "d")
	w.wantSight("hub", "a", "b", "late", "c", "d")
}

func TestCarveOutIsolated(t *testing.T) {
	w := newWorld(t, "fd42::/64")
	w.do(network.AddCIDR{Name: "guests", Prefix: prefix("fd42::100/120"), Isolated: true})
	w.join("a", "guests", "")
	w.join("b", "guests", "")
	w.join("c", "guests", "fd42::110")
	w.join("d", "guests", "fd42::111")
	w.wantSight("a", "hub")
	cmd := network.AddCIDR{Name: "family", Prefix: prefix("fd42::110/124")}
	w.wantPreview(cmd, 100, network.Pairs{Count: 1, Names: [][2]string{{"c", "d"}}}, network.Pairs{})
	w.wantHears(w.do(cmd), "hub", "c", "d")
	w.wantSight("c", "hub", "d")

	w.do(network.Associate{A: "family", B: "family"})
	cmd = network.AddCIDR{Name: "single", Prefix: prefix("fd42::111/128"), Isolated: true}
	w.wantPreview(cmd, 100, network.Pairs{}, network.Pairs{}) // they are below an association
	_, _, err := w.Preview(network.AddCIDR{Name: "family", Prefix: prefix("fd42::112/128")}, 100)
	wantRefusal(t, err, network.Conflict, "family (fd42::110/124)")
}

func TestBehaviour19RemoveCIDRInUse(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.cidr("dev", "10.42.1.0/24")
	w.cidr("lab", "10.42.1.128/25")
	w.cidr("ops", "10.42.2.0/24")
	for _, name := range []string{"p1", "p2", "p3", "p4"} {
		w.join(name, "dev", "")
	}
	w.invite("guest", "lab", "")
	w.do(network.Associate{A: "ops", B: "dev"}, network.Associate{A: "dev", B: "dev"})
	w.refused(network.RemoveCIDR{Name: "dev"}, network.Conflict, "dev (10.42.1.0/24)", "1 CIDR (lab)", "4 peers (p1, p2, p3, and 1 more)", "2 associations (with dev, with ops)")
	w.refused(network.RemoveCIDR{Name: "lab"}, network.Conflict, "1 peer (guest)")
	w.refused(network.RemoveCIDR{Name: "ops"}, network.Conflict, "1 association (with dev)")
	w.do(network.RemovePeer{Name: "guest"}, network.RemoveCIDR{Name: "lab"})
	w.refused(network.RemoveCIDR{Name: "dev"}, network.Conflict, "4 peers")
	for _, name := range []string{"p1", "p2", "p3", "p4"} {
		w.do(network.RemovePeer{Name: name})
	}
	w.refused(network.RemoveCIDR{Name: "dev"}, network.Conflict, "2 associations")
	w.do(network.Dissociate{A: "dev", B: "ops"}, network.Dissociate{A: "dev", B: "dev"}, network.RemoveCIDR{Name: "dev"})
}

func TestBehaviour20And22And26CIDRNames(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.cidr("dev", "10.42.1.0/24")
	w.cidr("ops", "10.42.2.0/24")
	w.join("a", "dev", "")
	w.join("b", "net", "")
	w.invite("guest", "dev", "")
	w.refused(network.RenameCIDR{Name: "dev", NewName: "De v"}, network.Invalid, `"De v"`)
	w.refused(network.RenameCIDR{Name: "dev", NewName: "infra"}, network.Conflict, "infra")
	w.refused(network.RenameCIDR{Name: "none", NewName: "x"}, network.NotFound, `"none"`)
	w.refused(network.RenameCIDR{Name: "net", NewName: "x"}, network.Conflict, "root")
	w.refused(network.RenameCIDR{Name: "infra", NewName: "x"}, network.Conflict, "coordinator")
	w.refused(network.RemoveCIDR{Name: "net"}, network.Conflict, "root")
	w.refused(network.RemoveCIDR{Name: "infra"}, network.Conflict, "coordinator")
	w.refused(network.RemoveCIDR{Name: "none"}, network.NotFound, `"none"`)
	if c := w.do(network.RenameCIDR{Name: "dev", NewName: "dev"}); c.Revision != 0 || len(c.Parts) != 0 {
		t.Errorf("renaming to the same name gave %+v", c)
	}
	w.wantHears(w.do(network.RenameCIDR{Name: "dev", NewName: "work"}), "hub", "a", "guest")
	w.cidr("lab", "10.42.1.0/30") // with all peers of work so far
	w.join("c", "work", "10.42.1.200")
	w.join("o", "ops", "")
	w.do(network.Associate{A: "work", B: "ops"}, network.AddCIDR{Name: "door", Prefix: prefix("10.42.1.0/32")})
	w.wantHears(w.do(network.RenameCIDR{Name: "work", NewName: "play"}), "hub", "c", "o")
	if c, _ := w.CIDRNamed("play"); c.Prefix != prefix("10.42.1.0/24") {
		t.Errorf("renaming moved the range to %v", c.Prefix)
	}
}
