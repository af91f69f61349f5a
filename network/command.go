package network

import (
	"fmt"
	"net/netip"
	"time"

	"ginnel/key"
)

// Command changes a book. It is one of the types below. One that would change
// nothing (a name it has already, a state it is in already) is accepted with
// a zero [Change].
type Command interface {
	// apply checks the command against e's book and edits it. Its errors are
	// *Refusal; what it edited before one is thrown away.
	apply(e *edit, now time.Time) error
}

// The commands. CIDRs and peers are named by their names.
type (
	// AddCIDR makes a CIDR inside the smallest one that contains it, around
	// peers that may be there already, but not around other CIDRs.
	AddCIDR struct {
		Name     string
		Prefix   netip.Prefix
		Isolated bool
	}
	// RenameCIDR gives a CIDR another name. The root and infra keep theirs.
	RenameCIDR struct{ Name, NewName string }
	// RemoveCIDR deletes a CIDR without peers, children and associations. The
	// root and infra stay.
	RemoveCIDR struct{ Name string }
	// Associate joins two CIDRs, or one with itself. Infra takes none: it sees
	// everyone already.
	Associate struct{ A, B string }
	// Dissociate undoes Associate, in either order.
	Dissociate struct{ A, B string }
	// Invite makes a peer that may redeem until Expires. CIDR or Address is
	// given, or both; without Address the lowest free one is taken that belongs
	// to CIDR itself, not to a CIDR within. With both, Address must belong to
	// CIDR in the same sense.
	Invite struct {
		Name    string
		CIDR    string
		Address netip.Addr
		Admin   bool
		Key     key.PublicKey // of the temporary key
		Expires time.Time     // after now
	}
	// Reinvite gives a peer that has not redeemed its invitation another one,
	// with a temporary key of its own, until Expires. The old one
	// is good for nothing from then on; name, address and rights stay.
	Reinvite struct {
		Name    string
		Key     key.PublicKey // of the temporary key
		Expires time.Time     // after now
	}
	// Redeem gives the invited peer at Address its key. Invited says with which
	// invitation: it may have been revoked since, and another made for the same
	// address. Repeating it with the same key is accepted and changes nothing.
	// Its refusals tell the invitee nothing about other peers.
	Redeem struct {
		Address netip.Addr
		Invited key.PublicKey // the public half of the invitation's temporary key
		Key     key.PublicKey
	}
	// Expire removes peers whose invitations ended by now, freeing names and
	// addresses.
	Expire struct{}
	// Redate moves when the open invitations with those temporary keys end, after
	// the clock by which they were made was set. Others' keys are passed over.
	Redate struct {
		Keys []key.PublicKey
		By   time.Duration // may be negative
	}
	// RenamePeer gives a peer, but not the coordinator's, another name.
	RenamePeer struct{ Name, NewName string }
	// SetDisabled cuts a peer off, or lets it in again as it was. Invited peers
	// cannot be disabled, nor the coordinator's.
	SetDisabled struct {
		Name     string
		Disabled bool
	}
	// SetAdmin makes a peer an admin or not; the coordinator's stays one.
	SetAdmin struct {
		Name  string
		Admin bool
	}
	// RemovePeer deletes a peer, but not the coordinator's, and frees its name.
	// Its address stays retired until FreeAddress frees it, unless FreeAddress is
	// set or it was only invited: removing an invited peer revokes its invitation.
	RemovePeer struct {
		Name        string
		FreeAddress bool
	}
	// FreeAddress lets a retired address be given to another peer.
	FreeAddress struct{ Address netip.Addr }
	// SetEndpoints says where the coordinator is found from outside: 1 to
	// MaxEndpoints different texts, best first, in the place of what was said
	// before. Every peer hears of it.
	SetEndpoints struct{ Endpoints []string }
)

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

func refuse(k Kind, format string, args ...any) error {
	return &Refusal{Kind: k, Reason: fmt.Sprintf(format, args...)}
}
