package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"ginnel/coordinator/store"
	"ginnel/daemon/config"
	"ginnel/daemon/state"
)

func setupLeave(o *options) action {
	yes := yesOption(o)
	all := o.Bool("all", "", "every network, those that this machine coordinates included, which are destroyed")
	return func(ctx context.Context, e *env, args []string) error {
		switch {
		case *all && len(args) > 0:
			return usagef("--all leaves every network, so leave %s out", args[0])
		case *all:
			return leaveAll(ctx, e, *yes)
		}
		return leave(ctx, e, args, *yes)
	}
}

func leave(ctx context.Context, e *env, args []string, yes bool) error {
	n, err := e.member(first(args))
	if err != nil {
		return err
	}
	if n.Role == config.Coordinator {
		return fmt.Errorf("this machine is the coordinator of %s: `ginnel network remove %[1]s` destroys the network", n.Name)
	}
	e.showParting(ctx, n)
	if err := e.confirm(yes, "Leave network "+n.Name+" and delete this machine's key for it?"); err != nil {
		return err
	}
	return e.part(ctx, n)
}

func removeNetwork(ctx context.Context, e *env, name string, yes bool) error {
	n, err := e.member(name)
	if err != nil {
		return err
	}
	if n.Role != config.Coordinator {
		return fmt.Errorf("this machine is a peer of %s, not its coordinator: `ginnel leave %[1]s` takes it out", name)
	}
	e.showParting(ctx, n)
	if err := e.confirm(yes, "Destroy network "+name+" and its book for good?"); err != nil {
		return err
	}
	return e.part(ctx, n)
}

// leaveAll takes this machine out of every network, what is left of half-removed
// ones included.
func leaveAll(ctx context.Context, e *env, yes bool) error {
	names, err := e.allNetworks()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return e.say("this machine is in no network")
	}
	var list []*config.Network
	for _, name := range names {
		n, err := e.member(name)
		if err != nil {
			return err
		}
		e.showParting(ctx, n)
		list = append(list, n)
	}
	if err := e.confirm(yes, "Remove "+strings.Join(names, ", ")+" from this machine for good?"); err != nil {
		return err
	}
	for _, n := range list {
		if err := e.part(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// allNetworks returns the names of the networks in the configuration, and of
// those of which there are only files.
func (e *env) allNetworks() ([]string, error) {
	cfg, err := e.paths.readConfig()
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range cfg.Networks {
		names = append(names, cfg.Networks[i].Name)
	}
	files, err := os.ReadDir(e.paths.state)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("look for what is left of networks: %w", err)
	}
	for _, f := range files {
		name, _, _ := strings.Cut(f.Name(), ".")
		kept := f.Name() == name+".book" || state.Path(e.paths.state, name) == e.paths.state+"/"+f.Name()
		if kept && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// showParting says what it means that this machine is taken out of a network.
func (e *env) showParting(ctx context.Context, n *config.Network) {
	if n.Role == config.Coordinator {
		of := "its peers"
		if book, err := store.Read(e.paths.book(n.Name)); err == nil {
			of = "its " + plural(len(book.Peers())-1, "other peer")
		}
		e.note("%s: this machine is its coordinator; %s may talk on for a while, but nobody can join, come back or be cut off any more, unless there is a backup", n.Name, of)
		return
	}
	who := ""
	if id, err := state.Read(state.Path(e.paths.state, n.Name)); err == nil {
		who = fmt.Sprintf(" as %s, %s", cmp.Or(e.ownName(ctx, n.Name), id.Name), id.Address)
	}
	e.note("%s: this machine is in it%s; to come back it needs an invitation as a new peer", n.Name, who)
}

// part takes this machine out of a network.
func (e *env) part(ctx context.Context, n *config.Network) error {
	if n.Role == config.Coordinator {
		if err := e.forget(ctx, n, e.paths.book(n.Name)); err != nil {
			return err
		}
		return e.say("removed network %s", n.Name)
	}
	if err := e.forget(ctx, n); err != nil {
		return err
	}
	return e.say("left network %s", n.Name)
}
