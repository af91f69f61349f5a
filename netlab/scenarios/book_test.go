package scenarios_test

import (
	"net/netip"
	"strings"
	"testing"

	"ginnel/wire"
)

// alone is a coordinator without peers, for what it answers to commands.
func (l *lab) alone() *machine {
	l.t.Helper()
	return l.coordinator(l.Host("vps", l.Internet()), l.home.root())
}

// TestBehaviour05NamesOfNetworks: what cannot be an interface's name makes no
// network, and nothing else.
func TestBehaviour05NamesOfNetworks(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		vps := l.machine(l.Host("vps", l.Internet()))
		for name, why := range map[string]string{
			"Home": "lower-case", "my_net": "lower-case", "a--b": "single dashes", "-home": "dashes", "home-": "dashes",
			"sixteen-letters-": "16 characters", "infra": "coordinator's own CIDR", "": "missing", "lo": "the system",
		} {
			vps.refused(why, "network", "create", "--endpoint", endpointAt(vps.Addr()), "--", name, l.home.root())
			vps.clean()
		}
		vps.ginnel("network", "create", "fifteen-letters", l.home.root(), "--endpoint", endpointAt(vps.Addr()))
	})
}

// TestBehaviour13To15And17To22CIDRs: CIDRs are added, listed, renamed and
// removed. What cannot be is refused with the reason, and changes nothing.
func TestBehaviour13To15And17To22CIDRs(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		c := l.alone()
		c.ginnel("cidr", "add", "staff", l.home.cidr(1))
		c.ginnel("cidr", "add", "guests", l.home.cidr(2))
		c.ginnel("cidr", "add", "night", l.home.pair(1, 128))
		if tree := c.ginnel("cidr", "list", "--tree"); !inOrder(tree, "home", "infra", "staff", "night", "guests") {
			t.Errorf("the tree is\n%s", tree)
		}
		before := c.cidrs()
		host := netip.PrefixFrom(l.home.address(3, 7), pick(l.family, 24, 64)).String()
		for _, tc := range []struct{ why, verb, name, other string }{
			{"lies outside", "add", "far", l.job.cidr(1)},
			{"overlaps guests", "add", "wide", pick(l.family, "10.42.2.0/23", "fd42:0:0:2::/63")},
			{"lies outside", "add", "wider", pick(l.family, "10.42.0.0/15", "fd42::/47")},
			{"is the range of staff already", "add", "crew", l.home.cidr(1)},
			{"choose another name", "add", "staff", l.home.cidr(3)},
			{"did you mean " + l.home.cidr(3), "add", "odd", host},
			{"is the range of home", "add", "second-root", l.home.root()},
			{"lower-case", "add", "Staff", l.home.cidr(3)},
			{"lower-case", "rename", "staff", "My Staff"},
			{"choose another name", "rename", "staff", "guests"},
			{"cannot be renamed", "rename", "home", "house"},
			{"cannot be renamed", "rename", "infra", "hub"},
			{"no CIDR is called", "rename", "nobody", "somebody"},
			{"still has", "remove", "staff", "--yes"},
			{"cannot be removed", "remove", "infra", "--yes"},
			{"cannot be removed", "remove", "home", "--yes"},
			{"no CIDR is called", "remove", "nobody", "--yes"},
		} {
			c.refused(tc.why, "cidr", tc.verb, tc.name, tc.other)
		}
		if after := c.cidrs(); after != before {
			t.Errorf("refused commands made of\n%s\n%s", before, after)
		}

		c.ginnel("cidr", "rename", "staff", "crew")
		c.ginnel("cidr", "remove", "night", "--yes")
		c.invite("anna", "crew")
		c.refused("still has", "cidr", "remove", "crew", "--yes")
		c.ginnel("peer", "remove", "anna", "--yes")
		c.ginnel("association", "add", "crew", "guests")
		c.refused("still has", "cidr", "remove", "crew", "--yes")
		c.ginnel("association", "remove", "guests", "crew", "--yes")
		c.ginnel("cidr", "remove", "crew", "--yes")
		if list := c.cidrs(); strings.Contains(list, "crew") || !strings.Contains(list, "guests") {
			t.Errorf("there are\n%s", list)
		}
	})
}

