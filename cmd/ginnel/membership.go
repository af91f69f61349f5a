package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/network"
)

var membershipCommands = []command{
	{
		name: "join", args: "FILE|TOKEN|-",
		brief: "Join a network with an invitation",
		about: `The invitation is a file, the token itself, or standard input (-). A join that was interrupted
is finished by running it again.`,
		setup: setupJoin,
	},
	{
		name: "leave", args: "[NETWORK]",
		brief: "Leave a network: remove its interface, names, keys and configuration from this machine",
		about: `The coordinator keeps this peer in its book: an admin removes it with ` + "`ginnel peer remove`" + `.
With --all nothing of any network is left, for those who uninstall the program.`,
		setup: setupLeave,
	},
}

// configured returns the section of a network; with an empty name the only
// one's.
func (e *env) configured(name string) (*config.Network, error) {
	cfg, err := e.paths.readConfig()
	if err != nil {
		return nil, err
	}
	if name == "" {
		names := make([]string, len(cfg.Networks))
		for i := range cfg.Networks {
			names[i] = cfg.Networks[i].Name
		}
		if name, err = e.theOnly(names, "name the one that is meant"); err != nil {
			return nil, err
		}
	}
	n, ok := cfg.Network(name)
	if !ok {
		return nil, noNetwork(name)
	}
	return n, nil
}

// noNetwork says that the configuration has no such section.
func noNetwork(name string) error {
	return fmt.Errorf("%w %s on this machine: `ginnel network list` lists them", errNoNetwork, name)
}

var errNoNetwork = errors.New("there is no network")

// member is configured for commands that take this machine out of a network.
// One whose section is gone but whose files are not, because such a command
// failed half-way, is as good as configured: the command finishes its work.
func (e *env) member(name string) (*config.Network, error) {
	n, err := e.configured(name)
	if !errors.Is(err, errNoNetwork) || network.CheckNetworkName(name) != nil {
		return n, err
	}
	var left config.Network
	switch {
	case exists(e.paths.book(name)):
		left = config.New(name, config.Coordinator)
	case exists(state.Path(e.paths.state, name)):
		left = config.New(name, config.Peer)
	default:
		return nil, err
	}
	return &left, nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// forget removes a network from this machine: it is switched off, and once the
// daemon has let go, its files are removed. The section goes last: it says what
// is to be removed, to those who finish it as well.
func (e *env) forget(ctx context.Context, n *config.Network, more ...string) error {
	if err := e.switchOff(n.Name); err != nil {
		return err
	}
	if err := e.takeDown(ctx, n); err != nil {
		return err
	}
	for _, path := range append(more, state.Path(e.paths.state, n.Name)) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove what was kept of %s: %w", n.Name, err)
		}
	}
	if err := e.paths.removeNetwork(n.Name); err != nil {
		return err
	}
	if err := e.client().Reload(ctx); !errors.Is(err, local.ErrNotRunning) {
		return err
	}
	return nil
}

// switchOff makes a network's section, where there is one, say that it is off.
func (e *env) switchOff(name string) error {
	err := e.paths.switchNetwork(name, false)
	if errors.Is(err, errNoNetwork) {
		return nil
	}
	return err
}

// takeDown makes the daemon drop a network that the configuration does not
// have up any more; without a daemon it removes the interface and the names
// itself.
func (e *env) takeDown(ctx context.Context, n *config.Network) error {
	err := e.reload(ctx)
	if !errors.Is(err, local.ErrNotRunning) {
		return err
	}
	return daemon.Clear(e.system(quiet), e.paths.state, n)
}
