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
//
// # Sight
//
// p sees q when both belong to the same CIDR and it is not isolated, when one
// of them is the coordinator, or when an association joins a CIDR that
// contains p with one that contains q. A peer belongs to one CIDR, the
// smallest: being below the same one is not enough. An association is
// explicit, so it also joins peers of isolated CIDRs. Sight is symmetric.
// Disabled peers neither see nor are seen; of invited ones only the
// coordinator knows.
//
// # Changes and deltas
//
// A peer that knows its view at a revision gets the present one by looking
// again at what [Touched] says of the changes since ([Book.View]), and at its
// own record if its address is touched. Of what happens to one peer only those
// hear whom it concerns; structure (CIDRs, associations) may tell a few more.
// A peer that redeems, or is enabled, is told to look everywhere, so changes
// need not think of those who are away.
//
// # Decisions
//
//   - Two prefixes are nested or disjoint. So a new CIDR overlaps a sibling only
//     by containing it, and that is refused: CIDRs are made from the outside in.
//   - A CIDR may be made around a peer whose address is then its first or last.
//     Such addresses are not given out, but an address that was given stays.
//   - An address is freed with its peer, or later by FreeAddress: a retired one
//     never comes back by itself, not even by asking for it in an invitation.
//   - To issue an invitation again (Reinvite) is to give the invited peer
//     another temporary key. A peer that redeemed has its key for good: it is
//     removed, and invited as a new one.
//   - Names of CIDRs and of peers do not clash with each other.
//   - Where the coordinator is found from outside is in the book: every peer
//     must hear of it, and none can ask when it has moved. What an endpoint is,
//     host:port, is the wire's to say and its doors' to check; to the book it is
//     a text.
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
	// Endpoints are where the coordinator is found from outside, best first. They
	// are one record: those of a Put replace all, none leave them as they are.
	Endpoints []string
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
// Touched. Both are masked prefixes that contained peers, in any state, when
// the change was made.
type Part struct{ Audience, Touched netip.Prefix }
