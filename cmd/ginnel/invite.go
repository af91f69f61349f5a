package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"time"

	"github.com/spf13/pflag"

	"ginnel/wire"
)

func setupInvite(fs *pflag.FlagSet) action {
	network, asJSON := networkOption(fs), jsonOption(fs)
	cidr := fs.String("cidr", "", "the CIDR to take the lowest free address of")
	address := fs.String("address", "", "this very address")
	admin := fs.Bool("admin", false, "the peer may change the network")
	expires := fs.String("expires", "14d", "how long the invitation is good for: a number and one of s, m, h, d, w")
	output := fs.StringP("output", "o", "", "write the token to this new file instead of printing it")
	return func(ctx context.Context, e *env, args []string) error {
		req := wire.InvitationRequest{Name: args[0], CIDR: *cidr, Admin: *admin}
		life, err := parseLife(*expires)
		if err != nil {
			return err
		}
		req.ExpiresIn = int64(life / time.Second)
		if *address != "" {
			if req.Address, err = netip.ParseAddr(*address); err != nil {
				return usagef("%q is no address: want one such as 10.42.1.5", *address)
			}
		}
		if req.CIDR == "" && !req.Address.IsValid() {
			return usagef("say where the peer belongs, with --cidr or --address")
		}
		if *output == "" {
			return inviteToTerminal(ctx, e, *network, &req, *asJSON)
		}
		return inviteToFile(ctx, e, *network, &req, *output)
	}
}

func inviteToTerminal(ctx context.Context, e *env, network string, req *wire.InvitationRequest, asJSON bool) error {
	var issued wire.InvitationIssued
	if err := e.coordinator(ctx, network, "POST", wire.PathInvitations, req, &issued); err != nil {
		return err
	}
	if asJSON {
		return e.printJSON(issued)
	}
	e.invited(&issued, "")
	fmt.Fprintln(e.out, issued.Token)
	return nil
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
		revoke := e.coordinator(ctx, network, "DELETE", item(wire.PathPeers, req.Name), nil, nil)
		return errors.Join(fmt.Errorf("write the invitation, which is therefore revoked: %w", err), revoke, os.Remove(path))
	}
	e.invited(&issued, path)
	return nil
}
