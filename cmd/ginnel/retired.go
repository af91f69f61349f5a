package main

import (
	"context"
	"net/netip"

	"ginnel/wire"
)

// retired returns the addresses of a network's removed peers, sorted.
func (e *env) retired(ctx context.Context, network string) ([]netip.Addr, error) {
	var list []netip.Addr
	err := e.coordinator(ctx, network, "GET", wire.PathRetired, nil, &list)
	return list, err
}

func listRetired(ctx context.Context, e *env, network string, asJSON bool) error {
	list, err := e.retired(ctx, network)
	if err != nil {
		return err
	}
	if asJSON {
		return e.printJSON(list)
	}
	rows := [][]string{{"ADDRESS"}}
	for _, a := range list {
		rows = append(rows, []string{a.String()})
	}
	return e.printTable(rows)
}

func setupFreeAddress(o *options) action {
	network, yes := networkOption(o), yesOption(o)
	o.ask("ADDRESS", question{text: "Which address", list: func(a *asking) ([]choice, error) {
		list, err := a.e.retired(a.ctx, *network)
		if err != nil {
			return nil, err
		}
		var choices []choice
		for _, a := range list {
			choices = append(choices, choice{name: a.String()})
		}
		return someOf(choices, "there is no retired address")
	}})
	return func(ctx context.Context, e *env, args []string) error {
		a, err := netip.ParseAddr(args[0])
		if err != nil {
			return usagef("%q is no address: `ginnel peer list --retired` lists those that can be freed", args[0])
		}
		e.note("%s may then be given to another peer. Machines that saw the removed one have its key pinned for %[1]s, and do not take another until `ginnel pin forget %[1]s` is run on each", a)
		if err := e.confirm(*yes, "Free "+a.String()+"?"); err != nil {
			return err
		}
		if err := e.coordinator(ctx, *network, "DELETE", item(wire.PathRetired, a.String()), nil, nil); err != nil {
			return err
		}
		return e.say("freed the address %s", a)
	}
}
