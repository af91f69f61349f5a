package main

import (
	"context"
	"slices"

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
			o.ask("OTHER-CIDR", question{text: "The other CIDR", list: cidrsWho("there is no CIDR", isNotInfra)})
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
		about: "Who loses sight of whom by that is shown first; without a terminal, --yes agrees to it.",
		setup: func(o *options) action {
			network, yes := networkOption(o), yesOption(o)
			o.ask("CIDR", question{text: "Which CIDR", list: associated})
			o.ask("OTHER-CIDR", question{text: "The other CIDR", list: associated})
			return func(ctx context.Context, e *env, args []string) error {
				return dissociate(ctx, e, *network, args[0], args[1], *yes)
			}
		},
	},
}

// associated lists the CIDRs that are associated, with the first argument's
// CIDR once there is one.
func associated(a *asking) ([]choice, error) {
	var all []wire.Association
	if err := a.get(wire.PathAssociations, &all); err != nil {
		return nil, err
	}
	var list []choice
	other := func(name, with string) {
		if i := slices.IndexFunc(list, func(c choice) bool { return c.name == name }); i >= 0 {
			list[i].about += ", " + with
		} else if first(a.o.args) == "" || first(a.o.args) == with {
			list = append(list, choice{name, "with " + with})
		}
	}
	for _, pair := range all {
		other(pair[0], pair[1])
		if pair[0] != pair[1] {
			other(pair[1], pair[0])
		}
	}
	return someOf(list, "no CIDR is associated")
}

// dissociate undoes an association, after it has shown what that means.
func dissociate(ctx context.Context, e *env, network, a, b string, yes bool) error {
	path := item(wire.PathAssociations, a, b)
	var preview wire.SightChange
	if err := e.coordinator(ctx, network, "DELETE", path+"?preview=1", nil, &preview); err != nil {
		return err
	}
	e.explain(&preview)
	if preview.LostCount > 0 {
		if err := e.confirm(yes, "Remove the association of "+a+" and "+b+" although peers will lose sight of each other?"); err != nil {
			return err
		}
	}
	if err := e.coordinator(ctx, network, "DELETE", path, nil, nil); err != nil {
		return err
	}
	return e.say("%s and %s are not associated any more", a, b)
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
