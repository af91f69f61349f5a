package main

import (
	"context"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"ginnel/wire"
)

var cidrCommands = []command{
	{
		name: "cidr add", args: "NAME PREFIX",
		brief: "Make a CIDR, a named range of addresses whose peers see each other",
		about: `It lies inside the smallest CIDR that contains it, around peers that may be there
already: they belong to it from then on. Who loses sight of whom by that is shown first.`,
		setup: setupCIDRAdd,
	},
	{
		name: "cidr list", brief: "List the CIDRs",
		setup: func(o *options) action {
			network, asJSON := networkOption(o), jsonOption(o)
			tree := o.Bool("tree", "", "show what lies in what, with the peers")
			return func(ctx context.Context, e *env, _ []string) error {
				return listCIDRs(ctx, e, *network, *tree, *asJSON)
			}
		},
	},
	{
		name: "cidr rename", args: "CIDR NEW-NAME", brief: "Give a CIDR another name",
		setup: func(o *options) action {
			network := networkOption(o)
			o.ask("CIDR", question{text: "Which CIDR", list: cidrsWho(noOrdinaryCIDR, isOrdinary)})
			o.ask("NEW-NAME", newCIDRName("Its new name"))
			return func(ctx context.Context, e *env, args []string) error {
				if err := e.coordinator(ctx, *network, "PATCH", item(wire.PathCIDRs, args[0]), wire.Rename{Name: args[1]}, nil); err != nil {
					return err
				}
				return e.say("renamed CIDR %s to %s", args[0], args[1])
			}
		},
	},
	{
		name: "cidr remove", args: "CIDR", brief: "Remove a CIDR that has no peers, CIDRs or associations",
		about: "Its addresses belong to the CIDR around it from then on.",
		setup: func(o *options) action {
			network, yes := networkOption(o), yesOption(o)
			o.ask("CIDR", question{text: "Which CIDR", list: cidrsWho(noOrdinaryCIDR, isOrdinary)})
			return func(ctx context.Context, e *env, args []string) error {
				return removeCIDR(ctx, e, *network, args[0], *yes)
			}
		},
	},
}

const noOrdinaryCIDR = "there is no CIDR but the root and infra, which stay as they are: `ginnel cidr add` makes one"

// removeCIDR removes a CIDR, after it has shown which.
func removeCIDR(ctx context.Context, e *env, network, name string, yes bool) error {
	cidrs, err := e.cidrs(ctx, network)
	if err != nil {
		return err
	}
	if c := removable(cidrs, name); c != nil {
		e.note("%s (%s) has no peers; its addresses will belong to %s again", c.Name, c.Prefix, c.Parent)
		if err := e.reconsider(yes, "Remove CIDR "+c.Name+"?"); err != nil {
			return err
		}
	} // else the coordinator says why not
	if err := e.coordinator(ctx, network, "DELETE", item(wire.PathCIDRs, name), nil, nil); err != nil {
		return err
	}
	return e.say("removed CIDR %s", name)
}

// removable returns the CIDR of a name; nil where it is plain from the list that
// it cannot be removed.
func removable(cidrs []wire.CIDR, name string) (c *wire.CIDR) {
	for i := range cidrs {
		switch {
		case cidrs[i].Parent == name:
			return nil
		case cidrs[i].Name == name && isOrdinary(&cidrs[i]) && cidrs[i].Peers == 0:
			c = &cidrs[i]
		}
	}
	return c
}

// item returns the path of a named thing in a collection.
func item(collection string, names ...string) string {
	for _, n := range names {
		collection += "/" + url.PathEscape(n)
	}
	return collection
}

func setupCIDRAdd(o *options) action {
	network, asJSON, yes := networkOption(o), jsonOption(o), yesOption(o)
	isolated := o.Bool("isolated", "", "its peers do not see each other")
	o.ask("NAME", newCIDRName("The new CIDR's name"))
	o.ask("PREFIX", question{text: "Its range", preset: freePrefix, check: checkNewCIDR})
	o.ask("isolated", yesNo("Isolated: its peers do not see each other (y/n)", isolated))
	return func(ctx context.Context, e *env, args []string) error {
		prefix, err := parsePrefix(args[1], "10.42.1.0/24")
		if err != nil {
			return err
		}
		cidr := wire.CIDR{Name: args[0], Prefix: prefix, Isolated: *isolated}
		var preview, change wire.CIDRChange
		if err := e.coordinator(ctx, *network, "POST", wire.PathCIDRs+"?preview=1", cidr, &preview); err != nil {
			return err
		}
		if preview.CIDR.Peers > 0 {
			if err := e.showMoved(ctx, *network, &preview.CIDR); err != nil {
				return err
			}
			e.explain(&preview.SightChange)
			if err := e.confirm(*yes || preview.LostCount == 0 && !e.terminal, "Make CIDR "+cidr.Name+" around them?"); err != nil {
				return err
			}
		}
		if err := e.coordinator(ctx, *network, "POST", wire.PathCIDRs, cidr, &change); err != nil {
			return err
		}
		if *asJSON {
			preview.CIDR = change.CIDR
			return e.printJSON(preview)
		}
		return e.say("made CIDR %s (%s) in %s", change.CIDR.Name, change.CIDR.Prefix, change.CIDR.Parent)
	}
}

