package main

import (
	"net/netip"
	"strings"
	"testing"

	"ginnel/wire"
	"ginnel/wire/http1"
)

// TestCIDRsThatAreNoTree: what a coordinator that lies sends is neither walked
// without end nor searched for a root that it lacks.
func TestCIDRsThatAreNoTree(t *testing.T) {
	cidr := func(name, prefix, parent string) wire.CIDR {
		return wire.CIDR{Name: name, Prefix: netip.MustParsePrefix(prefix), Parent: parent}
	}
	home, attic, shelf := cidr("home", "10.42.0.0/16", ""), cidr("attic", "10.42.1.0/24", "home"), cidr("shelf", "10.42.1.0/28", "attic")
	for why, list := range map[string][]wire.CIDR{
		"":                        {shelf, attic, home},
		"0 of them have":          {},
		"2 of them have":          {home, cidr("away", "10.43.0.0/16", "")},
		`"attic" is the name`:     {home, attic, attic},
		`"" is the name`:          {home, cidr("", "10.42.1.0/24", "home")},
		"not lie in shelf":        {home, cidr("attic", "10.42.1.0/24", "shelf"), shelf},
		"attic does not":          {home, cidr("attic", "10.42.1.0/24", "attic")},
		"not lie in nowhere":      {home, cidr("attic", "10.42.1.0/24", "nowhere")},
		"far does not lie":        {home, cidr("far", "10.43.1.0/24", "home")},
		"twin does not lie":       {home, cidr("twin", "10.42.0.0/16", "home")},
		"unset has the range":     {home, {Name: "unset", Parent: "home"}},
		"crooked has the range 1": {home, cidr("crooked", "10.42.1.7/24", "home")},
	} {
		err := checkTree(list)
		if why == "" && err != nil || why != "" && (err == nil || !strings.Contains(err.Error(), why)) {
			t.Errorf("%v: got %v, want %q", list, err, why)
		}
	}
}

// TestLyingCoordinator: commands survive CIDRs that lie in each other.
func TestLyingCoordinator(t *testing.T) {
	m := newAdmin(t)
	m.lie = func(r *http1.Request) any {
		if r.Path != wire.PathCIDRs {
			return nil
		}
		a, b := netip.MustParsePrefix("10.42.1.0/24"), netip.MustParsePrefix("10.42.2.0/24")
		return []wire.CIDR{{Name: "a", Prefix: a, Parent: "b"}, {Name: "b", Prefix: b, Parent: "a"}}
	}
	m.refuses(exitFailed, []string{"CIDRs that cannot be right"}, "cidr", "list", "--tree")
	if r := m.runWith("lab\n", true, "cidr", "add"); r.status != exitFailed || !strings.Contains(r.err, "CIDRs that cannot be right") {
		t.Errorf("cidr add: %+v", r)
	}
	m.status.Networks[0].Self.Admin = true
	if r := m.run("status", "--tree"); !strings.Contains(r.out, "0 of them have no parent") {
		t.Errorf("status --tree: %+v", r)
	}
}
