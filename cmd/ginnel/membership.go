package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/join"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/wire"
)

var membershipCommands = []command{
	{
		name: "join", args: "FILE|TOKEN|-", least: 1, most: 1,
		brief: "Join a network with an invitation",
		about: `The invitation is a file, the token itself, or standard input (-). A join that was interrupted
is finished by running it again.`,
		setup: setupJoin,
	},
	{
		name: "leave", args: "[NETWORK]", most: 1,
		brief: "Leave a network: remove its interface, names, keys and configuration from this machine",
		about: "The coordinator keeps this peer in its book: an admin removes it with `ginnel peer remove`.",
		setup: func(fs *pflag.FlagSet) action {
			yes := yesOption(fs)
			return func(ctx context.Context, e *env, args []string) error { return leave(ctx, e, args, *yes) }
		},
	},
}

func setupJoin(fs *pflag.FlagSet) action {
	port := fs.Uint16("listen-port", 0, "WireGuard's UDP port on this machine (default: any free one)")
	mtu := fs.Int("mtu", config.DefaultMTU, "the interface's MTU in bytes")
	noRoutes := fs.Bool("no-routing", false, "add no route for the network's range")
	hosts := fs.String("hosts", config.DefaultHosts, "the hosts file to keep the peers' names in, or none")
	exclude := fs.StringArray("exclude", nil, "a range of own addresses never told to others, or all; may be repeated")
	del := fs.Bool("delete", false, "delete the invitation's file afterwards")
	return func(ctx context.Context, e *env, args []string) error {
		inv, file, err := readInvitation(e.in, args[0])
		if err != nil {
			return err
		}
		n := config.Network{Enabled: true, ListenPort: *port, MTU: *mtu, Keepalive: config.DefaultKeepalive, Routes: !*noRoutes, Hosts: *hosts}
		if n.Exclude, err = parseExclude(*exclude); err != nil {
			return err
		}
		if err := joinNetwork(ctx, e, inv, n); err != nil {
			return err
		}
		if *del && file != "" {
			if err := os.Remove(file); err != nil {
				return fmt.Errorf("joined, but the invitation is still there: %w", err)
			}
		}
		return nil
	}
}

func parseExclude(list []string) (out []netip.Prefix, err error) {
	for _, s := range list {
		if s == "all" {
			out = append(out, netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, usagef("%q is no range of addresses: want one such as 192.168.0.0/16, or all", s)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// readInvitation reads an invitation from where arg says; file is its path
// when it came from a file. Something that is no token and no file is an error
// about the file.
func readInvitation(in io.Reader, arg string) (inv *wire.Invitation, file string, err error) {
	text := arg
	if arg == "-" {
		b, err := io.ReadAll(io.LimitReader(in, wire.MaxBody))
		if err != nil {
			return nil, "", fmt.Errorf("read the invitation: %w", err)
		}
		text = string(b)
	} else if b, err := os.ReadFile(arg); err == nil {
		text, file = string(b), arg
	} else if !strings.HasPrefix(strings.ToLower(arg), wire.TokenPrefix) || !errors.Is(err, fs.ErrNotExist) && !isTooLong(err) {
		return nil, "", fmt.Errorf("read the invitation: %w", err)
	}
	inv, err = wire.ParseInvitation(text)
	return inv, file, err
}

// isTooLong tells whether a token was too long for a file's name.
func isTooLong(err error) bool { return strings.HasSuffix(err.Error(), "file name too long") }

func joinNetwork(ctx context.Context, e *env, inv *wire.Invitation, n config.Network) error {
	wanted := n
	wanted.Name, wanted.Role, wanted.Endpoints = inv.Network, config.Peer, inv.Coordinator.Endpoints
	if err := e.checkNew(wanted); err != nil {
		return err
	}
	j, err := join.Redeem(ctx, newSystem(quiet), e.paths.state, inv, n)
	if err != nil {
		return err
	}
	if err := e.paths.setNetwork(j.Config); err != nil {
		return errors.Join(fmt.Errorf("the invitation is redeemed, but this machine is not configured (run the same join again): %w", err), j.Abandon())
	}
	if err := j.Confirm(); err != nil {
		return err
	}
	fmt.Fprintf(e.out, "joined %s as %s, %s\n", inv.Network, inv.Name, inv.Address)
	if err := e.reload(ctx, inv.Network); err != nil {
		return err
	}
	return e.await(ctx, inv.Network)
}

// awaitTime is how long join waits for the daemon to be in the network.
const awaitTime = 10 * time.Second

// await waits until the daemon has a map of the network from its coordinator.
func (e *env) await(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, awaitTime)
	defer cancel()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		st, err := e.client().Status(ctx)
		if errors.Is(err, local.ErrNotRunning) {
			return nil // reload said so
		}
		if err == nil {
			if n := described(st, &config.Network{Name: name}); !n.LastContact.IsZero() {
				fmt.Fprintf(e.out, "%d peers are visible\n", len(n.Peers))
				return nil
			}
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			fmt.Fprintf(e.err, "ginnel: the coordinator has not answered yet: `ginnel status %s` tells when it has\n", name)
			return nil
		}
	}
}

// configured returns the section of a network; with an empty name the only
// one's.
func (e *env) configured(name string) (*config.Network, error) {
	name, err := e.pick(name)
	if err != nil {
		return nil, err
	}
	cfg, err := e.paths.readConfig()
	if err != nil {
		return nil, err
	}
	n, ok := cfg.Network(name)
	if !ok {
		return nil, fmt.Errorf("there is no network %s on this machine: `ginnel network list` lists them", name)
	}
	return n, nil
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func leave(ctx context.Context, e *env, args []string, yes bool) error {
	n, err := e.configured(first(args))
	if err != nil {
		return err
	}
	if n.Role == config.Coordinator {
		return fmt.Errorf("this machine is the coordinator of %s: `ginnel network remove %[1]s` destroys the network", n.Name)
	}
	if err := e.confirm(yes, "Leave network "+n.Name+" and delete this machine's key for it?"); err != nil {
		return err
	}
	return e.forget(ctx, n)
}

// forget removes a network from this machine: the section first, then, once
// the daemon has let go, the files.
func (e *env) forget(ctx context.Context, n *config.Network, more ...string) error {
	if err := e.paths.removeNetwork(n.Name); err != nil {
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
	fmt.Fprintf(e.out, "this machine is out of %s\n", n.Name)
	return nil
}

// takeDown makes the daemon drop a network that the configuration does not
// have up any more; without a daemon it removes the interface and the names
// itself.
func (e *env) takeDown(ctx context.Context, n *config.Network) error {
	err := e.client().Reload(ctx)
	if !errors.Is(err, local.ErrNotRunning) {
		return err
	}
	return daemon.Clear(newSystem(quiet), n)
}
