package wire

import (
	"errors"
	"net/netip"
	"time"

	"ginnel/key"
)

// Invitation is what a machine needs to join a network, once. Its token is one
// line without spaces that may be pasted, or shown as a QR code.
type Invitation struct {
	Network     string         // the network's name, 1–15 characters
	Root        netip.Prefix   // the network's root CIDR
	Address     netip.Addr     // the invitee's overlay address
	Name        string         // the invitee's name
	Key         key.PrivateKey // the temporary key; good for redeeming and nothing else
	Coordinator InvitingPeer
	Expires     time.Time // whole seconds; by the coordinator's clock, for people: the coordinator decides
}

// InvitingPeer is the coordinator as an invitation names it.
type InvitingPeer struct {
	Address   netip.Addr    // overlay address
	PublicKey key.PublicKey // never zero
	APIPort   uint16        // TCP port of its API on Address
	Endpoints []string      // host:port, the host a DNS name or an address (IPv6 in brackets); at least one
}

// TokenPrefix starts every invitation token.
const TokenPrefix = "ginnel1"

// ErrToken is wrapped by every error of ParseInvitation.
var ErrToken = errors.New("not a whole invitation: copy the line again, from \"" + TokenPrefix + "\" to its end")
