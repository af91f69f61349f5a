package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ginnel/daemon"
	"ginnel/daemon/local"
)

var clearCommands = []command{{
	name: "clear", brief: "Take all networks' interfaces and names off this machine; keys and configuration stay",
	about: `For whoever removes the program: a daemon that is stopped leaves the tunnels that the kernel
carries. A daemon that is about to stop is waited for; the next one puts everything back.`,
	setup: func(*options) action {
		return func(ctx context.Context, e *env, _ []string) error { return clearAll(ctx, e) }
	},
}}

// stopTime is how long a daemon that was told to stop is waited for: as long as
// supervisors do before they kill it.
const stopTime = 15 * time.Second

func clearAll(ctx context.Context, e *env) error {
	cfg, wrong := e.paths.readConfig()
	if wrong != nil {
		wrong = fmt.Errorf("what is wrong in the configuration stays as it is on this machine: %w", wrong)
	}
	if err := e.awaitStop(ctx); err != nil {
		return err
	}
	sys := e.system(quiet)
	errs := []error{wrong}
	for i := range cfg.Networks {
		n := &cfg.Networks[i]
		if n.Refused {
			continue
		}
		if err := daemon.Clear(sys, e.paths.state, n); err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, e.say("cleared %s", n.Name))
	}
	return errors.Join(errs...)
}

// awaitStop waits until no daemon runs, which would put back what is removed.
func (e *env) awaitStop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		if _, err := e.client().Status(ctx); errors.Is(err, local.ErrNotRunning) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the daemon is running and would put everything back: stop it first, with `systemctl stop ginnel` or `/etc/init.d/ginnel stop`")
		case <-poll.C:
		}
	}
}
