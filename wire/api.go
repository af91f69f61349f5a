package wire

import (
	"net/netip"
	"time"

	"ginnel/key"
)

// The paths of the coordinator's API, version 1. {name} is path-escaped.
//
//	GET    /v1/map?revision=R&epoch=E&seq=S  peer      Update
//	PUT    /v1/self                          peer      Report -> 204
//	POST   /v1/redeem                        invitee   RedeemRequest -> Redeemed
//	GET    /v1/network                       peer      NetworkInfo
//	PATCH  /v1/network                       admin     NetworkPatch -> NetworkInfo
//	GET    /v1/cidrs                         admin     []CIDR
//	POST   /v1/cidrs[?preview=1]             admin     CIDR -> CIDRChange (201; 200 for a preview)
//	PATCH  /v1/cidrs/{name}                  admin     Rename -> CIDR
//	DELETE /v1/cidrs/{name}                  admin     204
//	GET    /v1/associations                  admin     []Association
//	POST   /v1/associations                  admin     Association -> Association (201)
//	DELETE /v1/associations/{name}/{name}[?preview=1] admin 204, in either order; a preview: SightChange
//	GET    /v1/peers                         admin     []Peer, invitees included
//	PATCH  /v1/peers/{name}                  admin     PeerPatch -> Peer
//	DELETE /v1/peers/{name}[?free_address=1] admin     204; revokes an invitation that is not redeemed
//	POST   /v1/peers/{name}/invitation       admin     InvitationRenewal -> InvitationIssued (201)
//	GET    /v1/retired                       admin     addresses of removed peers
//	DELETE /v1/retired/{address}             admin     204; it may be given to another peer
//	POST   /v1/invitations                   admin     InvitationRequest -> InvitationIssued (201)
//
// Errors are application/problem+json: 400 malformed, 401 no or wrong
// credentials, 403 not an admin (or an invitee, or disabled), 404 unknown, 405
// wrong method, 409 conflicts with a rule, 410 gone (expired or used
// invitation), 413 too large, 422 breaks a naming or range rule, 429 asked too
// often, Retry-After says when to come again.
const (
	PathMap          = "/v1/map"
	PathSelf         = "/v1/self"
	PathRedeem       = "/v1/redeem"
	PathNetwork      = "/v1/network"
	PathCIDRs        = "/v1/cidrs"
	PathAssociations = "/v1/associations"
	PathPeers        = "/v1/peers"
	PathInvitations  = "/v1/invitations"
	PathRetired      = "/v1/retired"

	// PeerInvitation is what follows a peer's path in that of its invitation.
	PeerInvitation = "invitation"
)

// NetworkInfo is a network at a glance.
type NetworkInfo struct {
	Name        string       `json:"name"`
	Root        netip.Prefix `json:"root"`
	Revision    uint64       `json:"revision"`
	Time        time.Time    `json:"time"`    // by the coordinator's clock, for people: nothing decides by it
	Started     time.Time    `json:"started"` // likewise: the coordinator knows of no handshakes before, unless its interface is older
	Coordinator Member       `json:"coordinator"`
	// Endpoints is where the coordinator is found from outside, best first: what
	// invitations carry. Empty: no invitation can be made.
	Endpoints []string `json:"endpoints"`
}

// NetworkPatch changes a network; nil means unchanged.
type NetworkPatch struct {
	Endpoints []string `json:"endpoints,omitempty"` // 1 to MaxInvitingEndpoints, as CheckEndpoint wants them
}

// CIDR is a named range of overlay addresses.
type CIDR struct {
	Name     string       `json:"name"`
	Prefix   netip.Prefix `json:"prefix"`
	Parent   string       `json:"parent,omitempty"`   // ignored in requests; empty: the root
	Isolated bool         `json:"isolated,omitempty"` // its peers do not see each other
	Peers    int          `json:"peers"`              // ignored in requests: peers that belong to it directly
}

// MaxPreviewPairs is how many pairs a preview names of each kind: there can be
// as many as peers squared.
const MaxPreviewPairs = 100

// CIDRChange is a CIDR that was made, or in a preview would be. A preview alone
// also has the SightChange.
type CIDRChange struct {
	CIDR CIDR `json:"cidr"`
	SightChange
}

// SightChange says how many pairs of active peers would gain or lose sight of
// each other, and names the first MaxPreviewPairs of each.
type SightChange struct {
	GainedCount int        `json:"gained_count,omitempty"`
	LostCount   int        `json:"lost_count,omitempty"`
	Gained      []NamePair `json:"gained,omitempty"`
	Lost        []NamePair `json:"lost,omitempty"`
}

// NamePair names two peers; sight is symmetric.
type NamePair [2]string

// Rename is the body of a PATCH that changes a name.
type Rename struct {
	Name string `json:"name"`
}

// Association joins two CIDRs, by their names.
type Association [2]string

// PeerState tells where a peer is in its life.
type PeerState string

// The states of a peer.
const (
	PeerActive   PeerState = "active"
	PeerDisabled PeerState = "disabled"
	PeerInvited  PeerState = "invited" // its invitation is not redeemed yet
)

// Peer is a peer as an admin sees it.
type Peer struct {
	Member
	State   PeerState `json:"state"`
	Expires time.Time `json:"expires,omitzero"` // of the invitation, while invited
	// LastHandshake is the last one the coordinator's tunnel saw; zero: none
	// since the coordinator started.
	LastHandshake time.Time `json:"last_handshake,omitzero"`
}

// PeerPatch changes a peer; nil means unchanged. A peer's address, key and
// CIDR cannot be changed: a body that names them is refused with 422.
type PeerPatch struct {
	Name     *string `json:"name,omitempty"`
	Disabled *bool   `json:"disabled,omitempty"`
	Admin    *bool   `json:"admin,omitempty"`
}

// InvitationRequest asks for an invitation. CIDR or Address must be given:
// with CIDR alone the lowest free address in it is taken.
type InvitationRequest struct {
	Name    string     `json:"name"`
	CIDR    string     `json:"cidr,omitempty"`
	Address netip.Addr `json:"address,omitzero"`
	Admin   bool       `json:"admin,omitempty"`
	// ExpiresIn is the invitation's life in seconds; 0: 14 days.
	ExpiresIn int64 `json:"expires_in,omitempty"`
}

// InvitationRenewal asks for another invitation of a peer that has not redeemed
// the one it has.
type InvitationRenewal struct {
	// ExpiresIn is the invitation's life in seconds; 0: 14 days.
	ExpiresIn int64 `json:"expires_in,omitempty"`
}

// InvitationIssued is the one time the token is told.
type InvitationIssued struct {
	Peer  Peer   `json:"peer"`
	Token string `json:"token"`
}

// RedeemRequest is the public half of the key the invitee made for itself.
type RedeemRequest struct {
	PublicKey key.PublicKey `json:"public_key"`
}

// Redeemed confirms a redeemed invitation.
type Redeemed struct {
	Self Member       `json:"self"`
	Root netip.Prefix `json:"root"`
}
