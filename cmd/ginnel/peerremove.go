package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"ginnel/wire"
)

func isInvited(p *wire.Peer) bool { return p.State == wire.PeerInvited }

// peerCalled finds a peer by its name.
func peerCalled(peers []wire.Peer, name string) (*wire.Peer, error) {
	i := slices.IndexFunc(peers, func(p wire.Peer) bool { return p.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("no peer is called %q: `ginnel peer list` lists them", name)
	}
	return &peers[i], nil
}

// introduce says who a peer is, before something happens to it, and what
// becomes of it.
func (e *env) introduce(p *wire.Peer, becomes string) {
	now := time.Now()
	seen := ""
	if p.State != wire.PeerInvited {
		seen = ", last handshake " + lastHandshake(now, p)
	}
	e.note("%s: %s in %s, %s%s; %s", p.Name, p.Address, p.CIDR, peerState(now, p), seen, becomes)
}

func setupDisable(o *options) action {
	network, yes := networkOption(o), yesOption(o)
	isActive := func(p *wire.Peer) bool { return p.State == wire.PeerActive && notCoordinator(p) }
	o.ask("PEER", whichPeer("no other peer is active", isActive))
	return func(ctx context.Context, e *env, args []string) error {
		peers, err := e.peers(ctx, *network)
		if err != nil {
			return err
		}
		own := ""
		if p, err := peerCalled(peers, args[0]); err == nil && isActive(p) {
			e.introduce(p, "it is cut off until it is enabled, and keeps its address and key")
			own = e.warnSelf(ctx, *network, args, "loses the network at once, and only an admin elsewhere can enable it again")
			if err := e.confirm(*yes || own == "" && !e.terminal, "Disable peer "+p.Name+"?"); err != nil {
				return err
			}
		} // else the coordinator says what is wrong
		err = patchPeer(ctx, e, *network, args[0], wire.PeerPatch{Disabled: new(true)})
		if err := cutting(own != "", err); err != nil {
			return err
		}
		return e.say("peer %s is disabled", args[0])
	}
}

func setupRemovePeers(o *options) action {
	network, yes := networkOption(o), yesOption(o)
	free := o.Bool("free-address", "", "let the address be given out again")
	return func(ctx context.Context, e *env, args []string) error {
		args = distinct(args)
		peers, err := e.peers(ctx, *network)
		if err != nil {
			return err
		}
		if err := e.showRemoval(peers, args, *free); err != nil {
			return err
		}
		own := e.warnSelf(ctx, *network, args, "loses the network at once, and comes back only as a new peer that an admin elsewhere invites")
		if i, last := slices.Index(args, own), len(args)-1; i >= 0 { // or it could not remove the others
			args[i], args[last] = args[last], own
		}
		noun := "peer "
		if len(args) > 1 {
			noun = "peers "
		}
		if err := e.confirm(*yes, "Remove "+noun+strings.Join(args, ", ")+" for good?"); err != nil {
			return err
		}
		for _, name := range args {
			if err := cutting(name == own, removePeer(ctx, e, *network, name, *free)); err != nil {
				return err
			}
		}
		return nil
	}
}

// distinct leaves out what is named again.
func distinct(names []string) (list []string) {
	for _, name := range names {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// showRemoval says who is removed and what becomes of the addresses, or that
// one of them cannot be.
func (e *env) showRemoval(peers []wire.Peer, names []string, free bool) error {
	for _, name := range names {
		p, err := peerCalled(peers, name)
		switch {
		case err != nil:
			return err
		case !notCoordinator(p):
			return fmt.Errorf("%s is the coordinator's own peer: it cannot be removed", name)
		case isInvited(p):
			e.introduce(p, "its invitation is revoked, its name and address are free again")
		case free:
			e.introduce(p, "its name and address are free again; peers that are away until the address is used again keep this one with its key, until `ginnel pin forget` there")
		default:
			e.introduce(p, "its name is free again, its address stays retired")
		}
	}
	return nil
}

func removePeer(ctx context.Context, e *env, network, name string, free bool) error {
	path := item(wire.PathPeers, name)
	if free {
		path += "?free_address=1"
	}
	if err := e.coordinator(ctx, network, "DELETE", path, nil, nil); err != nil {
		return err
	}
	return e.say("removed peer %s", name)
}
