package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/key"
	"ginnel/network"
	"ginnel/platform"
	"ginnel/platform/dbfile"
)

var networkCommands = []command{
	{
		name: "network create", args: "NAME PREFIX",
		brief: "Make a network; this machine becomes its coordinator",
		about: `NAME is the network's and its interface's, 1-15 lower-case letters, digits and single
dashes. PREFIX is the range of its addresses, such as 10.42.0.0/16 or fd42:1234::/48.
--endpoint is where other machines reach this one's UDP port from outside: a name or an address;
auto: the public addresses that this machine has itself, or, where it is behind a router and you
name a STUN server with --stun, the address that server sees. There is none that is asked unless
you name it: it would be a stranger who hears of every network that is made.`,
		setup: setupNetworkCreate,
	},
	{
		name: "network list", brief: "List the networks of this machine",
		setup: func(o *options) action {
			asJSON := jsonOption(o)
			return func(ctx context.Context, e *env, _ []string) error { return listNetworks(ctx, e, *asJSON) }
		},
	},
	{
		name: "network remove", args: "NETWORK",
		brief: "Destroy a network on its coordinator: the book, keys and interface",
		about: "The peers keep what they have, but nobody can join or change the network any more.",
		setup: func(o *options) action {
			yes := yesOption(o)
			o.ask("NETWORK", question{text: "Which network", list: networksWho("this machine is no network's coordinator", isCoordinated)})
			return func(ctx context.Context, e *env, args []string) error { return removeNetwork(ctx, e, args[0], *yes) }
		},
	},
	renameEndpoint,
}

// checkPlace refuses a network that this machine cannot be the coordinator of.
func (e *env) checkPlace(ctx context.Context, n config.Network, root netip.Prefix) error {
	if err := e.checkNew(n); err != nil {
		return err
	}
	if err := checkMTU(&n, root); err != nil {
		return err
	}
	if err := e.checkRange(ctx, n.Name, root); err != nil {
		return err
	}
	if n.Existing || exists(state.Path(e.paths.state, n.Name)) { // leftovers are in the way, which settle tells
		return nil
	}
	return daemon.CheckFree(e.system(quiet).Network, n.Name)
}

// settle makes the book, this machine's identity as its coordinator, and the
// section, in this order; when one fails those before it are removed.
func (e *env) settle(n config.Network, book *network.Book, private key.PrivateKey, apiPort uint16, create func(path string) error) error {
	if err := dbfile.EnsureDir(e.paths.state, 0o700); err != nil {
		return err
	}
	if err := create(e.paths.book(n.Name)); err != nil {
		return leftOver(err, "network remove", n.Name)
	}
	self := book.Coordinator()
	id := state.Identity{
		Network: n.Name, Root: book.Root(), Name: self.Name, Address: self.Address, PrivateKey: private,
		Coordinator: state.Coordinator{Address: self.Address, PublicKey: self.Key, APIPort: apiPort},
	}
	if err := state.Create(state.Path(e.paths.state, n.Name), id); err != nil {
		return errors.Join(leftOver(err, "leave", n.Name), os.Remove(e.paths.book(n.Name)))
	}
	if err := e.paths.setNetwork(n); err != nil {
		return errors.Join(err, os.Remove(state.Path(e.paths.state, n.Name)), os.Remove(e.paths.book(n.Name)))
	}
	return nil
}

// leftOver says, where a file is in the way, which command removes it.
func leftOver(err error, command, network string) error {
	if !errors.Is(err, platform.ErrExist) {
		return err
	}
	return fmt.Errorf("%w: `ginnel %s %s` removes what is left of that network", err, command, network)
}

