package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"os"
	"time"

	"ginnel/wire"
)

// ticket is an invitation that is asked for, and where its token goes.
type ticket struct {
	network string
	peer    string
	life    time.Duration
	asJSON  bool
	output  string // the file; empty: standard output
	path    string // of the API
	request any
	again   bool // in the place of one that was made before
}

// ticketOptions are the options of commands that make an invitation. The result
// reads them.
func ticketOptions(o *options) func(peer string) (*ticket, error) {
	network, asJSON := networkOption(o), jsonOption(o)
	expires := o.String("expires", "", "14d", "the `TIME` the invitation is good for: a number and one of s, m, h, d, w")
	output := o.String("output", "o", "", "write the token to this new `FILE` instead of printing it")
	o.ask("expires", question{
		text: "How long the invitation is good for", preset: always(*expires),
		check: plain(func(text string) error { _, err := parseLife(text); return err }),
	})
	return func(peer string) (*ticket, error) {
		life, err := parseLife(*expires)
		if err == nil && *asJSON && *output != "" {
			err = usagef("--json prints the token and --output writes it to a file: leave one of them out")
		}
		return &ticket{network: *network, peer: peer, life: life, asJSON: *asJSON, output: *output}, err
	}
}

func setupInvite(o *options) action {
	cidr := o.String("cidr", "", "", "the `CIDR` to take the lowest free address of")
	address := o.String("address", "", "", "this very `ADDRESS`")
	o.need("cidr", "address")
	admin := o.Bool("admin", "", "the peer may change the network")
	o.ask("NAME", newPeerName("The new peer's name"))
	o.ask("cidr", question{
		text: "Where it belongs, by a CIDR or by its very address",
		list: placesToInvite, free: true,
		take: func(text string) error { return setPlace(text, cidr, address) },
	})
	o.ask("admin", yesNo("Shall it be an admin, who may change the network (y/n)", admin))
	read := ticketOptions(o)
	return func(ctx context.Context, e *env, args []string) error {
		t, err := read(args[0])
		if err != nil {
			return err
		}
		req := wire.InvitationRequest{Name: t.peer, CIDR: *cidr, Admin: *admin, ExpiresIn: int64(t.life / time.Second)}
		if req.Address, err = parseAddress(*address); err != nil {
			return err
		}
		t.path, t.request = wire.PathInvitations, req
		return t.issue(ctx, e)
	}
}

func setupReinvite(o *options) action {
	o.ask("PEER", whichPeer("nobody is invited who has not joined", isInvited))
	read := ticketOptions(o)
	return func(ctx context.Context, e *env, args []string) error {
		t, err := read(args[0])
		if err != nil {
			return err
		}
		t.path, t.again = item(wire.PathPeers, t.peer)+"/"+wire.PeerInvitation, true
		t.request = wire.InvitationRenewal{ExpiresIn: int64(t.life / time.Second)}
		return t.issue(ctx, e)
	}
}

// placesToInvite lists the CIDRs that have addresses of their own.
func placesToInvite(a *asking) ([]choice, error) {
	cidrs, err := a.cidrs()
	if err != nil {
		return nil, err
	}
	taken := map[string]float64{} // by those inside, as a part of the whole
	for i := range cidrs {
		for j := range cidrs {
			if cidrs[i].Name == cidrs[j].Parent {
				taken[cidrs[i].Name] += math.Ldexp(1, cidrs[i].Prefix.Bits()-cidrs[j].Prefix.Bits())
			}
		}
	}
	return cidrsWho("", func(c *wire.CIDR) bool { return isNotInfra(c) && taken[c.Name] < 1 })(a)
}

// setPlace takes an answer that is a CIDR's name, or else an address.
func setPlace(text string, cidr, address *string) error {
	if _, err := netip.ParseAddr(text); err == nil {
		*cidr, *address = "", text
		return nil
	}
	*cidr, *address = text, ""
	return nil
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

// issue has the invitation made and hands its token over.
func (t *ticket) issue(ctx context.Context, e *env) error {
	if t.output != "" {
		return t.toFile(ctx, e)
	}
	issued, err := t.get(ctx, e)
	if err != nil {
		return err
	}
	if t.asJSON {
		err = e.printJSON(issued)
	} else {
		t.told(e, issued)
		err = e.say("%s", issued.Token)
	}
	if err != nil {
		return t.revoke(ctx, e, err)
	}
	return nil
}

func (t *ticket) get(ctx context.Context, e *env) (*wire.InvitationIssued, error) {
	var issued wire.InvitationIssued
	err := e.coordinator(ctx, t.network, "POST", t.path, t.request, &issued)
	return &issued, err
}

// revoke takes back an invitation whose token did not reach anybody, because
// of err. One that took another's place has left nothing to go back to.
func (t *ticket) revoke(ctx context.Context, e *env, err error) error {
	if t.again {
		return fmt.Errorf("%w; the invitation before is good for nothing any more: run `ginnel peer reinvite %s` again", err, t.peer)
	}
	ctx = context.WithoutCancel(ctx) // whoever interrupts the command now wants it undone even more
	revoked := e.coordinator(ctx, t.network, "DELETE", item(wire.PathPeers, t.peer), nil, nil)
	if revoked != nil {
		return fmt.Errorf("%w; peer %s stays invited: %w", err, t.peer, revoked)
	}
	return fmt.Errorf("%w; the invitation is revoked", err)
}

// toFile has the file before it asks for the invitation, so that a file
// that exists, or cannot be made, leaves no half-made peer. When the token
// cannot be written the invitation is revoked.
func (t *ticket) toFile(ctx context.Context, e *env) error {
	f, err := os.OpenFile(t.output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already and is not overwritten: choose another file", t.output)
	} else if err != nil {
		return fmt.Errorf("make the invitation's file: %w", err)
	}
	issued, err := t.get(ctx, e)
	if err != nil {
		return errors.Join(err, f.Close(), os.Remove(t.output))
	}
	_, err = f.WriteString(issued.Token + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		err = t.revoke(ctx, e, fmt.Errorf("write the invitation: %w", err))
		return errors.Join(err, os.Remove(t.output))
	}
	t.told(e, issued)
	return e.say("wrote the invitation to %s: `ginnel join %[1]s` on the new machine redeems it", t.output)
}

// told tells of an invitation that was issued.
func (t *ticket) told(e *env, i *wire.InvitationIssued) {
	what := "invited"
	if t.again {
		what = "the invitation before is good for nothing any more; invited"
	}
	// The life is by no clock: the coordinator's may differ.
	e.note("%s %s as %s in %s; the invitation is good for %s", what, i.Peer.Name, i.Peer.Address, i.Peer.CIDR, span(t.life))
}
