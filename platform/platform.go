// Package platform is the whole operating system as Ginnel sees it, on one
// page: plain data first, small interfaces last.
//
// Desired and observed state have the same types. Diff functions, pure, turn a
// pair of them into a change; the interfaces' implementations, in the folders
// below, observe and apply without deciding anything. Applying the same change
// twice is harmless. What we put into the OS can be told from what others put
// there (our route protocol, our block in the hosts file), so that it can be
// found again after a crash. Nothing of ours is in the packet filter: a firewall
// that is stopped, which empties every table, or loaded anew, takes nothing from
// us; what is let in is its own configuration's matter.
//
// Errno becomes one of the sentinels below at this border; nobody above
// imports unix.
package platform

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"ginnel/key"
)

// What an implementation's errors wrap, where it can tell.
var (
	ErrNotExist    = errors.New("does not exist")
	ErrExist       = errors.New("exists already")
	ErrPermission  = errors.New("not permitted: CAP_NET_ADMIN is needed")
	ErrUnsupported = errors.New("not supported by this kernel")
	ErrInUse       = errors.New("in use by another program")
	ErrTorn        = errors.New("changed while it was being read") // Observe: what was read is there, but incomplete
)

// ErrLowPort is ErrPermission where another capability is missing.
var ErrLowPort error = lowPort{}

type lowPort struct{}

func (lowPort) Error() string {
	return "not permitted: ports below 1024 need CAP_NET_BIND_SERVICE"
}

// Is makes it an ErrPermission too.
func (lowPort) Is(target error) bool { return target == ErrPermission }

// Backend tells which WireGuard carries a tunnel's packets.
type Backend string

// The backends.
const (
	Kernel    Backend = "kernel"
	Userspace Backend = "userspace"
)

// TunnelState is one WireGuard interface, desired or observed.
type TunnelState struct {
	Backend    Backend // observed only
	PrivateKey key.PrivateKey
	ListenPort uint16 // desired 0: any; observed: the port in use
	FwMark     uint32 // 0: none
	Peers      []Peer // sorted by PublicKey, without the interface's own key
}

// Peer is one WireGuard peer, desired or observed.
type Peer struct {
	PublicKey  key.PublicKey
	Endpoint   netip.AddrPort // zero: none known; desired zero: as it is
	Keepalive  uint16         // seconds; 0: off
	AllowedIPs []netip.Prefix // masked, sorted, disjoint over all peers

	LastHandshake time.Time // observed only; zero: never
	Rx, Tx        uint64    // observed only; bytes since the peer was added
}

// TunnelChange is what to do to a tunnel. Fields of PrivateKey, ListenPort and
// FwMark are applied when Set names them. Peers to remove are removed first.
type TunnelChange struct {
	Set        DeviceField
	PrivateKey key.PrivateKey
	ListenPort uint16
	FwMark     uint32
	// ReplacePeers drops every peer that is not in Peers, and every session.
	// It is for adopting an interface of unknown history, nothing else.
	ReplacePeers bool
	Remove       []key.PublicKey
	Peers        []PeerChange
}

// IsEmpty tells whether c would change nothing.
func (c *TunnelChange) IsEmpty() bool {
	return c.Set == 0 && !c.ReplacePeers && len(c.Remove) == 0 && len(c.Peers) == 0
}

// DeviceField names fields of an interface.
type DeviceField uint8

// The fields of an interface.
const (
	SetPrivateKey DeviceField = 1 << iota
	SetListenPort
	SetFwMark
)

// PeerChange adds a peer or updates one.
type PeerChange struct {
	PublicKey key.PublicKey
	// Update is for a peer that exists: the change does nothing when it is
	// gone (WGPEER_F_UPDATE_ONLY), so it cannot resurrect a removed peer.
	Update    bool
	Set       PeerField
	Endpoint  netip.AddrPort
	Keepalive uint16 // going from 0 to another value sends a packet at once, and with it a handshake where one is due
	// AllowedIPs are added; with ReplaceAllowedIPs they become the peer's only
	// ones. A prefix that belongs to another peer moves.
	AllowedIPs        []netip.Prefix
	ReplaceAllowedIPs bool
}

// PeerField names fields of a peer.
type PeerField uint8

