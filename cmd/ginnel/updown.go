package main

import (
	"context"
	"errors"
	"strings"

	"ginnel/daemon/config"
)

var upDownCommands = []command{
	{
		name: "up", args: "[NETWORK]", brief: "Switch a network on; it stays on over restarts",
		about: "Without NETWORK all networks of this machine are switched on.",
		setup: func(*options) action {
			return func(ctx context.Context, e *env, args []string) error {
				return e.eachConfigured(first(args), func(n *config.Network) error { return up(ctx, e, n) })
			}
		},
	},
	{
		name: "down", args: "[NETWORK]",
		brief: "Switch a network off and remove its interface; it stays off over restarts",
		about: "Without NETWORK all networks of this machine are switched off.",
		setup: func(o *options) action {
			yes := yesOption(o)
			return func(ctx context.Context, e *env, args []string) error {
				if err := e.reconsiderDown(first(args), *yes); err != nil {
					return err
				}
				return e.eachConfigured(first(args), func(n *config.Network) error { return down(ctx, e, n) })
			}
		},
	},
}

// eachConfigured calls f for the section of the named network, or, without a
// name, for all. One that fails does not keep f from the others.
func (e *env) eachConfigured(name string, f func(*config.Network) error) error {
	if name != "" {
		n, err := e.configured(name)
		if err != nil {
			return err
		}
		return f(n)
	}
	cfg, err := e.paths.readConfig()
	switch {
	case err != nil:
		return err
	case len(cfg.Networks) == 0:
		return errors.New(inNoNetwork)
	}
	var errs []error
	for i := range cfg.Networks {
		errs = append(errs, f(&cfg.Networks[i]))
	}
	return errors.Join(errs...)
}

func up(ctx context.Context, e *env, n *config.Network) error {
	n.Enabled = true
	if err := e.paths.switchNetwork(n.Name, true); err != nil {
		return err
	}
	if err := e.say("switched %s on", n.Name); err != nil {
		return err
	}
	_, err := e.takeUp(ctx, n.Name, isUp)
	return err
}

// reconsiderDown says what it means to switch off the networks that this
// machine coordinates.
func (e *env) reconsiderDown(name string, yes bool) error {
	var coordinated []string
	err := e.eachConfigured(name, func(n *config.Network) error {
		if isCoordinated(n) && n.Enabled {
			coordinated = append(coordinated, n.Name)
		}
		return nil
	})
	if err != nil || coordinated == nil {
		return err
	}
	names := strings.Join(coordinated, ", ")
	e.note("this machine is the coordinator of %s: the peers keep their tunnels, but until it is up again nobody can join, be cut off or hear of a change", names)
	return e.reconsider(yes, "Switch "+names+" off?")
}

func down(ctx context.Context, e *env, n *config.Network) error {
	n.Enabled = false
	if err := e.paths.switchNetwork(n.Name, false); err != nil {
		return err
	}
	if err := e.takeDown(ctx, n); err != nil {
		return err
	}
	return e.say("switched %s off", n.Name)
}