// checkNew refuses a section that the configuration could not hold beside the
// others.
func (e *env) checkNew(n config.Network) error {
	if err := network.CheckNetworkName(n.Name); err != nil {
		return err
	}
	cfg, err := e.paths.readConfig()
	if err != nil {
		return err
	}
	if there, exists := cfg.Network(n.Name); exists {
		return inTheWay(there, n.Role)
	}
	if err := checkOptions(cfg, &n); err != nil {
		return err
	}
	text, err := e.paths.configText()
	if err != nil {
		return err
	}
	if text, err = config.Set(e.paths.config, text, n); err != nil {
		return err
	}
	_, err = config.Parse(e.paths.config, text)
	return err
}

// checkOptions refuses values of a new section by the names that they have on
// the command line.
func checkOptions(cfg *config.Config, n *config.Network) error {
	option, err := config.CheckOptions(n)
	switch {
	case err != nil && n.Role == config.Peer && option == "coordinator":
		return fmt.Errorf("the invitation's endpoint of the coordinator: %w", err)
	case err != nil:
		return usagef("--%s: %v", strings.ReplaceAll(option, "_", "-"), err)
	}
	if o := withPort(cfg, n.ListenPort); o != nil {
		return fmt.Errorf("network %s of this machine has UDP port %d: choose another with --listen-port", o.Name, o.ListenPort)
	}
	return nil
}

// withPort returns the network that has a UDP port; nil: none, and for port 0.
func withPort(cfg *config.Config, port uint16) *config.Network {
	for i := range cfg.Networks {
		if n := &cfg.Networks[i]; port != 0 && n.ListenPort == port {
			return n
		}
	}
	return nil
}

// inTheWay says what can be done about network n, when another one of its name
// is to be created or joined.
func inTheWay(n *config.Network, wanted config.Role) error {
	switch {
	case wanted == config.Coordinator && n.Role == wanted:
		return fmt.Errorf("there is a network %s on this machine already: choose another name, or, to restore a backup of it, destroy it first: `ginnel network remove %[1]s`", n.Name)
	case wanted == config.Coordinator:
		return fmt.Errorf("this machine is in a network %s already: choose another name, or, to restore a backup of it, take the machine out first: `ginnel leave %[1]s`", n.Name)
	case n.Role == config.Coordinator:
		return fmt.Errorf("this machine is the coordinator of %s itself, and can join no other network of that name", n.Name)
	}
	return fmt.Errorf("this machine is in a network %s already: `ginnel leave %[1]s` takes it out", n.Name)
}

func listNetworks(ctx context.Context, e *env, asJSON bool) error {
	list, err := e.networks(ctx)
	if err != nil {
		return err
	}
	rows := [][]string{{"NAME", "ROLE", "STATE", "RANGE", "ADDRESS"}}
	for _, n := range list {
		row := []string{n.Name, n.Role, string(n.State), "-", "-"}
		if n.Root.IsValid() {
			row[3], row[4] = n.Root.String(), addressOrDash(n.Self.Address)
		}
		rows = append(rows, row)
	}
	if asJSON {
		return e.printJSON(list)
	}
	return e.printTable(rows)
}

// networks returns the networks of this machine as the daemon tells of them;
// without a daemon what the configuration says.
func (e *env) networks(ctx context.Context) ([]local.Network, error) {
	st, err := e.client().Status(ctx)
	if err == nil {
		return st.Networks, nil
	} else if !errors.Is(err, local.ErrNotRunning) {
		return nil, err
	}
	cfg, unreadable := e.paths.readConfig()
	if unreadable != nil {
		return nil, unreadable
	}
	e.note("%v", err)
	list := []local.Network{}
	for i := range cfg.Networks {
		list = append(list, described(&local.Status{}, &cfg.Networks[i]))
	}
	return list, nil
}

// described returns what the daemon says of a configured network, as far as
// it knows it.
func described(st *local.Status, cfg *config.Network) local.Network {
	for _, n := range st.Networks {
		if n.Name == cfg.Name {
			return n
		}
	}
	n := local.Network{Name: cfg.Name, Role: string(cfg.Role), State: local.Unknown, Peers: []local.Peer{}}
	if !cfg.Enabled {
		n.State = local.Down
	}
	return n
}
