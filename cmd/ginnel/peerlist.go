package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"ginnel/wire"
)

// peers returns all peers of a network.
func (e *env) peers(ctx context.Context, network string) ([]wire.Peer, error) {
	var peers []wire.Peer
	err := e.coordinator(ctx, network, "GET", wire.PathPeers, nil, &peers)
	return peers, err
}

func listPeers(ctx context.Context, e *env, network string, asJSON bool) error {
	peers, err := e.peers(ctx, network)
	if err != nil {
		return err
	}
	return e.printPeers(peers, asJSON)
}

// listUnseen lists the peers that have joined and were not seen for as long as
// text says.
func listUnseen(ctx context.Context, e *env, network, text string, asJSON bool) error {
	age, err := parseLife(text)
	if err != nil {
		return err
	}
	peers, err := e.peers(ctx, network)
	if err != nil {
		return err
	}
	var info wire.NetworkInfo
	if err := e.coordinator(ctx, network, "GET", wire.PathNetwork, nil, &info); err != nil {
		return err
	}
	if info.Time.IsZero() {
		return errors.New("the coordinator does not tell its time, which says how long ago a peer was seen: it is older than this program, upgrade it first")
	}
	peers = slices.DeleteFunc(peers, func(p wire.Peer) bool { return !unseen(&p, info.Time.Add(-age)) })
	watched := info.Time.Sub(info.Started)
	if watched < age && slices.ContainsFunc(peers, func(p wire.Peer) bool { return p.LastHandshake.IsZero() }) {
		e.note("the coordinator has watched for %s only: who was never seen in that time may have been there before", span(watched))
	}
	return e.printPeers(peers, asJSON)
}

// unseen tells whether a peer has joined and had its last handshake with the
// coordinator before a time, or none that is known.
func unseen(p *wire.Peer, before time.Time) bool {
	return p.State != wire.PeerInvited && notCoordinator(p) && p.LastHandshake.Before(before)
}

func (e *env) printPeers(peers []wire.Peer, asJSON bool) error {
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
