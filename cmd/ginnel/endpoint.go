package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ginnel/daemon/config"
	"ginnel/daemon/state"
	"ginnel/network"
	"ginnel/wire"
)

// endpointCommands: what this machine says of where it is reached.
var endpointCommands = []command{
	{
		name: "endpoint set", args: "ENDPOINT...",
		brief: "Say where this machine is reached",
		about: `An ENDPOINT is HOST:PORT, the host a name or an address, or only :PORT where the address is the
one at which the coordinator sees this machine: so behind a router that forwards a port. Other
peers try these before all else they know; names they look up themselves. The coordinator is
told, and forgets what was said before.`,
		setup: func(o *options) action {
			network := networkOption(o)
			return func(ctx context.Context, e *env, args []string) error { return announce(ctx, e, *network, args) }
		},
	},
	{
		name: "endpoint unset", brief: "Say nothing of where this machine is reached",
		setup: func(o *options) action {
			network := networkOption(o)
			return func(ctx context.Context, e *env, _ []string) error { return announce(ctx, e, *network, nil) }
		},
	},
	{
		name: "endpoint list", brief: "List where this machine says it is reached",
		setup: func(o *options) action {
			network, asJSON := networkOption(o), jsonOption(o)
			return func(ctx context.Context, e *env, _ []string) error { return listAnnounced(ctx, e, *network, *asJSON) }
		},
	},
}

// announce makes list what this machine announces.
func announce(ctx context.Context, e *env, name string, list []string) error {
	if err := (&wire.Report{Announced: list}).Check(); err != nil {
		return usagef("%v", err)
	}
	done := "this machine is reached in " // the network's name follows
	n, err := e.reconfigure(ctx, name, atOnce, func(n *config.Network) error {
		if n.Role == config.Coordinator {
			return fmt.Errorf("this machine is the coordinator of %s: `ginnel network rename-endpoint` says where it is found", n.Name)
		}
		n.Announced = slices.Clone(list)
		return e.checkOutside(n.Name, list)
	})
	switch {
	case err != nil:
		return err
	case len(list) == 0:
		return e.say("%s%s wherever it is found", done, n.Name)
	}
	return e.say("%s%s at %s", done, n.Name, strings.Join(list, ", "))
}

// checkOutside refuses endpoints inside the network that this machine is in; a
// state that cannot be read is the daemon's to tell of.
func (e *env) checkOutside(name string, endpoints []string) error {
	id, err := state.Read(state.Path(e.paths.state, name))
	if err != nil {
		return nil
	}
	return network.CheckOutside(id.Root, endpoints...)
}

func listAnnounced(ctx context.Context, e *env, network string, asJSON bool) error {
	n, err := e.configured(network)
	if err != nil {
		return err
	}
	list := n.Announced
	if n.Role == config.Coordinator {
		var info wire.NetworkInfo
		if err := e.coordinator(ctx, n.Name, "GET", wire.PathNetwork, nil, &info); err != nil {
			return err
		}
		list = info.Endpoints
	}
	if asJSON {
		return e.printJSON(append([]string{}, list...))
	}
	for _, s := range list {
		if err := e.say("%s", s); err != nil {
			return err
		}
	}
	return nil
}
