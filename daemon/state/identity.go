package state

import (
	"errors"
	"fmt"
	"net/netip"

	"ginnel/key"
)

// Identity is who this machine is in one network.
type Identity struct {
	Network     string         `json:"network"` // the network's name
	Root        netip.Prefix   `json:"root"`    // the network's root CIDR
	Name        string         `json:"name"`    // this peer's name when it joined; the map knows the present one
	Address     netip.Addr     `json:"address"` // this peer's overlay address
	PrivateKey  key.PrivateKey `json:"-"`       // this peer's own; never zero
	Coordinator Coordinator    `json:"coordinator"`
	// Pending is the invitation's temporary key while redeeming it is not
	// confirmed. Zero: this machine is a peer.
	Pending key.PrivateKey `json:"-"`
	// BySection says of a pending join that its section was there before the
	// coordinator had accepted. Create leaves it out.
	BySection bool `json:"-"`
	// Invitation is the public half of the key of the invitation that was, or is
	// being, redeemed; Create derives it from Pending. Zero: there was none, or
	// the file is of a version that did not remember.
	Invitation key.PublicKey `json:"invitation,omitzero"`
}

// IsPending tells whether redeeming the invitation is not confirmed yet.
func (i *Identity) IsPending() bool { return !i.Pending.IsZero() }

// Uses tells whether an interface with private key k may be this network's: while
// it is being joined that has the invitation's key, or none yet.
func (i *Identity) Uses(k key.PrivateKey) bool {
	return k.Equal(i.PrivateKey) || i.IsPending() && (k.IsZero() || k.Equal(i.Pending))
}

// Coordinator is the coordinator this machine has joined. On the coordinator's
// own machine its address and key are the machine's own. Where it is found on
// the underlay is configuration, not state.
type Coordinator struct {
	Address   netip.Addr    `json:"address"`    // overlay address
	PublicKey key.PublicKey `json:"public_key"` // never zero
	APIPort   uint16        `json:"api_port"`   // TCP port of its API on Address; never 0
}

// check tells what an identity lacks.
func (i *Identity) check() error {
	switch {
	case i.Network == "" || i.Name == "":
		return errors.New("identity has no name of the network or of the peer")
	case i.Root != i.Root.Masked() || !i.Root.Contains(i.Address):
		return fmt.Errorf("identity's address %s is not in its network %s", i.Address, i.Root)
	case !i.Root.Contains(i.Coordinator.Address) || i.Coordinator.APIPort == 0:
		return fmt.Errorf("identity's coordinator %s, port %d, is not in its network %s", i.Coordinator.Address, i.Coordinator.APIPort, i.Root)
	case i.PrivateKey.IsZero() || i.Coordinator.PublicKey.IsZero():
		return errors.New("identity has no private key or no coordinator's key")
	}
	return nil
}
