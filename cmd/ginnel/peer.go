package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"ginnel/wire"
)

var peerCommands = []command{
	{
		name: "peer invite", args: "NAME", least: 1, most: 1,
		brief: "Invite a machine: print the token it joins with",
		about: `The token is one line. Whoever has it can join once, as this peer, until it expires: hand it
over privately. With --output it is written to a new file that only you can read.`,
		setup: setupInvite,
	},
	{
		name: "peer list", brief: "List all peers, those invited included",
		setup: func(fs *pflag.FlagSet) action {
			network, asJSON := networkOption(fs), jsonOption(fs)
			return func(ctx context.Context, e *env, _ []string) error { return listPeers(ctx, e, *network, *asJSON) }
		},
	},
	{
		name: "peer rename", args: "NAME NEW-NAME", least: 2, most: 2, brief: "Give a peer another name",
		setup: func(fs *pflag.FlagSet) action {
			network := networkOption(fs)
			return func(ctx context.Context, e *env, args []string) error {
				return patchPeer(ctx, e, *network, args[0], wire.PeerPatch{Name: &args[1]})
			}
		},
	},
	{
		name: "peer disable", args: "NAME", least: 1, most: 1, brief: "Cut a peer off; it keeps its name, address and key",
		setup: disabling(true),
	},
	{
		name: "peer enable", args: "NAME", least: 1, most: 1, brief: "Let a disabled peer in again",
		setup: disabling(false),
	},
	{
		name: "peer remove", args: "NAME", least: 1, most: 1,
		brief: "Remove a peer, or revoke its invitation, for good",
		about: `Its name is free again; its address stays retired, so that nobody is mistaken for it, unless
--free-address is given. The address of an invitation that was never redeemed is free at once.`,
		setup: func(fs *pflag.FlagSet) action {
			network, yes := networkOption(fs), yesOption(fs)
			free := fs.Bool("free-address", false, "let the address be given out again")
			return func(ctx context.Context, e *env, args []string) error {
				if err := e.confirm(*yes, "Remove peer "+args[0]+" for good?"); err != nil {
					return err
				}
				path := item(wire.PathPeers, args[0])
				if *free {
					path += "?free_address=1"
				}
				return e.coordinator(ctx, *network, "DELETE", path, nil, nil)
			}
		},
	},
}

func disabling(disabled bool) func(*pflag.FlagSet) action {
	return func(fs *pflag.FlagSet) action {
		network := networkOption(fs)
		return func(ctx context.Context, e *env, args []string) error {
			return patchPeer(ctx, e, *network, args[0], wire.PeerPatch{Disabled: &disabled})
		}
	}
}

func patchPeer(ctx context.Context, e *env, network, name string, patch wire.PeerPatch) error {
	return e.coordinator(ctx, network, "PATCH", item(wire.PathPeers, name), patch, nil)
}

func listPeers(ctx context.Context, e *env, network string, asJSON bool) error {
	var peers []wire.Peer
	if err := e.coordinator(ctx, network, "GET", wire.PathPeers, nil, &peers); err != nil {
		return err
	}
	if asJSON {
		return e.printJSON(peers)
	}
	now := time.Now()
	rows := [][]string{{"NAME", "ADDRESS", "CIDR", "STATE", "LAST HANDSHAKE", ""}}
	for _, p := range peers {
		rows = append(rows, []string{p.Name, p.Address.String(), p.CIDR, peerState(now, &p), ago(now, p.LastHandshake), peerMarks(&p)})
	}
	return e.printTable(rows)
}

func peerState(now time.Time, p *wire.Peer) string {
	if p.State == wire.PeerInvited {
		return "invited, expires in " + span(p.Expires.Sub(now))
	}
	return string(p.State)
}

func peerMarks(p *wire.Peer) string {
	var marks []string
	if p.Role == wire.RoleCoordinator {
		marks = append(marks, "coordinator")
	}
	if p.Admin {
		marks = append(marks, "admin")
	}
	return strings.Join(marks, ", ")
}

// invited tells of an invitation that was issued.
func (e *env) invited(i *wire.InvitationIssued, file string) {
	fmt.Fprintf(e.err, "invited %s as %s in %s; the invitation is good for %s\n", i.Peer.Name, i.Peer.Address, i.Peer.CIDR, span(time.Until(i.Peer.Expires).Round(time.Second)))
	if file != "" {
		fmt.Fprintf(e.err, "on the new machine: ginnel join %s\n", file)
	}
}
