package main

import (
	"context"
	"strings"

	"ginnel/wire"
)

// renameEndpoint is registered with the network's commands.
var renameEndpoint = command{
	name: "network rename-endpoint", args: "HOST:PORT...",
	brief: "Say where the coordinator is found from outside",
	about: `It replaces what was said before. Invitations carry it from now on, and peers that are reached hear of it at once: they use it when
the coordinator is not where it was any more, after a restart too. So run it before the
coordinator moves, from any admin's machine. Peers that are away meanwhile look where their
configuration says: let the old name point to the new address for them.`,
	setup: func(o *options) action {
		network := networkOption(o)
		o.ask("HOST:PORT", question{text: "Where it is reached, HOST:PORT", check: plain(wire.CheckReachable), preset: presentEndpoint})
		return func(ctx context.Context, e *env, args []string) error {
			if err := wire.CheckEndpoints(args); err != nil {
				return usagef("%v", err)
			}
			var info wire.NetworkInfo
			err := e.coordinator(ctx, *network, "PATCH", wire.PathNetwork, wire.NetworkPatch{Endpoints: args}, &info)
			if err != nil {
				return err
			}
			return e.say("the coordinator of %s is found at %s", info.Name, strings.Join(info.Endpoints, ", "))
		}
	},
}

// presentEndpoint suggests what is said of the coordinator now, where that is
// one endpoint: an answer replaces all of them.
func presentEndpoint(a *asking) (string, error) {
	var info wire.NetworkInfo
	if err := a.get(wire.PathNetwork, &info); err != nil || len(info.Endpoints) != 1 {
		return "", err
	}
	return info.Endpoints[0], nil
}
