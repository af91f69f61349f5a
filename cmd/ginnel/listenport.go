package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/wire"
)

// listenPortCommands: the port of the tunnel.
var listenPortCommands = []command{
	{
		name: "listen-port set", args: "PORT", brief: "Choose the UDP port of this machine's tunnel",
		about: `It changes at once, and stays over restarts; no session is lost. On a coordinator, say before
with ` + "`ginnel network rename-endpoint`" + ` at which port it will be found: its peers look there
when they miss it, and invitations carry it.`,
		setup: func(o *options) action {
			network, yes := networkOption(o), yesOption(o)
			return func(ctx context.Context, e *env, args []string) error {
				port, err := strconv.ParseUint(args[0], 10, 16)
				if err != nil || port == 0 {
					return usagef("%q is no UDP port: want a number from 1 to 65535", args[0])
				}
				return setListenPort(ctx, e, *network, uint16(port), *yes)
			}
		},
	},
	{
		name: "listen-port unset", brief: "Let any free UDP port be this machine's",
		about: "Another one is taken at once.",
		setup: func(o *options) action {
			network := networkOption(o)
			return func(ctx context.Context, e *env, _ []string) error { return unsetListenPort(ctx, e, *network) }
		},
	},
}

func setListenPort(ctx context.Context, e *env, network string, port uint16, yes bool) error {
	has := func(n *local.Network) bool { return n.ListenPort == port }
	n, err := e.reconfigure(ctx, network, has, func(n *config.Network) error {
		if n.ListenPort == port {
			return nil
		}
		n.ListenPort = port
		if st, err := e.client().Status(ctx); err == nil && described(st, n).ListenPort == port {
			return nil // it has it already, by chance
		}
		if err := checkPort(port); err != nil || n.Role != config.Coordinator {
			return err
		}
		return e.reconsiderPort(ctx, n, yes)
	})
	if err != nil {
		return err
	}
	return e.say("%s uses UDP port %d", n.Name, port)
}

// reconsiderPort says what another port of a coordinator means, unless the book
// has it already.
func (e *env) reconsiderPort(ctx context.Context, n *config.Network, yes bool) error {
	var info wire.NetworkInfo
	if err := e.client().Coordinator(ctx, n.Name, "GET", wire.PathNetwork, nil, &info); err != nil {
		info.Endpoints = nil // whatever they are
	}
	for _, s := range info.Endpoints {
		if _, port, err := wire.SplitEndpoint(s); err == nil && port == n.ListenPort {
			return nil
		}
	}
	e.note("peers and invitations know this coordinator by another port (%s): unless a router forwards that one here, run `ginnel network rename-endpoint HOST:%d` first; peers behind NATs lose it otherwise",
		orDash(strings.Join(info.Endpoints, ", ")), n.ListenPort)
	return e.reconsider(yes, "Change the coordinator's port?")
}

// checkPort refuses a port that something else on this machine has.
func checkPort(port uint16) error {
	c, err := net.ListenUDP("udp", &net.UDPAddr{Port: int(port)})
	if err != nil {
		return fmt.Errorf("UDP port %d cannot be used: %w: choose another", port, err)
	}
	return c.Close()
}

func unsetListenPort(ctx context.Context, e *env, network string) error {
	var old uint16
	other := func(n *local.Network) bool { return n.ListenPort != 0 && n.ListenPort != old }
	n, err := e.reconfigure(ctx, network, other, func(n *config.Network) error {
		if n.Role == config.Coordinator {
			return fmt.Errorf("this machine is the coordinator of %s, and a coordinator needs a port of its own: choose one with `ginnel listen-port set`", n.Name)
		}
		old, n.ListenPort = n.ListenPort, 0
		return nil
	})
	if err != nil {
		return err
	}
	return e.say("%s uses any free UDP port", n.Name)
}
