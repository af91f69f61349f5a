package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
)

// takeUpTime is how long a command waits for the daemon to do what the
// configuration says.
const takeUpTime = 10 * time.Second

// takeUp makes a running daemon read the configuration and waits until the
// network is as it should be, so that the next command finds it. It returns
// nil when there is nothing to see yet, and has then said why: no daemon runs,
// or there was not enough time.
func (e *env) takeUp(ctx context.Context, name string, done func(*local.Network) bool) (*local.Network, error) {
	err := e.reload(ctx)
	if errors.Is(err, local.ErrNotRunning) {
		e.note("not in effect yet: %v", err)
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, takeUpTime)
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for trouble := ""; ; {
		if st, err := e.client().Status(ctx); err == nil {
			n := described(st, &config.Network{Name: name})
			if done(&n) {
				return &n, nil
			}
			trouble = n.Error
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			if trouble != "" {
				return nil, fmt.Errorf("network %s does not come up: %s", name, trouble)
			}
			e.note("network %s is not there yet: `ginnel status %[1]s` tells when it is", name)
			return nil, nil
		}
	}
}

// reconfigure changes a network's section and has a running daemon take it, if
// the network is up until done. It returns the new section. Change may ask the
// daemon, or people; it is called again if somebody else has changed the section
// meanwhile.
func (e *env) reconfigure(ctx context.Context, name string, done func(*local.Network) bool, change func(*config.Network) error) (*config.Network, error) {
	n, err := e.rewrite(name, change)
	if err != nil {
		return nil, err
	}
	_, err = e.takeUp(ctx, n.Name, func(there *local.Network) bool {
		return there.State == local.Down || isUp(there) && done(there)
	})
	return n, err
}

// rewriteTries is how often rewrite begins anew: each time somebody else's
// command has had its way.
const rewriteTries = 100

var errChanged = errors.New("the network's section is being changed by somebody else all the time: try again")

// rewrite writes what change makes of a network's section, unless it is another
// one by then: a lock that is held while people think would keep others out.
func (e *env) rewrite(name string, change func(*config.Network) error) (*config.Network, error) {
	for range rewriteTries {
		shown, err := e.configured(name)
		if err != nil {
			return nil, err
		}
		n := *shown
		if err := change(&n); err != nil {
			return nil, err
		}
		err = e.paths.changeNetwork(n.Name, func(now *config.Network) error {
			if !now.Equal(shown) {
				return errChanged
			}
			*now = n
			return nil
		})
		if !errors.Is(err, errChanged) {
			return &n, err
		}
	}
	return nil, errChanged
}

// atOnce is for changes that are not waited for.
func atOnce(*local.Network) bool { return true }

// isUp tells whether the network's interface is configured.
func isUp(n *local.Network) bool { return n.State == local.Up }
