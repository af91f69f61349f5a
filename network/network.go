// Package network is the book of one network: its CIDRs, peers, associations
// and invitations, who may see whom, and what each change means to whom. It is
// pure: no I/O, no clock, no goroutine.
//
// A [Book] is a value that never changes. [Book.Apply] takes a [Command] and
// returns the next book with a [Change]; the caller writes the change down
// (one transaction) and then lets the new book take the old one's place.
// Readers need no lock.
//
// Peers are identified by their address and kept in its order, CIDRs by their
// prefix; so "who may this peer see" and "who must hear of this" are scans of
// a few ranges.
package network

import (
	"net/netip"
	"time"

	"ginnel/key"
)

// InfraName is the name of the coordinator's own CIDR.
const InfraName = "infra"

// InvitationLife is how long an invitation is good for when nobody says.
const InvitationLife = 14 * 24 * time.Hour

// CIDR is a named range of overlay addresses. A peer belongs to the smallest
// one that contains its address.
type CIDR struct {
	Name     string
	Prefix   netip.Prefix // masked; never changes
	Isolated bool         // its direct peers do not see each other by belonging to it
}

// Peer is a machine in the network.
type Peer struct {
	Address  netip.Addr    // never changes, never reused by accident
	Name     string        // unique among peers
	Key      key.PublicKey // zero while invited; once set it never changes
	Admin    bool
	Disabled bool
	// Invited is zero once the invitation was redeemed.
	Invited Invitation
}

// IsInvited tells whether the peer's invitation is not redeemed yet.
func (p *Peer) IsInvited() bool { return !p.Invited.Key.IsZero() }

// Invitation is a single-use ticket to join.
type Invitation struct {
	Key     key.PublicKey // the public half of the temporary key
	Expires time.Time
}

// Association joins two CIDRs, perhaps one with itself, whose peers, those of
// the CIDRs within included, then see each other. A is not after B in the
// order of netip.Prefix.Compare.
type Association struct{ A, B netip.Prefix }

// Records are what a book consists of, and what a store keeps.
type Records struct {
	CIDRs        []CIDR        // sorted by prefix (address, then length); the root and infra among them
	Peers        []Peer        // sorted by address
	Associations []Association // sorted by A, then B
	Retired      []netip.Addr  // addresses of deleted peers, sorted; never given out automatically
}

// Snapshot is a whole book as plain data.
type Snapshot struct {
	Name        string
	Revision    uint64     // the number of accepted commands
	Coordinator netip.Addr // the coordinator's own peer
	Records
}

// Change is what one accepted command did.
type Change struct {
	Revision uint64 // of the book after it
	Parts    []Part
	// Put and Delete are the records to write down; of a record to delete only
	// its identity (prefix, address, pair) counts.
	Put, Delete Records
}

// Part says: peers in Audience must look again at what they may see within
// Touched. Both are masked prefixes.
type Part struct{ Audience, Touched netip.Prefix }

// Command changes a book. It is one of the types below.
type Command interface{ command() }

// The commands. CIDRs and peers are named by their names.
type (
	// AddCIDR makes a CIDR inside the smallest one that contains it, around
	// peers that may be there already.
	AddCIDR struct {
		Name     string
		Prefix   netip.Prefix
		Isolated bool
	}
	// RenameCIDR gives a CIDR another name. The root and infra keep theirs.
	RenameCIDR struct{ Name, NewName string }
	// RemoveCIDR deletes a CIDR without peers, children and associations.
	RemoveCIDR struct{ Name string }
	// Associate joins two CIDRs.
	Associate struct{ A, B string }
	// Dissociate undoes Associate, in either order.
	Dissociate struct{ A, B string }
	// Invite makes a peer that may redeem until Expires. CIDR or Address is
	// given, or both; without Address the lowest free one of CIDR is taken.
	Invite struct {
		Name    string
		CIDR    string
		Address netip.Addr
		Admin   bool
		Key     key.PublicKey // of the temporary key
		Expires time.Time
	}
	// Redeem gives the invited peer at Address its key. Repeating it with the
	// same key is accepted and changes nothing: the Change is then zero.
	Redeem struct {
		Address netip.Addr
		Key     key.PublicKey
	}
	// Expire removes peers whose invitations ended before now, freeing names
	// and addresses. With none the Change is zero.
	Expire struct{}
	// RenamePeer gives a peer another name.
	RenamePeer struct{ Name, NewName string }
	// SetDisabled cuts a peer off, or lets it in again as it was.
	SetDisabled struct {
		Name     string
		Disabled bool
	}
	// SetAdmin makes a peer an admin or not.
	SetAdmin struct {
		Name  string
		Admin bool
	}
	// RemovePeer deletes a peer and frees its name. Its address stays retired
	// unless FreeAddress is set or it was only invited.
	RemovePeer struct {
		Name        string
		FreeAddress bool
	}
	// FreeAddress lets a retired address be given out again.
	FreeAddress struct{ Address netip.Addr }
	// Reissue gives an invited peer another temporary key and expiry; the
	// earlier invitation ends.
	Reissue struct {
		Name    string
		Key     key.PublicKey
		Expires time.Time
	}
)

func (AddCIDR) command()     {}
func (RenameCIDR) command()  {}
func (RemoveCIDR) command()  {}
func (Associate) command()   {}
func (Dissociate) command()  {}
func (Invite) command()      {}
func (Redeem) command()      {}
func (Expire) command()      {}
func (RenamePeer) command()  {}
func (SetDisabled) command() {}
func (SetAdmin) command()    {}
func (RemovePeer) command()  {}
func (FreeAddress) command() {}
func (Reissue) command()     {}

// Kind sorts refusals for machines; people read the reason.
type Kind int

// The kinds of refusal.
const (
	Invalid  Kind = iota + 1 // breaks a naming or range rule
	NotFound                 // names something the book does not have
	Conflict                 // clashes with what the book has
	Gone                     // the invitation expired or was redeemed
	Weak                     // an unacceptable key
)

// Refusal is the error of a command that was not accepted: what was wrong and
// what would be right.
type Refusal struct {
	Kind   Kind
	Reason string
}

// Error returns the reason.
func (r *Refusal) Error() string { return r.Reason }
