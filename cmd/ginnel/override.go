package main

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/wire"
)

// overrideCommands: where this machine reaches others.
var overrideCommands = []command{
	{
		name: "override set", args: "PEER HOST:PORT",
		brief: "Say where this machine reaches a peer",
		about: `PEER is a name or an address in the network. Whatever others say, only HOST:PORT is tried for
it then; a name is looked up again when the peer is not reached there. Only this machine is
concerned.`,
		setup: func(o *options) action {
			network := networkOption(o)
			o.ask("PEER", question{text: "Which peer", list: visiblePeers(network), free: true})
			return func(ctx context.Context, e *env, args []string) error {
				return setOverride(ctx, e, *network, args[0], args[1])
			}
		},
	},
	{
		name: "override unset", args: "PEER", brief: "Reach a peer again wherever it is found",
		setup: func(o *options) action {
			network := networkOption(o)
			o.ask("PEER", question{text: "Which peer", list: overriddenPeers(network), free: true})
			return func(ctx context.Context, e *env, args []string) error {
				return unsetOverride(ctx, e, *network, args[0])
			}
		},
	},
	{
		name: "override list", brief: "List the peers of which that was said",
		setup: func(o *options) action {
			network, asJSON := networkOption(o), jsonOption(o)
			return func(ctx context.Context, e *env, _ []string) error { return listOverrides(ctx, e, *network, *asJSON) }
		},
	},
}

// override is an override for people and programs.
type override struct {
	Name     string     `json:"name,omitempty"` // empty where the daemon knows no such peer
	Address  netip.Addr `json:"address"`
	Endpoint string     `json:"endpoint"`
}

func setOverride(ctx context.Context, e *env, network, peer, endpoint string) error {
	if err := wire.CheckEndpoint(endpoint); err != nil {
		return usagef("%v", err)
	}
	var a netip.Addr
	n, err := e.reconfigure(ctx, network, atOnce, func(n *config.Network) (err error) {
		if a, err = e.overlayAddress(ctx, n, peer); err != nil {
			return err
		}
		n.Overrides = append(without(n.Overrides, a), config.Override{Address: a, Endpoint: endpoint})
		return e.checkOutside(n.Name, []string{endpoint})
	})
	if err != nil {
		return err
	}
	if !n.Enabled {
		e.note("%s is down: it counts once `ginnel up %[1]s` has it up", n.Name)
	}
	return e.say("%s is reached in %s at %s", peer, n.Name, endpoint)
}

func unsetOverride(ctx context.Context, e *env, network, peer string) error {
	n, err := e.reconfigure(ctx, network, atOnce, func(n *config.Network) error {
		a, err := e.overlayAddress(ctx, n, peer)
		if err != nil {
			return err
		}
		left := without(n.Overrides, a)
		if len(left) == len(n.Overrides) {
			return fmt.Errorf("nothing is said of where %s is reached: `ginnel override list` tells of whom", peer)
		}
		n.Overrides = left
		return nil
	})
	if err != nil {
		return err
	}
	return e.say("%s is reached in %s wherever it is found", peer, n.Name)
}

// without returns the overrides of all peers but the one at a.
func without(list []config.Override, a netip.Addr) []config.Override {
	return slices.DeleteFunc(slices.Clone(list), func(o config.Override) bool { return o.Address == a })
}

// overlayAddress returns the address of a peer, which may be given as such:
// then no daemon is needed, and the peer need not be there yet.
func (e *env) overlayAddress(ctx context.Context, n *config.Network, peer string) (netip.Addr, error) {
	if a, err := netip.ParseAddr(peer); err == nil {
		return a, nil
	}
	st, err := e.client().Status(ctx)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("the address of %s is not known: %w", peer, err)
	}
	there := described(st, n)
	i := slices.IndexFunc(there.Peers, func(p local.Peer) bool { return p.Name == peer })
	if i < 0 {
		return netip.Addr{}, fmt.Errorf("this machine sees no peer %s in %s: `ginnel status` tells whom it sees", peer, n.Name)
	}
	return there.Peers[i].Address, nil
}

// visiblePeers lists the peers that this machine sees.
func visiblePeers(network *string) func(*asking) ([]choice, error) {
	return func(a *asking) (list []choice, err error) {
		name, err := a.e.pick(a.ctx, *network)
		if err != nil {
			return nil, err
		}
		st, err := a.e.client().Status(a.ctx)
		if err != nil {
			return nil, err
		}
		there := described(st, &config.Network{Name: name})
		for _, p := range there.Peers {
			list = append(list, choice{p.Name, p.Address.String()})
		}
		return someOf(list, "there is no peer that this machine sees")
	}
}

// overriddenPeers lists the peers of which the configuration says where they
// are reached.
func overriddenPeers(network *string) func(*asking) ([]choice, error) {
	return func(a *asking) ([]choice, error) {
		list, err := a.e.overrides(a.ctx, *network)
		if err != nil {
			return nil, err
		}
		var choices []choice
		for _, o := range list {
			if o.Name == "" {
				o.Name = o.Address.String()
			}
			choices = append(choices, choice{o.Name, o.Endpoint})
		}
		return someOf(choices, "there is no override")
	}
}

// overrides returns what the configuration says, with the names that the daemon
// knows.
func (e *env) overrides(ctx context.Context, network string) ([]override, error) {
	n, err := e.configured(network)
	if err != nil {
		return nil, err
	}
	names := map[netip.Addr]string{}
	if st, err := e.client().Status(ctx); err == nil {
		there := described(st, n)
		for _, p := range there.Peers {
			names[p.Address] = p.Name
		}
	}
	list := []override{}
	for _, o := range n.Overrides {
		list = append(list, override{names[o.Address], o.Address, o.Endpoint})
	}
	return list, nil
}

func listOverrides(ctx context.Context, e *env, network string, asJSON bool) error {
	list, err := e.overrides(ctx, network)
	if err != nil {
		return err
	}
	if asJSON {
		return e.printJSON(list)
	}
	rows := [][]string{{"PEER", "ADDRESS", "ENDPOINT"}}
	for _, o := range list {
		rows = append(rows, []string{orDash(o.Name), o.Address.String(), o.Endpoint})
	}
	return e.printTable(rows)
}
