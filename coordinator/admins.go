package coordinator

import (
	"fmt"
	"slices"
	"time"

	"ginnel/key"
	"ginnel/network"
	"ginnel/wire"
)

// maxInvitationLife is the longest an invitation may be good for.
const maxInvitationLife = 365 * 24 * time.Hour

const secondsADay = 24 * 60 * 60

// Invite makes an invitation. Its temporary key is drawn here and leaves in
// the token alone; the book has the public half.
func (r *Role) Invite(req wire.InvitationRequest) (wire.InvitationIssued, error) {
	return r.issue(req.Name, req.ExpiresIn, func(temporary key.PublicKey, expires time.Time) network.Command {
		return network.Invite{
			Name: req.Name, CIDR: req.CIDR, Address: req.Address, Admin: req.Admin,
			Key: temporary, Expires: expires,
		}
	})
}

// Reinvite makes another invitation for a peer that has not redeemed the one it
// has, which is good for nothing from then on.
func (r *Role) Reinvite(name string, req wire.InvitationRenewal) (wire.InvitationIssued, error) {
	return r.issue(name, req.ExpiresIn, func(temporary key.PublicKey, expires time.Time) network.Command {
		return network.Reinvite{Name: name, Key: temporary, Expires: expires}
	})
}

// issue makes an invitation that is good for seconds, for the peer of a name,
// by a command of the book.
func (r *Role) issue(name string, seconds int64, command func(temporary key.PublicKey, expires time.Time) network.Command) (wire.InvitationIssued, error) {
	var none wire.InvitationIssued
	if book := r.Book(); len(book.Endpoints()) == 0 {
		return none, wire.Errorf(wire.StatusConflict,
			"an invitation must say where the coordinator is found: run `ginnel network rename-endpoint --network %s HOST:PORT`", book.Name())
	}
	expires, err := expiry(r.cfg.Now(), seconds)
	if err != nil {
		return none, err
	}
	temporary, err := key.Generate(r.cfg.Rand)
	if err != nil {
		return none, err
	}
	r.writing.Lock()
	defer r.writing.Unlock()
	book, changes, err := r.apply(command(temporary.Public(), expires))
	if err != nil {
		return none, err
	}
	p, ok := book.PeerNamed(name)
	if !ok {
		return none, fmt.Errorf("invite %q: the book accepted it and does not have it", name)
	}
	inv := r.invitation(book, p, temporary)
	if err := inv.Check(); err != nil { // or nobody could use it
		return none, fmt.Errorf("invite %q: %w", name, err)
	}
	if err := r.carryOut(book, changes); err != nil {
		return none, err
	}
	r.issued.keys = append(r.issued.keys, temporary.Public())
	return wire.InvitationIssued{Peer: r.Describe(book, p), Token: inv.Token()}, nil
}

// expiry is when an invitation that is made now and lives for seconds ends.
func expiry(now time.Time, seconds int64) (time.Time, error) {
	life := network.InvitationLife
	switch {
	case seconds < 0, seconds > int64(maxInvitationLife/time.Second):
		return time.Time{}, wire.Errorf(wire.StatusUnprocessable,
			"an invitation cannot live for %d seconds (%d days): 1 second to %d days are possible, 0 means %d days", seconds,
			seconds/secondsADay, maxInvitationLife/(24*time.Hour), network.InvitationLife/(24*time.Hour))
	case seconds > 0:
		life = time.Duration(seconds) * time.Second
	}
	return now.Add(life).UTC().Truncate(time.Second), nil
}

func (r *Role) invitation(book *network.Book, p *network.Peer, temporary key.PrivateKey) *wire.Invitation {
	own := book.Coordinator()
	return &wire.Invitation{
		Network: book.Name(), Root: book.Root(), Address: p.Address, Name: p.Name,
		Key: temporary, Expires: p.Invited.Expires,
		Coordinator: wire.InvitingPeer{
			Address: own.Address, PublicKey: own.Key, APIPort: r.cfg.APIPort,
			Endpoints: slices.Clone(book.Endpoints()),
		},
	}
}

// Describe returns p of book as an admin sees it.
func (r *Role) Describe(book *network.Book, p *network.Peer) wire.Peer {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := wire.Peer{
		Member: describe(book, p), State: wire.PeerActive,
		LastHandshake: wire.Dated(r.cfg.Now(), r.hub.handshakes[p.Address].at),
	}
	d.Endpoints = r.hub.endpointsOf(p.Address)
	switch {
	case p.Disabled:
		d.State = wire.PeerDisabled
	case p.IsInvited():
		d.State, d.Expires = wire.PeerInvited, p.Invited.Expires
	}
	return d
}

// describe is what the book alone says of p.
func describe(book *network.Book, p *network.Peer) wire.Member {
	m := wire.Member{
		Address: p.Address, Name: p.Name, CIDR: book.CIDROf(p.Address).Name,
		PublicKey: p.Key, Admin: p.Admin,
	}
	switch {
	case p.Address == book.Coordinator().Address:
		m.Role = wire.RoleCoordinator
	case p.IsInvited():
		m.Role, m.PublicKey = wire.RoleInvitee, p.Invited.Key
	}
	return m
}
