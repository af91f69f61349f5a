package main

import (
	"context"
	"fmt"
	"time"

	"ginnel/daemon/local"
)

var statusCommands = []command{{
	name: "status", args: "[NETWORK]", brief: "Show this machine's networks and how each peer is reached",
	about: `A * marks who is there: this machine, and peers that it has a session with. REACHED tells how:

  direct             by an endpoint of the underlay
  direct, same LAN   by an endpoint in a subnet that this machine is attached to
  by override        by the endpoint that this machine was told to use
  connecting         the endpoints known of it are being tried
  idle               keepalives are off: the next packet makes a session
  no path            none of its endpoints answers, or none is known
  not yet            it is invited and has not joined

The fields of --json are stable; docs/status.md describes them.`,
	setup: setupStatus,
}}

// view is what of the status is shown, and how.
type view struct {
	network     string // empty: all of them
	short, tree bool
}

func setupStatus(o *options) action {
	short := o.Bool("short", "s", "only names, addresses, and how they are reached")
	tree := o.Bool("tree", "t", "likewise, by CIDR")
	watch := o.Optional("watch", "w", "2", "show it anew every `SECONDS` until interrupted")
	asJSON := jsonOption(o)
	return func(ctx context.Context, e *env, args []string) error {
		v := view{network: first(args), short: *short, tree: *tree}
		switch {
		case v.short && v.tree:
			return usagef("--short and --tree are two ways to show it: leave one of them out")
		case *watch != "" && *asJSON:
			return usagef("--json prints once: leave --watch out")
		case *watch != "":
			return e.watchStatus(ctx, &v, *watch)
		}
		st, err := e.statusOf(ctx, v.network)
		if err != nil {
			return err
		}
		if *asJSON {
			return e.printJSON(st)
		}
		return e.put(e.statusPage(ctx, &v, st))
	}
}

// statusOf asks the daemon for the status of a network, or of all.
func (e *env) statusOf(ctx context.Context, network string) (*local.Status, error) {
	st, err := e.client().Status(ctx)
	if err != nil || network == "" {
		return st, err
	}
	st.Networks, err = only(st.Networks, network)
	return st, err
}

func only(list []local.Network, name string) ([]local.Network, error) {
	for _, n := range list {
		if n.Name == name {
			return []local.Network{n}, nil
		}
	}
	return nil, fmt.Errorf("there is no network %s on this machine: `ginnel network list` lists them", name)
}

// statusPage writes the status for people.
func (e *env) statusPage(ctx context.Context, v *view, st *local.Status) *page {
	p := e.newPage()
	for _, text := range st.Problems {
		p.paragraph(bad, 0, "problem: %s", text)
	}
	if len(st.Networks)+len(st.Problems) == 0 {
		p.paragraph(ordinary, 0, inNoNetwork)
	}
	now := time.Now()
	for i := range st.Networks {
		if i > 0 {
			p.line(ordinary, "")
		}
		n := &st.Networks[i]
		p.head(n)
		if n.State == local.Up {
			e.addMembers(ctx, p, v, n, now)
		}
	}
	return p
}

// addMembers tells of a network's members, this machine among them.
func (e *env) addMembers(ctx context.Context, p *page, v *view, n *local.Network, now time.Time) {
	var t *table
	switch {
	case v.short:
		t = shortTable(n)
	case v.tree:
		t = e.treeTable(ctx, p, n)
	default:
		p.facts(now, n)
		t = peerTable(now, n)
	}
	if len(t.rows) > 0 {
		p.add(t)
	}
	if len(n.Peers) == 0 {
		p.line(ordinary, "  no peers are visible")
	}
}

// stateLook is how the state of a network looks.
func stateLook(s local.State) look {
	switch s {
	case local.Up:
		return good
	case local.Joining:
		return underway
	case local.Failed:
		return bad
	}
	return ordinary
}

// head tells of a network what must not be missed.
func (p *page) head(n *local.Network) {
	p.WriteString(p.painted(strong, "network "+clean(n.Name)) + ": " + p.painted(stateLook(n.State), clean(string(n.State))) + "\n")
	if n.Error != "" {
		why := "error: %s"
		if n.State == local.Joining {
			why = "not yet: %s"
		}
		p.paragraph(bad, 2, why, n.Error)
	}
	if n.State == local.Down {
		p.line(ordinary, "  `ginnel up %s` switches it on", n.Name)
	}
	for _, text := range n.Problems {
		p.paragraph(bad, 2, "problem: %s", text)
	}
}

// facts tells of this machine's part in a network.
func (p *page) facts(now time.Time, n *local.Network) {
	p.paragraph(ordinary, 2, "you: %s, %s in %s, %s", orDash(n.Self.Name), addressOrDash(n.Self.Address), n.Root, n.Role)
	carrier := orDash(n.Backend)
	if n.Interface != "" {
		carrier += ", interface " + n.Interface
	}
	p.paragraph(ordinary, 2, "wireguard: %s, UDP port %d", carrier, n.ListenPort)
	p.paragraph(ordinary, 2, "key: %s", n.PublicKey)
	p.paragraph(ordinary, 2, "map: revision %d, last contact with the coordinator: %s", n.Revision, ago(now, n.LastContact))
}
