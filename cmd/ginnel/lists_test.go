package main

import (
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"ginnel/network"
	"ginnel/wire"
)

// newAdmin6 is newAdmin with a network of the longest addresses there are.
func newAdmin6(t *testing.T) *machine {
	t.Helper()
	m := newAdmin(t)
	root := netip.MustParsePrefix("fd42:1234:5678:9abc::/64")
	book, change, err := network.New("home", root, "hub", m.net.Keys["hub"].Public(), "[2001:db8::1]:51820")
	must(t, err)
	m.net.Start(book, []network.Change{change})
	m.net.MustDo(
		network.AddCIDR{Name: "servers-in-the-attic", Prefix: netip.MustParsePrefix("fd42:1234:5678:9abc:1111:2222:3333:4000/116")},
		network.AddCIDR{Name: "phones", Prefix: netip.MustParsePrefix("fd42:1234:5678:9abc:5555:6666:7777:8000/116"), Isolated: true},
		network.Associate{A: "servers-in-the-attic", B: "phones"},
	)
	m.net.Join("ann", "servers-in-the-attic")
	m.net.Join("printer-of-the-office", "phones")
	m.net.Invite("eve", "phones")
	m.net.MustDo(network.SetAdmin{Name: "ann", Admin: true}, network.SetDisabled{Name: "printer-of-the-office", Disabled: true})
	n := &m.status.Networks[0]
	n.Root, n.Self = root, wire.Member{Name: "hub", Address: m.net.Address("hub"), CIDR: "infra", Role: wire.RoleCoordinator, Admin: true}
	return m
}

// TestBehaviour65ListsOfIPv6 keeps what the lists look like with the longest
// addresses: in 80 columns, with names and addresses one below the other.
func TestBehaviour65ListsOfIPv6(t *testing.T) {
	m := newAdmin6(t)
	var all strings.Builder
	for _, line := range []string{"peer list", "cidr list", "cidr list --tree", "association list", "network list", "status --tree"} {
		r := m.run(strings.Fields(line)...)
		all.WriteString("$ ginnel " + line + "\n" + r.out + "\n")
		if w := widest(r.out); r.status != exitOK || r.err != "" || utf8.RuneCountInString(w) > plainColumns {
			t.Errorf("%s: status %d, %q; the widest line is %q", line, r.status, r.err, w)
		}
	}
	golden(t, "lists6.golden", all.String())
}
