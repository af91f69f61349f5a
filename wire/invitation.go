package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"ginnel/key"
)

// Invitation is what a machine needs to join a network, once. Its token is one
// line without spaces that may be pasted, or shown as a QR code.
type Invitation struct {
	Network     string         // the network's name, see CheckNetworkName
	Root        netip.Prefix   // the network's root CIDR, see CheckRoot
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
	Endpoints []string      // host:port, the host a DNS name or an address (IPv6 in brackets); 1 to MaxInvitingEndpoints
}

// TokenPrefix starts every invitation token.
const TokenPrefix = "ginnel1"

// ErrToken is wrapped by every error of ParseInvitation.
var ErrToken = errors.New("not a whole invitation: copy the line again, from \"" + TokenPrefix + "\" to its end")

// MaxInvitingEndpoints keeps a token small enough for a QR code.
const MaxInvitingEndpoints = 8

// lastExpiry is the last second of the year 9999, the last that JSON's times
// can say.
const lastExpiry = 253402300799

// Check tells what is wrong with an invitation and what would be right; see
// the fields' comments. It does not compare the expiry with any clock.
func (i *Invitation) Check() error {
	if err := CheckNetworkName(i.Network); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	if err := CheckLabel(i.Name, MaxName); err != nil {
		return fmt.Errorf("invitee: %w", err)
	}
	if err := CheckRoot(i.Root); err != nil {
		return err
	}
	if err := checkInside(i.Address, i.Root); err != nil {
		return fmt.Errorf("invitee: %w", err)
	}
	if i.Key.IsZero() {
		return errors.New("the temporary key is missing")
	}
	if s := i.Expires.Unix(); s <= 0 || s > lastExpiry || i.Expires.Nanosecond() != 0 {
		return errors.New("the expiry is not a time in whole seconds from 1970 to 9999")
	}
	if i.Coordinator.Address == i.Address {
		return fmt.Errorf("invitee and coordinator have the same address %s", i.Address)
	}
	if err := i.Coordinator.check(i.Root); err != nil {
		return fmt.Errorf("coordinator: %w", err)
	}
	return nil
}

func (p *InvitingPeer) check(root netip.Prefix) error {
	if err := checkInside(p.Address, root); err != nil {
		return err
	}
	if err := p.PublicKey.Check(); err != nil {
		return err
	}
	if p.APIPort == 0 {
		return errors.New("the API's port is 0")
	}
	if n := len(p.Endpoints); n < 1 || n > MaxInvitingEndpoints {
		return fmt.Errorf("it has %d endpoints, want 1 to %d", n, MaxInvitingEndpoints)
	}
	for _, e := range p.Endpoints {
		if err := CheckEndpoint(e); err != nil {
			return err
		}
	}
	return nil
}
