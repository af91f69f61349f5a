package main

import (
	"context"
	"fmt"
	"time"

	"ginnel/daemon/local"
	"ginnel/wire"
)

var statusCommands = []command{{
	name: "status", args: "[NETWORK]", brief: "Show this machine's networks and how each peer is reached",
	setup: func(o *options) action {
		asJSON := jsonOption(o)
		return func(ctx context.Context, e *env, args []string) error { return status(ctx, e, first(args), *asJSON) }
	},
}}

func status(ctx context.Context, e *env, name string, asJSON bool) error {
	st, err := e.client().Status(ctx)
	if err != nil {
		return err
	}
	if name != "" {
		if st.Networks, err = only(st.Networks, name); err != nil {
			return err
		}
	}
	if asJSON {
		return e.printJSON(st)
	}
	for _, p := range st.Problems {
		fmt.Fprintf(e.out, "problem: %s\n", p)
	}
	if len(st.Networks) == 0 {
		return e.say(inNoNetwork)
	}
	now := time.Now()
	for i := range st.Networks {
		if i > 0 {
			fmt.Fprintln(e.out)
		}
		if err := e.printNetwork(now, &st.Networks[i]); err != nil {
			return err
		}
	}
	return nil
}

func only(list []local.Network, name string) ([]local.Network, error) {
	for _, n := range list {
		if n.Name == name {
			return []local.Network{n}, nil
		}
	}
	return nil, fmt.Errorf("there is no network %s on this machine: `ginnel network list` lists them", name)
}

func (e *env) printNetwork(now time.Time, n *local.Network) error {
	fmt.Fprintf(e.out, "network %s: %s\n", n.Name, n.State)
	if n.Error != "" {
		fmt.Fprintf(e.out, "  error: %s\n", n.Error)
	}
	if n.State == local.Down {
		fmt.Fprintf(e.out, "  `ginnel up %s` switches it on\n", n.Name)
	}
	if n.State != local.Up {
		return nil
	}
	fmt.Fprintf(e.out, "  you: %s, %s in %s, %s\n", orDash(n.Self.Name), addressOrDash(n.Self.Address), n.Root, n.Role)
	fmt.Fprintf(e.out, "  wireguard: %s, UDP port %d, key %s\n", orDash(n.Backend), n.ListenPort, n.PublicKey)
	fmt.Fprintf(e.out, "  map: revision %d, last contact with the coordinator: %s\n", n.Revision, ago(now, n.LastContact))
	for _, p := range n.Problems {
		fmt.Fprintf(e.out, "  problem: %s\n", p)
	}
	if len(n.Peers) == 0 {
		return e.say("  no peers are visible")
	}
	rows := [][]string{{"  PEER", "ADDRESS", "CIDR", "ENDPOINT", "HANDSHAKE", "RX", "TX", "STATE"}}
	for i := range n.Peers {
		rows = append(rows, peerRow(now, &n.Peers[i]))
	}
	return e.printTable(rows)
}

func peerRow(now time.Time, p *local.Peer) []string {
	endpoint := "-"
	if p.Endpoint.IsValid() {
		endpoint = p.Endpoint.String()
	}
	how := reach(p)
	if p.Role == wire.RoleCoordinator {
		how += ", coordinator"
	}
	return []string{"  " + p.Name, p.Address.String(), p.CIDR, endpoint, ago(now, p.LastHandshake), size(p.Rx), size(p.Tx), how}
}

// reach says how a peer is reached. One that was never reached is being
// tried: that is no fault.
func reach(p *local.Peer) string {
	switch {
	case p.Connected:
		return "direct"
	case p.Role == wire.RoleInvitee:
		return "invited"
	case p.Endpoint.IsValid() && p.LastHandshake.IsZero():
		return "connecting"
	}
	return "not connected"
}
