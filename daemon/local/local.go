// Package local is the local API of the daemon: HTTP over a unix socket that
// only root and the group ginnel may open. The command line speaks nothing
// else, so the same commands work on the coordinator and on every admin peer.
//
//	GET  /v1/status                            Status
//	POST /v1/reload                            reads the configuration again -> 204
//	POST /v1/networks/{network}/fetch          asks the coordinator now -> Network, once it is applied
//	GET  /v1/networks/{network}/pins           []Pin
//	DELETE /v1/networks/{network}/pins/{address}[?key=K]  what the coordinator presents next is taken, or K alone -> 204
//	*    /v1/networks/{network}/coordinator/…  the rest of the path is a request to
//	                                           that network's coordinator ([wire.PathMap])
//
// On a peer such a request goes through the tunnel with the peer's token; on
// the coordinator the same handlers answer it in the process.
package local

import (
	"net/netip"
	"time"

	"ginnel/key"
	"ginnel/wire"
)

// The paths of the local API.
const (
	PathStatus   = "/v1/status"
	PathReload   = "/v1/reload"
	PathNetworks = "/v1/networks/"
	// CoordinatorPart stands between a network's name and the path of the
	// coordinator's API.
	CoordinatorPart = "/coordinator"
	FetchPart       = "/fetch"
	PinsPart        = "/pins"
)

// Status is the daemon at a glance.
type Status struct {
	Version  string    `json:"version"`
	Problems []string  `json:"problems,omitempty"` // of the daemon as a whole, such as a configuration that it cannot read
	Networks []Network `json:"networks"`           // in the configuration's order
}

// State tells how a network on this machine is doing.
type State string

// The states of a network.
const (
	Up      State = "up"      // its interface is configured
	Joining State = "joining" // it is being joined by the invitation in the configuration, until the coordinator has accepted
	Failed  State = "failed"  // it could not be started, or stopped by itself; it is tried again
	Down    State = "down"    // switched off in the configuration
	// Unknown is what the daemon says of a network that does not answer in time,
	// and the command line of a configured one that no daemon tells it about.
	Unknown State = "unknown"
)

// Network is one network on this machine.
type Network struct {
	Name        string        `json:"name"`
	State       State         `json:"state"`
	Error       string        `json:"error,omitempty"` // why it failed, has not joined yet, or does not answer
	Role        string        `json:"role"`            // "peer" or "coordinator"
	Root        netip.Prefix  `json:"root,omitzero"`
	PublicKey   key.PublicKey `json:"public_key,omitzero"`
	Interface   string        `json:"interface,omitempty"` // its name on this machine; empty: the network's
	Backend     string        `json:"backend,omitempty"`   // "kernel" or "userspace"
	ListenPort  uint16        `json:"listen_port,omitempty"`
	Self        wire.Member   `json:"self,omitzero"`
	Revision    uint64        `json:"revision"`              // of the map in use
	LastContact time.Time     `json:"last_contact,omitzero"` // the coordinator's last answer; zero: none since the start
	Problems    []string      `json:"problems,omitempty"`
	Peers       []Peer        `json:"peers"` // sorted by address
}

// Peer is another member of a network, and how it is reached.
type Peer struct {
	wire.Member
	Endpoint      netip.AddrPort `json:"endpoint,omitzero"`       // in use
	LastHandshake time.Time      `json:"last_handshake,omitzero"` // zero: never
	Rx            uint64         `json:"rx_bytes"`
	Tx            uint64         `json:"tx_bytes"`
	Connected     bool           `json:"connected"`
	Overridden    bool           `json:"overridden,omitempty"` // this machine's configuration says where it is reached
	Reach         Reach          `json:"reach"`
	Why           string         `json:"why,omitempty"` // it is not reached, or not where it is overridden, for people
}

// Reach tells in a word how a peer is reached.
type Reach string

// The ways. A peer is Connected in the first two.
const (
	ReachDirect     Reach = "direct"
	ReachLAN        Reach = "lan"        // directly, in a subnet that this machine is attached to
	ReachConnecting Reach = "connecting" // its endpoints are being tried
	ReachIdle       Reach = "idle"       // keepalives are off, and nothing was sent for a while: the next packet makes a session
	ReachNone       Reach = "none"       // no known endpoint of it answers; they are tried again now and then
	ReachWaiting    Reach = "waiting"    // it is invited and has not joined
)

// Pin is a public key that this machine has accepted for an overlay address.
type Pin struct {
	Address   netip.Addr    `json:"address"`
	Name      string        `json:"name,omitempty"` // of who has the address; empty: nobody that is known
	PublicKey key.PublicKey `json:"public_key"`
	InMap     bool          `json:"in_map"`             // the network's map has the address now
	Presented key.PublicKey `json:"presented,omitzero"` // the other key that the coordinator presents for it, which is not taken
}
