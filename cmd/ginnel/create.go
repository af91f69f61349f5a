package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"ginnel/coordinator/store"
	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/state"
	"ginnel/key"
	"ginnel/network"
	"ginnel/platform/random"
	"ginnel/wire"
)

// defaultPort is the coordinator's UDP port when nobody says: WireGuard's
// usual one.
const defaultPort = 51820

// autoEndpoint is the endpoint that stands for this machine's own addresses.
const autoEndpoint = "auto"

func setupNetworkCreate(o *options) action {
	port := o.Uint16("listen-port", defaultPort, "the UDP `PORT` of WireGuard, and the TCP port of the API inside the tunnel")
	endpoints := o.Strings("endpoint", "`HOST:PORT` where this machine is reached from outside, or auto; may be repeated")
	o.need("endpoint")
	stun := o.String("stun", "", "", "`HOST:PORT` of a STUN server that --endpoint auto may ask for the public address")
	name := o.String("name", "", "", "this machine's `NAME` in the network (default: its host name)")
	yesOption(o)
	onMachine := machineOptions(o)
	o.ask("NAME", question{text: "The network's name", check: newNetworkName})
	o.ask("PREFIX", question{text: "The range of its addresses", preset: freeRoot, check: newRoot})
	o.ask("listen-port", question{text: "WireGuard's UDP port", preset: freePort, check: newPort})
	o.ask("endpoint", question{
		text:   "Where this machine is reached from outside, HOST:PORT",
		preset: func(a *asking) (string, error) { return a.e.presetEndpoint(*port, *stun), nil },
		check:  newEndpoint,
	})
	return func(ctx context.Context, e *env, args []string) error {
		root, err := parsePrefix(args[1], "10.42.0.0/16")
		if err != nil {
			return err
		}
		if *port == 0 {
			return usagef("--listen-port 0 would be another port after every start: invitations carry it, so choose one")
		}
		if *name == "" {
			*name = hostLabel()
		}
		n := config.New(args[0], config.Coordinator)
		n.ListenPort = *port
		if n.Endpoints, err = e.endpoints(ctx, *endpoints, *port, *stun); err != nil {
			return err
		}
		if err := wire.CheckEndpoints(n.Endpoints); err != nil {
			return usagef("--endpoint: %v", err)
		}
		if err := onMachine(&n); err != nil {
			return err
		}
		return createNetwork(ctx, e, n, root, *name)
	}
}

// newEndpoint says why a new network's coordinator cannot be reached at an
// endpoint.
func newEndpoint(a *asking, text string) error {
	if text == autoEndpoint {
		return nil
	}
	if err := wire.CheckReachable(text); err != nil {
		return err
	}
	root, err := parsePrefix(a.o.args[1], "10.42.0.0/16")
	if err != nil {
		return err
	}
	return network.CheckOutside(root, text)
}

// hostLabel makes the host name fit for a peer's name.
func hostLabel() string {
	host, _ := os.Hostname()
	host, _, _ = strings.Cut(strings.ToLower(host), ".")
	if network.CheckName(host) != nil {
		return "coordinator"
	}
	return host
}

// createNetwork makes a network whose coordinator is this machine.
func createNetwork(ctx context.Context, e *env, n config.Network, root netip.Prefix, name string) error {
	if err := e.checkPlace(ctx, n, root); err != nil {
		return err
	}
	private, err := key.Generate(random.Reader)
	if err != nil {
		return err
	}
	book, change, err := network.New(n.Name, root, name, private.Public(), n.Endpoints...)
	if err != nil {
		return err
	}
	n.Endpoints = nil // the book has them
	if err := e.forgetUnused(n.Name); err != nil {
		return err
	}
	if err := e.settle(n, book, private, n.ListenPort, func(path string) error { return store.Create(path, book, change) }); err != nil {
		return err
	}
	if err := e.say("made network %s (%s); this machine is its coordinator, %s", n.Name, root, network.FirstAssignable(root)); err != nil {
		return err
	}
	_, err = e.takeUp(ctx, n.Name, isUp)
	return err
}

// forgetUnused removes what is left of a network that was being made when the
// power was cut: its section, which comes last, is not there, and nobody was
// ever told of it. A book that anything was done to is in the way, which settle
// tells.
func (e *env) forgetUnused(name string) error {
	s, book, _, err := store.Open(e.paths.book(name))
	if err != nil {
		return nil
	}
	if err := s.Close(); err != nil || book.Revision() != network.FirstRevision {
		return err
	}
	for _, path := range []string{state.Path(e.paths.state, name), e.paths.book(name)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove what is left of an earlier %s: %w", name, err)
		}
	}
	return nil
}

// newNetworkName says why no network can be made of a name.
func newNetworkName(a *asking, name string) error {
	if err := network.CheckNetworkName(name); err != nil {
		return err
	}
	cfg, err := a.e.paths.readConfig()
	if err != nil {
		return hopeless{err}
	}
	if n, exists := cfg.Network(name); exists {
		return inTheWay(n, config.Coordinator)
	}
	if a.o.named("interface").given {
		return nil
	}
	return daemon.CheckFree(a.e.system(quiet).Network, name)
}

// newRoot says why a range cannot be a new network's.
func newRoot(a *asking, text string) error {
	root, err := parsePrefix(text, "10.42.0.0/16")
	if err != nil {
		return err
	}
	if err := network.CheckRoot(root); err != nil {
		return err
	}
	return a.e.checkRange(a.ctx, "", root)
}

// freeRoot suggests a range that this machine has no use for: 10.42.0.0/16, or
// else another one of 10.0.0.0/8, by chance, so that networks that meet one
// day are not likely to have the same.
func freeRoot(a *asking) (string, error) {
	second := [1]byte{42}
	for range 100 {
		root := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, second[0]}), 16)
		if a.e.checkRange(a.ctx, "", root) == nil {
			return root.String(), nil
		}
		if _, err := random.Reader.Read(second[:]); err != nil {
			return "", fmt.Errorf("draw a range: %w", err)
		}
	}
	return "", nil
}

// newPort says why a coordinator cannot have a port.
func newPort(a *asking, text string) error {
	if n, err := strconv.ParseUint(text, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%q is no UDP port: want a number from 1 to 65535, which invitations carry", text)
	}
	return unusedPort(a, text)
}

// unusedPort says which network of this machine has a port already. What is no
// port the option itself refuses.
func unusedPort(a *asking, text string) error {
	cfg, err := a.e.paths.readConfig()
	if err != nil {
		return hopeless{err}
	}
	for i := range cfg.Networks {
		if n := &cfg.Networks[i]; fmt.Sprint(n.ListenPort) == text {
			return fmt.Errorf("network %s of this machine has UDP port %s: choose another", n.Name, text)
		}
	}
	return nil
}

// freePort suggests the first port from defaultPort on that no network of this
// machine has.
func freePort(a *asking) (string, error) {
	cfg, err := a.e.paths.readConfig()
	if err != nil {
		return "", err
	}
	port := uint16(defaultPort)
	for withPort(cfg, port) != nil {
		port++
	}
	return fmt.Sprint(port), nil
}
