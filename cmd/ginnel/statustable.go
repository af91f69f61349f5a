package main

import (
	"context"
	"sort"
	"strings"
	"time"

	"ginnel/daemon/local"
	"ginnel/wire"
)

// onlineMark stands before who is there.
const onlineMark = "*"

// seat is a member of a network as this machine's status shows it: a peer, or
// this machine itself.
type seat struct {
	*local.Peer
	you bool
}

// seats returns the members a network shows, sorted by address.
func seats(n *local.Network) []seat {
	list := make([]seat, 0, len(n.Peers)+1)
	for i := range n.Peers {
		list = append(list, seat{Peer: &n.Peers[i]})
	}
	if n.Self.Address.IsValid() {
		list = append(list, seat{&local.Peer{Member: n.Self}, true})
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Address.Less(list[j].Address) })
	return list
}

func (s seat) mark() string { return mark(s.you || s.Connected, onlineMark) }

func (s seat) name() string {
	if s.you {
		return s.Name + " (you)"
	}
	return s.Name
}

// reached says how a peer is reached.
func (s seat) reached() string {
	switch {
	case s.you:
		return ""
	case s.Connected && s.Overridden && s.Why == "":
		return "by override"
	}
	return reachWord(s.Reach)
}

// reachWord is what people read.
func reachWord(r local.Reach) string {
	switch r {
	case local.ReachDirect:
		return "direct"
	case local.ReachLAN:
		return "direct, same LAN"
	case local.ReachConnecting:
		return "connecting"
	case local.ReachIdle:
		return "idle"
	case local.ReachNone:
		return "no path"
	case local.ReachWaiting:
		return "not yet"
	}
	return ""
}

// reachLook is how it looks.
func reachLook(_ int, cell string) look {
	switch cell {
	case onlineMark, "direct", "direct, same LAN", "by override":
		return good
	case "connecting":
		return underway
	case "no path":
		return bad
	}
	return ordinary
}

// remarks are what else is to be said of a member.
func (s seat) remarks() string {
	var list []string
	if s.Role == wire.RoleCoordinator {
		list = append(list, "coordinator")
	}
	if s.Overridden && !s.Connected {
		list = append(list, "its endpoint is overridden")
	}
	if s.Reach == local.ReachWaiting {
		list = append(list, "invited, has not joined")
	}
	if s.Why != "" {
		list = append(list, s.Why)
	}
	return strings.Join(list, "; ")
}

// peerTable shows everything.
func peerTable(now time.Time, n *local.Network) *table {
	t := &table{
		heading: []string{"", "PEER", "ADDRESS", "REACHED", "CIDR", "ENDPOINT", "HANDSHAKE", "RX", "TX", ""},
		indent:  2, lead: 5, look: reachLook,
	}
	for _, s := range seats(n) {
		row := []string{s.mark(), s.name(), s.Address.String(), s.reached(), s.CIDR, "-", "-", "-", "-", s.remarks()}
		if s.Endpoint.IsValid() {
			row[5] = s.Endpoint.String()
		}
		if s.Endpoint.IsValid() || !s.LastHandshake.IsZero() {
			row[6], row[7], row[8] = ago(now, s.LastHandshake), size(s.Rx), size(s.Tx)
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// shortTable shows who is there.
func shortTable(n *local.Network) *table {
	t := &table{indent: 2, look: reachLook}
	for _, s := range seats(n) {
		t.rows = append(t.rows, []string{s.mark(), s.name(), s.Address.String(), s.reached()})
	}
	return t
}

// treeTime is how long the coordinator is waited for: without it there is less
// to show, and no less to see.
const treeTime = 5 * time.Second

// treeTable shows who is there by CIDR. The coordinator tells admins how the
// CIDRs nest; others, and those whom it does not answer, see the CIDRs that
// they know, side by side.
func (e *env) treeTable(ctx context.Context, p *page, n *local.Network) *table {
	cidrs := knownCIDRs(n)
	if n.Self.Admin || n.Self.Role == wire.RoleCoordinator {
		ctx, cancel := context.WithTimeout(ctx, treeTime)
		defer cancel()
		if all, err := e.cidrs(ctx, n.Name); err != nil {
			p.paragraph(underway, 2, "the coordinator does not tell how the CIDRs nest: %v", err)
		} else {
			cidrs = all
		}
	}
	t := &table{indent: 2, look: reachLook}
	list := seats(n)
	walkCIDRs(cidrs, func(c *wire.CIDR, depth int) {
		indent, prefix := strings.Repeat("  ", depth), ""
		if c.Prefix.IsValid() {
			prefix = c.Prefix.String()
		}
		t.rows = append(t.rows, []string{"", indent + c.Name, prefix, mark(c.Isolated, "isolated")})
		for _, s := range list {
			if s.CIDR == c.Name {
				t.rows = append(t.rows, []string{s.mark(), indent + "  " + s.name(), s.Address.String(), s.reached()})
			}
		}
	})
	return t
}

// knownCIDRs returns the CIDRs of the members, of which only names are known,
// in the order of their addresses.
func knownCIDRs(n *local.Network) (list []wire.CIDR) {
	known := map[string]bool{}
	for _, s := range seats(n) {
		if !known[s.CIDR] {
			known[s.CIDR] = true
			list = append(list, wire.CIDR{Name: s.CIDR})
		}
	}
	return list
}

// walkCIDRs visits CIDRs, each before those within it; the depth of the
// outermost is 0.
func walkCIDRs(cidrs []wire.CIDR, visit func(c *wire.CIDR, depth int)) {
	walkBelow(cidrs, "", 0, visit)
}

func walkBelow(cidrs []wire.CIDR, parent string, depth int, visit func(c *wire.CIDR, depth int)) {
	for i := range cidrs {
		if c := &cidrs[i]; c.Parent == parent && c.Name != parent {
			visit(c, depth)
			walkBelow(cidrs, c.Name, depth+1, visit)
		}
	}
}