// The fields of a peer.
const (
	SetEndpoint PeerField = 1 << iota
	SetKeepalive
)

// NetState is the network configuration of one link, desired or observed.
type NetState struct {
	Up        bool
	MTU       int            // bytes
	Addresses []netip.Prefix // sorted; not masked: the address with its prefix length; IPv6 link-local ones are left out
	Routes    []netip.Prefix // destinations routed into the link by us (our route protocol, main table); masked, sorted
}

// NetChange is what to do to a link. Removals come first, routes last. What is
// to be added may be there already.
type NetChange struct {
	SetUp                         bool // bring it up
	SetMTU                        int  // bytes; 0: as it is
	AddAddresses, RemoveAddresses []netip.Prefix
	AddRoutes, RemoveRoutes       []netip.Prefix
}

// IsEmpty tells whether c would change nothing.
func (c *NetChange) IsEmpty() bool {
	return !c.SetUp && c.SetMTU == 0 && len(c.AddAddresses)+len(c.RemoveAddresses)+len(c.AddRoutes)+len(c.RemoveRoutes) == 0
}

// UnderlayAddress is an address of this machine outside our own tunnels.
type UnderlayAddress struct {
	Link   string
	Prefix netip.Prefix // not masked: the address with its prefix length
}

// HostEntry is one line of the hosts block: an address and its names.
type HostEntry struct {
	Address netip.Addr
	Names   []string
}

// Tunnels makes and finds WireGuard interfaces, or only finds those that others
// make.
type Tunnels interface {
	// Open makes the interface called name, or adopts it where it exists and
	// is a WireGuard interface of this backend; another kind of link of that
	// name is ErrExist. The interface is down after it was made. A userspace
	// interface lives as long as its Tunnel is open, a kernel's until Delete.
	// Of others' one that is not there is ErrNotExist, and none is made.
	Open(name string, mtu int) (Tunnel, error)
}

// Tunnel is one WireGuard interface. Its methods are not safe for concurrent
// use. Errors wrap ErrNotExist when somebody else deleted the interface.
type Tunnel interface {
	// Apply does c, in as many steps as it takes. After an error some of c may
	// be done: observe and compare again. A port that is in use (ErrInUse)
	// leaves the old one, and the rest of c is done. It keeps nothing of c.
	Apply(c *TunnelChange) error
	// Observe fills s, whose memory it reuses. It wraps ErrTorn when the
	// result may be incomplete: then peers that are missing may exist.
	Observe(s *TunnelState) error
	// Close lets go of the interface without deleting it; a userspace
	// interface ends with it.
	Close() error
	// Delete removes the interface and closes the Tunnel. An interface of
	// others stays, and loses all that is configured on it (Reset).
	Delete() error
}

// Network configures links and tells of the machine's others.
type Network interface {
	// Apply does c to the link.
	Apply(link string, c *NetChange) error
	// Observe fills s, whose memory it reuses, with the link's state.
	Observe(link string, s *NetState) error
	// Underlay returns the machine's usable underlay addresses, in a stable
	// order: links that are up, none of loopback or of a WireGuard or TUN kind,
	// no loopback, link-local or multicast address.
	Underlay() ([]UnderlayAddress, error)
	// Watch calls changed, from one goroutine, as soon as it watches, and
	// after links, addresses, routes or rules changed, until ctx ends. Changes may be
	// merged. It returns nil when ctx ends, otherwise why it cannot watch any
	// longer.
	Watch(ctx context.Context, changed func()) error
}

// Sockets opens sockets that speak through one link only: what arrives by
// another link is not for them.
type Sockets interface {
	ListenTCP(link string, a netip.AddrPort) (net.Listener, error)
	DialTCP(ctx context.Context, link string, from netip.Addr, to netip.AddrPort) (net.Conn, error)
	ListenUDP(link string, a netip.AddrPort) (UDPConn, error)
}

// UDPConn is the part of *net.UDPConn that is used.
type UDPConn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	SetReadDeadline(t time.Time) error
	Close() error
}

// Names makes names of the overlay known to the machine.
type Names interface {
	// Set makes entries the only ones of network; none removes its block.
	Set(network string, entries []HostEntry) error
}
