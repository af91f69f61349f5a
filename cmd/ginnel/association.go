package main

import (
	"context"

	"ginnel/wire"
)

var associationCommands = []command{
	{
		name: "association add", args: "CIDR OTHER-CIDR",
		brief: "Let the peers of two CIDRs see each other",
		about: `CIDRs within them are included. A CIDR may be associated with itself: then everyone below
it sees everyone below it.`,
		setup: func(o *options) action {
			network, asJSON := networkOption(o), jsonOption(o)
			return func(ctx context.Context, e *env, args []string) error {
				var made wire.Association
				if err := e.coordinator(ctx, *network, "POST", wire.PathAssociations, wire.Association{args[0], args[1]}, &made); err != nil {
					return err
				}
				if *asJSON {
					return e.printJSON(made)
				}
				return e.say("associated %s and %s: their peers see each other", made[0], made[1])
			}
		},
	},
	{
		name: "association list", brief: "List the associations",
		setup: func(o *options) action {
			network, asJSON := networkOption(o), jsonOption(o)
			return func(ctx context.Context, e *env, _ []string) error {
				return listAssociations(ctx, e, *network, *asJSON)
			}
		},
	},
	{
		name: "association remove", args: "CIDR OTHER-CIDR", brief: "Undo `association add`",
		setup: func(o *options) action {
			network := networkOption(o)
			return func(ctx context.Context, e *env, args []string) error {
				if err := e.coordinator(ctx, *network, "DELETE", item(wire.PathAssociations, args[0], args[1]), nil, nil); err != nil {
					return err
				}
				return e.say("%s and %s are not associated any more", args[0], args[1])
			}
		},
	},
}

func listAssociations(ctx context.Context, e *env, network string, asJSON bool) error {
	var list []wire.Association
	if err := e.coordinator(ctx, network, "GET", wire.PathAssociations, nil, &list); err != nil {
		return err
	}
	if asJSON {
		return e.printJSON(list)
	}
	rows := [][]string{{"CIDR", "CIDR"}}
	for _, a := range list {
		rows = append(rows, a[:])
	}
	return e.printTable(rows)
}
