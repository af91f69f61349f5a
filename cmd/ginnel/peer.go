package main

import (
	"context"

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
		name: "peer reinvite", args: "PEER",
		brief: "Invite a peer anew that has not joined: print another token",
		about: `The token before is good for nothing from then on. Name, address and rights stay. A peer that
has joined keeps its key for good: remove it and invite it as a new one.`,
		setup: setupReinvite,
	},
	{
		name: "peer list", brief: "List all peers, those invited included",
		about: `With --unseen-for it lists those who have joined, and whom the coordinator has had no handshake
with for so long. It knows of none from before its start, or of its interface. With --retired it
lists the addresses of removed peers, which nobody is given until they are freed.`,
		setup: func(o *options) action {
			network, asJSON := networkOption(o), jsonOption(o)
			unseen := o.String("unseen-for", "", "", "only peers not seen for this `TIME`, such as 90d")
			retired := o.Bool("retired", "", "only the addresses of removed peers")
			return func(ctx context.Context, e *env, _ []string) error {
				switch {
				case *unseen != "" && *retired:
					return usagef("give --unseen-for or --retired, not both")
				case *unseen != "":
					return listUnseen(ctx, e, *network, *unseen, *asJSON)
				case *retired:
					return listRetired(ctx, e, *network, *asJSON)
				}
				return listPeers(ctx, e, *network, *asJSON)
			}
		},
	},
	{
		name: "peer rename", args: "PEER NEW-NAME", brief: "Give a peer another name",
		setup: func(o *options) action {
			network := networkOption(o)
			o.ask("NEW-NAME", newPeerName("Its new name"))
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
		setup: patching(wire.PeerPatch{Admin: new(true)}, "peer %s is an admin",
			whichPeer("every peer is an admin", func(p *wire.Peer) bool { return !p.Admin }), ""),
	},
	{
		name: "peer revoke-admin", args: "PEER", brief: "Make an admin an ordinary peer",
		setup: patching(wire.PeerPatch{Admin: new(false)}, "peer %s is not an admin any more",
			whichPeer("nobody is an admin but the coordinator, who stays one", func(p *wire.Peer) bool { return p.Admin && notCoordinator(p) }),
			"cannot change the network then, and only an admin elsewhere can make it an admin again"),
	},
	{
		name: "peer disable", args: "PEER", brief: "Cut a peer off; it keeps its name, address and key",
		setup: setupDisable,
	},
	{
		name: "peer enable", args: "PEER", brief: "Let a disabled peer in again",
		setup: patching(wire.PeerPatch{Disabled: new(false)}, "peer %s is enabled",
			whichPeer("no peer is disabled", func(p *wire.Peer) bool { return p.State == wire.PeerDisabled }), ""),
	},
	{
		name: "peer remove", args: "PEER...",
		brief: "Remove peers, or revoke their invitations, for good",
		about: `A peer's name is free again; its address stays retired, so that nobody is mistaken for it, unless
--free-address is given: then peers that are away until the address is used again keep the one
they know, with its old key, until ` + "`ginnel pin forget`" + ` there. The address of an invitation that
was never redeemed is free at once.`,
		setup: setupRemovePeers,
	},
	{
		name: "peer free-address", args: "ADDRESS", brief: "Let the address of a removed peer be given out again",
		about: `Machines that saw the removed peer have its key pinned for the address: they do not take another
one until ` + "`ginnel pin forget`" + ` is run on each.`,
		setup: setupFreeAddress,
	},
}

// patching sets up a command that makes one change to a peer and says done of
// its name; loses is what this machine itself would lose by it, which it is asked
// about; empty: nothing.
func patching(patch wire.PeerPatch, done string, which question, loses string) func(*options) action {
	return func(o *options) action {
		network, yes := networkOption(o), new(bool)
		if loses != "" {
			yes = yesOption(o)
		}
		o.ask("PEER", which)
		return func(ctx context.Context, e *env, args []string) error {
			if loses != "" && e.warnSelf(ctx, *network, args, loses) != "" {
				if err := e.confirm(*yes, "Change this machine itself?"); err != nil {
					return err
				}
			}
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
