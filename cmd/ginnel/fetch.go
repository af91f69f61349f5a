package main

import (
	"context"
	"errors"

	"ginnel/daemon/local"
)

// fetchCommands: asking the coordinator now.
var fetchCommands = []command{{
	name: "fetch", args: "[NETWORK]", brief: "Ask the coordinator for news now, and wait until they are applied",
	about: `Peers hear of news by themselves within moments: this is for scripts that want to be sure, and
for people who want to know why they do not. Without NETWORK all networks that are up are fetched.`,
	setup: func(*options) action {
		return func(ctx context.Context, e *env, args []string) error {
			return e.each(ctx, first(args), func(n *local.Network) error { return fetch(ctx, e, n.Name) })
		}
	},
}}

func fetch(ctx context.Context, e *env, name string) error {
	n, err := e.client().Fetch(ctx, name)
	if err != nil {
		return err
	}
	for _, p := range n.Problems {
		e.note("network %s: problem: %s", name, p)
	}
	return e.say("fetched %s: revision %d, %s", name, n.Revision, plural(len(n.Peers), "peer"))
}

// each calls f for the named network, or, without a name, for all that are not
// down. One that fails does not keep f from the others.
func (e *env) each(ctx context.Context, name string, f func(*local.Network) error) error {
	st, err := e.statusOf(ctx, name)
	if err != nil {
		return err
	}
	var errs []error
	called := false
	for i := range st.Networks {
		n := &st.Networks[i]
		if name == "" && n.State == local.Down {
			e.note("network %s is down", n.Name)
			continue
		}
		called = true
		errs = append(errs, f(n))
	}
	switch {
	case len(st.Networks) == 0:
		return errors.New(inNoNetwork)
	case !called:
		return errors.New("no network of this machine is up: `ginnel up` switches them on")
	}
	return errors.Join(errs...)
}