// inOrder tells whether a text has the words, in that order.
func inOrder(text string, words ...string) bool {
	for _, word := range words {
		_, after, ok := strings.Cut(text, word)
		if !ok {
			return false
		}
		text = after
	}
	return true
}

// cidrs are m's network's, as JSON.
func (m *machine) cidrs() string {
	m.lab.t.Helper()
	return m.ginnel("cidr", "list", "--json")
}

// TestBehaviour31To34Addresses: peers get the lowest free addresses, or those
// that they are given. What cannot be is refused, and invites nobody.
func TestBehaviour31To34Addresses(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		c := l.alone()
		c.ginnel("cidr", "add", "staff", l.home.cidr(1))
		c.ginnel("cidr", "add", "desk", pick(l.family, "10.42.2.0/30", "fd42:0:0:2::/126"))
		c.ginnel("cidr", "add", "link", l.home.pair(3, 0))
		c.ginnel("cidr", "add", "one", l.home.address(4, 0).String()+pick(l.family, "/32", "/128"))
		c.addressed("anna", l.home.address(1, 1), "--cidr", "staff")
		c.addressed("carl", l.home.address(1, 3), "--address", l.home.address(1, 3).String())
		c.addressed("bob", l.home.address(1, 2), "--cidr", "staff")
		c.addressed("dora", l.home.address(1, 4), "--cidr", "staff")
		for i, name := range []string{"left", "right"} {
			c.addressed(name, l.home.address(3, i), "--cidr", "link")
			c.addressed(name+"2", l.home.address(2, i+1), "--cidr", "desk")
		}
		c.addressed("only", l.home.address(4, 0), "--cidr", "one")
		if l.family == ipv6 { // which has no broadcast address
			c.addressed("last", l.home.address(2, 3), "--cidr", "desk")
		}
		var before []wire.Peer
		if err := c.json(&before, "peer", "list", "--json"); err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("a", 64)
		for _, tc := range []struct{ why, name, flag, value string }{
			{"is full", "eve", "--cidr", "desk"},
			{"is full", "eve", "--cidr", "link"},
			{"is full", "eve", "--cidr", "one"},
			{"is anna's", "eve", "--address", l.home.address(1, 1).String()},
			{"network's own", "eve", "--address", l.home.address(1, 0).String()},
			{"lies outside", "eve", "--address", l.job.address(1, 1).String()},
			{"coordinator's own CIDR", "eve", "--cidr", "infra"},
			{"no CIDR is called", "eve", "--cidr", "nowhere"},
			{"choose another name", "anna", "--cidr", "staff"},
			{"lower-case", "Eve", "--cidr", "staff"},
			{"lower-case", "e..e", "--cidr", "staff"},
			{"at most 63", long, "--cidr", "staff"},
		} {
			c.refused(tc.why, "peer", "invite", tc.name, tc.flag, tc.value)
		}
		if l.family == ipv4 {
			c.refused("broadcast", "peer", "invite", "eve", "--address", l.home.address(1, 255).String())
		}
		c.refused("lower-case", "peer", "rename", "anna", "Anna")
		c.refused("choose another name", "peer", "rename", "anna", "bob")
		c.addressed(long[1:], l.home.address(1, 5), "--cidr", "staff")
		var after []wire.Peer
		if err := c.json(&after, "peer", "list", "--json"); err != nil || len(after) != len(before)+1 {
			t.Errorf("there are %d peers (%v), want %d and one more", len(after), err, len(before))
		}
	})
}

// addressed invites a peer that must get the address.
func (m *machine) addressed(name string, want netip.Addr, how ...string) {
	m.lab.t.Helper()
	m.ginnel(append([]string{"peer", "invite", name}, how...)...)
	if p, err := m.book(name); err != nil || p.Address != want {
		m.lab.t.Fatalf("%s has %v (%v), want %v", name, p.Address, err, want)
	}
}
