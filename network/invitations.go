package network

import (
	"net/netip"
	"slices"
	"time"

	"ginnel/key"
)

// endedBy tells whether the invitation is over at a time.
func (i Invitation) endedBy(now time.Time) bool { return !i.Expires.After(now) }

func (c Invite) apply(e *edit, now time.Time) error {
	if err := e.checkPeerName(c.Name); err != nil {
		return err
	}
	inv := Invitation{Key: c.Key, Expires: c.Expires}
	if err := e.checkInvitation(inv, now); err != nil {
		return err
	}
	a, err := e.invitedAddress(c)
	if err != nil {
		return err
	}
	p := Peer{Address: a, Name: c.Name, Admin: c.Admin, Invited: inv}
	e.putPeer(p)
	e.tellOf(p)
	return nil
}

func (c Reinvite) apply(e *edit, now time.Time) error {
	p, err := e.findPeer(c.Name)
	if err != nil {
		return err
	}
	if !p.IsInvited() {
		return refuse(Conflict, "%s has joined, and the key of a peer that has never changes: remove the peer (`ginnel peer remove`) and invite it anew (`ginnel peer invite`)", p.Name)
	}
	inv := Invitation{Key: c.Key, Expires: c.Expires}
	if err := e.checkInvitation(inv, now); err != nil {
		return err
	}
	p.Invited = inv
	e.putPeer(p)
	e.tellOf(p)
	return nil
}

func (b *Book) checkInvitation(i Invitation, now time.Time) error {
	if i.endedBy(now) {
		return refuse(Invalid, "the invitation would be over at once: let it end after now")
	}
	return b.checkNewKey(i.Key)
}

// checkNewKey refuses keys nobody can use, and keys of the book. It does not
// say whose they are, for an invitee is not told of other peers.
func (b *Book) checkNewKey(k key.PublicKey) error {
	if err := k.Check(); err != nil {
		return refuse(Weak, "the %v", err)
	}
	if slices.ContainsFunc(b.s.Peers, func(p Peer) bool { return p.Key == k || p.Invited.Key == k }) {
		return refuse(Conflict, "the public key is in use in this network already: generate a new key pair")
	}
	return nil
}

// invitedAddress returns the address the invitation asks for, or the lowest
// free one of the CIDR it names.
func (b *Book) invitedAddress(c Invite) (netip.Addr, error) {
	i := -1
	if c.CIDR != "" {
		var err error
		if i, err = b.findCIDR(c.CIDR); err != nil {
			return netip.Addr{}, err
		}
	}
	switch {
	case c.CIDR == InfraName:
		return netip.Addr{}, refuse(Conflict, "%s is the coordinator's own CIDR: invite into another", InfraName)
	case c.Address.IsValid():
		return c.Address, b.checkInvitedAddress(i, c.Address)
	case i < 0:
		return netip.Addr{}, refuse(Invalid, "an invitation needs a CIDR or an address")
	}
	a, ok := b.lowestFree(i)
	if !ok && len(b.direct(i)) == 0 {
		return a, refuse(Conflict, "all of %s lies in %s: invite into one of those", c.CIDR, b.childNames(i))
	}
	if !ok {
		return a, refuse(Conflict, "%v is full: invite into another CIDR, or remove a peer and free its address (--free-address)", &b.s.CIDRs[i])
	}
	return a, nil
}

// childNames are the CIDRs right inside the i-th: "a", "a and b", "a, b and c".
func (b *Book) childNames(i int) string {
	text := ""
	children := b.children(i)
	for n, j := range children {
		switch {
		case n > 0 && n == len(children)-1:
			text += " and "
		case n > 0:
			text += ", "
		}
		text += b.s.CIDRs[j].Name
	}
	return text
}

// checkInvitedAddress tells why a cannot be given to a new peer, in the i-th
// CIDR if i is not -1.
func (b *Book) checkInvitedAddress(i int, a netip.Addr) error {
	of := b.cidrOf(a)
	switch {
	case of < 0:
		return refuse(Invalid, "%v lies outside %v", a, &b.s.CIDRs[0])
	case i >= 0 && of != i:
		return refuse(Invalid, "%v belongs to %v, not to %v", a, &b.s.CIDRs[of], &b.s.CIDRs[i])
	}
	return b.checkFree(of, a)
}

func (c Redeem) apply(e *edit, now time.Time) error {
	p, ok := e.Peer(c.Address)
	switch {
	case !ok:
		return refuse(NotFound, "no peer is invited at %v: ask an admin for another invitation", c.Address)
	case !p.IsInvited() && p.Key == c.Key:
		return nil
	case !p.IsInvited():
		return refuse(Gone, "the invitation was redeemed already, with another key: ask an admin for another one")
	case p.Invited.Key != c.Invited:
		return refuse(Gone, "the invitation was revoked: ask an admin for another one")
	case p.Invited.endedBy(now):
		return refuse(Gone, "the invitation ended at %s: ask an admin for another one", p.Invited.Expires.UTC().Format(time.RFC3339))
	case p.Invited.Key == c.Key:
		return refuse(Conflict, "the temporary key is good for redeeming only: generate a new key pair")
	}
	if err := e.checkNewKey(c.Key); err != nil {
		return err
	}
	joined := *p
	joined.Key, joined.Invited = c.Key, Invitation{}
	e.putPeer(joined)
	e.tellOf(joined)
	e.tellAll(joined)
	return nil
}

func (Expire) apply(e *edit, now time.Time) error {
	ended := func(p *Peer) bool { return p.IsInvited() && p.Invited.endedBy(now) }
	var freed []netip.Prefix
	for _, p := range e.s.Peers {
		if ended(&p) {
			freed = append(freed, host(p.Address))
		}
	}
	e.tellCoordinator(union(freed)...)
	e.deletePeers(ended)
	return nil
}

func (c Redate) apply(e *edit, _ time.Time) error {
	if c.By == 0 {
		return nil
	}
	for _, p := range e.s.Peers { // which putPeer replaces
		if p.IsInvited() && slices.Contains(c.Keys, p.Invited.Key) {
			p.Invited.Expires = p.Invited.Expires.Add(c.By)
			e.putPeer(p)
			e.tellOf(p)
		}
	}
	return nil
}
