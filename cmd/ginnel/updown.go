package main

import "context"

var upDownCommands = []command{
	{
		name: "up", args: "[NETWORK]", brief: "Switch a network on; it stays on over restarts",
		setup: func(*options) action {
			return func(ctx context.Context, e *env, args []string) error { return up(ctx, e, first(args)) }
		},
	},
	{
		name: "down", args: "[NETWORK]",
		brief: "Switch a network off and remove its interface; it stays off over restarts",
		setup: func(*options) action {
			return func(ctx context.Context, e *env, args []string) error { return down(ctx, e, first(args)) }
		},
	},
}

func up(ctx context.Context, e *env, name string) error {
	n, err := e.configured(name)
	if err != nil {
		return err
	}
	n.Enabled = true
	if err := e.paths.setNetwork(*n); err != nil {
		return err
	}
	if err := e.say("switched %s on", n.Name); err != nil {
		return err
	}
	_, err = e.takeUp(ctx, n.Name, isUp)
	return err
}

func down(ctx context.Context, e *env, name string) error {
	n, err := e.configured(name)
	if err != nil {
		return err
	}
	n.Enabled = false
	if err := e.paths.setNetwork(*n); err != nil {
		return err
	}
	if err := e.takeDown(ctx, n); err != nil {
		return err
	}
	return e.say("switched %s off", n.Name)
}
