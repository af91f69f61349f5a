package main

import (
	"context"
	"strings"
	"time"

	"ginnel/wire"
)

var peerCommands = []command{
	{
		name: "peer invite", args: "NAME",
		brief: "Invite a machine: print the token it joins with",
		about: `The token is one line. Whoever has it can join once, as this peer, until it expires: hand it
over privately. With --output it is written to a new file that only you can read.`,
		setup: setupInvite,
	},
	{
		name: "peer list", brief: "List all peers, those invited included",
		setup: func(o *options) action {
			network, asJSON := networkOption(o), jsonOption(o)
			return func(ctx context.Context, e *env, _ []string) error { return listPeers(ctx, e, *network, *asJSON) }
		},
	},
	{
		name: "peer rename", args: "PEER NEW-NAME", brief: "Give a peer another name",
		setup: func(o *options) action {
			network := networkOption(o)
			return func(ctx context.Context, e *env, args []string) error {
				if err := patchPeer(ctx, e, *network, args[0], wire.PeerPatch{Name: &args[1]}); err != nil {
					return err
				}
				return e.say("renamed peer %s to %s", args[0], args[1])
			}
		},
	},
	{
		name: "peer grant-admin", args: "PEER", brief: "Make a peer an admin: it may change the network",
		setup: patching(wire.PeerPatch{Admin: new(true)}, "peer %s is an admin"),
	},
	{
		name: "peer revoke-admin", args: "PEER", brief: "Make an admin an ordinary peer",
		setup: patching(wire.PeerPatch{Admin: new(false)}, "peer %s is not an admin any more"),
	},
	{
		name: "peer disable", args: "PEER", brief: "Cut a peer off; it keeps its name, address and key",
		setup: patching(wire.PeerPatch{Disabled: new(true)}, "peer %s is disabled"),
	},
	{
		name: "peer enable", args: "PEER", brief: "Let a disabled peer in again",
		setup: patching(wire.PeerPatch{Disabled: new(false)}, "peer %s is enabled"),
	},
	{
		name: "peer remove", args: "PEER",
		brief: "Remove a peer, or revoke its invitation, for good",
		about: `Its name is free again; its address stays retired, so that nobody is mistaken for it, unless
--free-address is given. The address of an invitation that was never redeemed is free at once.`,
		setup: func(o *options) action {
			network, yes := networkOption(o), yesOption(o)
			free := o.Bool("free-address", "", "let the address be given out again")
			return func(ctx context.Context, e *env, args []string) error {
				if err := e.confirm(*yes, "Remove peer "+args[0]+" for good?"); err != nil {
					return err
				}
				path := item(wire.PathPeers, args[0])
				if *free {
					path += "?free_address=1"
				}
				if err := e.coordinator(ctx, *network, "DELETE", path, nil, nil); err != nil {
					return err
				}
				return e.say("removed peer %s", args[0])
			}
		},
	},
}

// patching sets up a command that makes one change to a peer and says done of
// its name.
func patching(patch wire.PeerPatch, done string) func(*options) action {
	return func(o *options) action {
		network := networkOption(o)
		return func(ctx context.Context, e *env, args []string) error {
			if err := patchPeer(ctx, e, *network, args[0], patch); err != nil {
				return err
			}
			return e.say(done, args[0])
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
	rows := [][]string{{"NAME", "ADDRESS", "CIDR", "STATE", "HANDSHAKE", ""}}
	for _, p := range peers {
		rows = append(rows, []string{p.Name, p.Address.String(), p.CIDR, peerState(now, &p), lastHandshake(now, &p), peerMarks(&p)})
	}
	return e.printTable(rows)
}

func peerState(now time.Time, p *wire.Peer) string {
	if p.State == wire.PeerInvited {
		return "invited, expires in " + span(p.Expires.Sub(now))
	}
	return string(p.State)
}

// lastHandshake is by the coordinator's tunnel, which has none with itself.
func lastHandshake(now time.Time, p *wire.Peer) string {
	if p.Role == wire.RoleCoordinator {
		return "-"
	}
	return ago(now, p.LastHandshake)
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