// showMoved says which peers belong to a CIDR that is carved out around them.
func (e *env) showMoved(ctx context.Context, network string, c *wire.CIDR) error {
	peers, err := e.peers(ctx, network)
	if err != nil {
		return err
	}
	list, named := "", 0
	for i := range peers {
		if p := &peers[i]; c.Prefix.Contains(p.Address) && named < mostPairs {
			list += " " + p.Name
			named++
		}
	}
	if named < c.Peers {
		list += " ..."
	}
	e.note("%s has %s from now on, and can be removed only when it has none:%s", c.Name, plural(c.Peers, "peer"), list)
	return nil
}

// parsePrefix reads a range of addresses, such as example.
func parsePrefix(text, example string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, usagef("%q is no range of addresses: want one such as %s", text, example)
	}
	return p, nil
}

// checkNewCIDR has the coordinator say whether a range is as it must be.
func checkNewCIDR(a *asking, text string) error {
	prefix, err := parsePrefix(text, "10.42.1.0/24")
	if err != nil {
		return err
	}
	return a.call("POST", wire.PathCIDRs+"?preview=1", wire.CIDR{Name: a.o.args[0], Prefix: prefix}, &wire.CIDRChange{})
}

// mostPairs is how many pairs of peers a person is shown of one kind: a CIDR
// amid many peers may part or join thousands.
const mostPairs = 20

// explain says who will gain and who will lose sight of whom.
func (e *env) explain(c *wire.SightChange) {
	e.explainPairs(c.Gained, c.GainedCount, "will see each other")
	e.explainPairs(c.Lost, c.LostCount, "will not see each other any more")
}

// explainPairs says what will become of count pairs of peers, of which the
// first are given.
func (e *env) explainPairs(pairs []wire.NamePair, count int, what string) {
	for _, p := range pairs[:min(len(pairs), mostPairs)] {
		e.note("%s and %s %s", p[0], p[1], what)
	}
	if more := count - min(len(pairs), mostPairs); more > 0 {
		e.note("and %s more %s", plural(more, "pair"), what)
	}
}

func listCIDRs(ctx context.Context, e *env, network string, tree, asJSON bool) error {
	cidrs, err := e.cidrs(ctx, network)
	if err != nil {
		return err
	}
	if asJSON {
		return e.printJSON(cidrs)
	}
	if tree {
		var peers []wire.Peer
		if err := e.coordinator(ctx, network, "GET", wire.PathPeers, nil, &peers); err != nil {
			return err
		}
		p := e.newPage()
		p.add(&table{rows: cidrTree(cidrs, peers)})
		return e.put(p)
	}
	rows := [][]string{{"NAME", "PREFIX", "IN", "PEERS", ""}}
	for _, c := range cidrs {
		rows = append(rows, []string{c.Name, c.Prefix.String(), orDash(c.Parent), strconv.Itoa(c.Peers), mark(c.Isolated, "isolated")})
	}
	return e.printTable(rows)
}

// cidrTree returns the rows of the CIDRs, each followed by its own peers and
// CIDRs.
func cidrTree(cidrs []wire.CIDR, peers []wire.Peer) (rows [][]string) {
	walkCIDRs(cidrs, func(c *wire.CIDR, depth int) {
		indent := strings.Repeat("  ", depth)
		rows = append(rows, []string{indent + c.Name, c.Prefix.String(), mark(c.Isolated, "isolated")})
		for _, p := range peers {
			if p.CIDR == c.Name {
				rows = append(rows, []string{indent + "  - " + p.Name, p.Address.String(), mark(p.State != wire.PeerActive, string(p.State))})
			}
		}
	})
	return rows
}
