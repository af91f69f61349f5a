package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"time"

	"ginnel/wire"
)

func setupInvite(o *options) action {
	network, asJSON := networkOption(o), jsonOption(o)
	cidr := o.String("cidr", "", "", "the `CIDR` to take the lowest free address of")
	address := o.String("address", "", "", "this very `ADDRESS`")
	admin := o.Bool("admin", "", "the peer may change the network")
	expires := o.String("expires", "", "14d", "the `TIME` the invitation is good for: a number and one of s, m, h, d, w")
	o.need("cidr", "address")
	output := o.String("output", "o", "", "write the token to this new `FILE` instead of printing it")
	return func(ctx context.Context, e *env, args []string) error {
		life, err := parseLife(*expires)
		if err != nil {
			return err
		}
		req := wire.InvitationRequest{Name: args[0], CIDR: *cidr, Admin: *admin, ExpiresIn: int64(life / time.Second)}
		if req.Address, err = parseAddress(*address); err != nil {
			return err
		}
		switch {
		case *output == "":
			return inviteToTerminal(ctx, e, *network, &req, *asJSON)
		case *asJSON:
			return usagef("--json prints the token and --output writes it to a file: leave one of them out")
		}
		return inviteToFile(ctx, e, *network, &req, *output)
	}
}

// parseAddress reads the value of --address; none is the zero Addr.
func parseAddress(s string) (a netip.Addr, err error) {
	if s == "" {
		return a, nil
	}
	if a, err = netip.ParseAddr(s); err != nil {
		return a, usagef("%q is no address: want one such as 10.42.1.5", s)
	}
	return a, nil
}

func inviteToTerminal(ctx context.Context, e *env, network string, req *wire.InvitationRequest, asJSON bool) error {
	var issued wire.InvitationIssued
	if err := e.coordinator(ctx, network, "POST", wire.PathInvitations, req, &issued); err != nil {
		return err
	}
	var err error
	if asJSON {
		err = e.printJSON(issued)
	} else {
		e.invited(&issued, req)
		err = e.say("%s", issued.Token)
	}
	if err != nil {
		return e.revoke(ctx, network, req.Name, err)
	}
	return nil
}

// revoke takes back an invitation whose token did not reach anybody, because
// of err.
func (e *env) revoke(ctx context.Context, network, name string, err error) error {
	ctx = context.WithoutCancel(ctx) // whoever interrupts the command now wants it undone even more
	revoked := e.coordinator(ctx, network, "DELETE", item(wire.PathPeers, name), nil, nil)
	if revoked != nil {
		return fmt.Errorf("%w; peer %s stays invited: %w", err, name, revoked)
	}
	return fmt.Errorf("%w; the invitation is revoked", err)
}

// inviteToFile has the file before it asks for the invitation, so that a file
// that exists, or cannot be made, leaves no half-made peer. When the token
// cannot be written the invitation is revoked.
func inviteToFile(ctx context.Context, e *env, network string, req *wire.InvitationRequest, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already and is not overwritten: choose another file", path)
	} else if err != nil {
		return fmt.Errorf("make the invitation's file: %w", err)
	}
	var issued wire.InvitationIssued
	if err := e.coordinator(ctx, network, "POST", wire.PathInvitations, req, &issued); err != nil {
		return errors.Join(err, f.Close(), os.Remove(path))
	}
	_, err = f.WriteString(issued.Token + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		err = e.revoke(ctx, network, req.Name, fmt.Errorf("write the invitation: %w", err))
		return errors.Join(err, os.Remove(path))
	}
	e.invited(&issued, req)
	return e.say("wrote the invitation to %s: `ginnel join %[1]s` on the new machine redeems it", path)
}

// invited tells of an invitation that was issued.
func (e *env) invited(i *wire.InvitationIssued, req *wire.InvitationRequest) {
	life := span(time.Duration(req.ExpiresIn) * time.Second) // by no clock: the coordinator's may differ
	e.note("invited %s as %s in %s; the invitation is good for %s", i.Peer.Name, i.Peer.Address, i.Peer.CIDR, life)
}
