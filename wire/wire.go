// Package wire is what crosses between machines, and between the two roles in
// one process: the types of the coordinator's API, its problem details, the
// invitation token and the signal datagrams. Types and codecs only, no I/O.
//
// # Identity
//
// A peer is its overlay address: every reference to a peer on the wire is its
// address, never a number or a name.
//
// # Deltas
//
// An [Update] says "within these ranges the members you may see are exactly
// these". A delta therefore needs no memory of what a peer knew: applying it
// twice, or applying a wider one than needed, does no harm. What it must not do
// is to leave something out, so it says from which position it starts, and is
// good for that one alone. A peer that has nothing, or whose position is too
// old, gets a whole map: the range is then the network's root.
package wire

import (
	"context"
	"net/netip"
	"time"

	"ginnel/key"
)

// Limits of the API. A sender that keeps them is never refused for size.
const (
	MaxBody       = 64 << 10 // bytes in a request's body
	MaxResponse   = 16 << 20 // bytes in a response's body: a map of 10,000 members has about 3 MB
	MaxCandidates = 10       // candidates in a Report
	MaxAnnounced  = 8        // endpoints that a member announces
)

// TokenPurpose is the purpose of the API's token ([key.PrivateKey.Token]).
const TokenPurpose = "ginnel api v1"

// Member is one peer as another may see it.
type Member struct {
	Address   netip.Addr    `json:"address"`            // overlay address, the peer's identity
	Name      string        `json:"name"`               // unique in the network
	CIDR      string        `json:"cidr"`               // name of the smallest CIDR that contains Address
	PublicKey key.PublicKey `json:"public_key"`         // never zero
	Role      Role          `json:"role,omitempty"`     // zero: an ordinary peer
	Admin     bool          `json:"admin,omitempty"`    // may change the network
	Endpoints Endpoints     `json:"endpoints,omitzero"` // zero: none known
}

// Role tells the members with a part of their own from the others.
type Role string

// The roles. An invitee appears in the coordinator's own map only: it may
// redeem and nothing else.
const (
	RolePeer        Role = ""
	RoleCoordinator Role = "coordinator"
	RoleInvitee     Role = "invitee"
)

// Endpoints is where a member may be reached on the underlay. It is soft
// state: kept in memory, and no reason to write to flash.
type Endpoints struct {
	// Seen is the endpoint the coordinator's tunnel shows for the member: its
	// address as the outside sees it, behind a NAT the NAT's. Zero: never seen.
	Seen netip.AddrPort `json:"seen,omitzero"`
	// Candidates are the endpoints the member reported of itself, at most
	// MaxCandidates, best first.
	Candidates []netip.AddrPort `json:"candidates,omitempty"`
	// Announced are the endpoints at which the member's administrator says it is
	// reached, host:port as CheckEndpoint wants them, at most MaxAnnounced, best
	// first. Whoever needs an address looks names up. The coordinator's own are
	// in its book, and so no soft state.
	Announced []string `json:"announced,omitempty"`
}

// Position is how far a peer has followed the coordinator. The zero Position
// asks for the whole map.
type Position struct {
	Revision uint64 `json:"revision"` // of the book; durable
	Epoch    uint64 `json:"epoch"`    // one life of the coordinator's process; Seq means nothing in another
	Seq      uint64 `json:"seq"`      // of the endpoint news in this epoch
}

// Update takes a peer's map from one position to another.
type Update struct {
	// From is the position this update starts from, the one that was asked
	// with. Zero: it starts from nothing and is a whole map.
	From     Position `json:"from,omitzero"`
	Position Position `json:"position"` // the map's position after this update
	Network  string   `json:"network"`
	// Root is the network's root CIDR.
	Root netip.Prefix `json:"root"`
	// Self is the receiver's own record.
	Self Member `json:"self"`
	// Ranges are the overlay ranges this update speaks of, masked and
	// disjoint. Within them the members the receiver may see are exactly
	// Members; members it knows there and that are not listed are gone. A
	// whole map has Root as its only range.
	Ranges  []netip.Prefix `json:"ranges,omitempty"`
	Members []Member       `json:"members,omitempty"` // sorted by address; never Self
	// Patches are news of endpoints only, of members outside Ranges.
	Patches []Patch `json:"patches,omitempty"`
}

// Patch is a member's new endpoints.
type Patch struct {
	Address   netip.Addr `json:"address"`
	Endpoints Endpoints  `json:"endpoints"`
}

// Report is what a peer tells of itself.
type Report struct {
	// Candidates are the peer's own underlay addresses with its WireGuard
	// port: no loopback, link-local, multicast or overlay address, at most
	// MaxCandidates.
	Candidates []netip.AddrPort `json:"candidates"`
	// Announced is where the peer's administrator says it is reached, as
	// CheckAnnounced wants it, at most MaxAnnounced. For a port alone the
	// coordinator fills in the address at which it sees the peer.
	Announced []string `json:"announced,omitempty"`
}

// Sighting is what a tunnel shows of a peer. The daemon on the coordinator's
// machine hands these to the role.
type Sighting struct {
	Address       netip.Addr     // overlay address
	Endpoint      netip.AddrPort // zero: none
	LastHandshake time.Time      // zero: never
}

// Coordinator is what a peer's daemon asks of the coordinator: over the
// tunnel, or, on the coordinator's own machine, of the role in the same
// process. Errors are [*Problem] where the coordinator refused; others mean it
// was not reached.
type Coordinator interface {
	// Fetch returns what changed since pos.
	Fetch(ctx context.Context, pos Position) (*Update, error)
	// Report replaces what the coordinator knows of the caller's endpoints, but
	// for the one it sees itself.
	Report(ctx context.Context, r Report) error
}

// Sightings receives what the coordinator's own tunnel shows, and what comes
// through it. Its methods must not block.
type Sightings interface {
	// Seen takes what the tunnel shows of its peers. It does not keep s.
	Seen(now time.Time, s []Sighting)
	// Polled takes the SignalPoll of a peer, with its Value, and has it
	// answered.
	Polled(from netip.Addr, epoch uint64)
}
