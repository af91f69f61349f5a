package doctor

import (
	"net/netip"
	"time"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/platform"
)

// Facts is what could be learnt of a machine. What is missing has its zero
// value, and where it matters an error says why.
type Facts struct {
	Now     time.Time // by this machine's clock
	Version string    // of the program that asks
	OpenWrt bool      // advice is in OpenWrt's words

	Config      Config
	State       State
	Daemon      Daemon
	Machine     platform.Machine
	Filters     []platform.FilterTable
	FiltersErr  error
	Underlay    []platform.UnderlayAddress
	UnderlayErr error
	Networks    []Network // those that were asked about
	Others      []Network // the machine's others, of which only Name, Config, Status and Root are known
}

// Config is the configuration's file.
type Config struct {
	Path    string
	Missing bool
	Err     error // why it could not be read or understood
}

// State is the directory of identities and books.
type State struct {
	Path string
	Mode uint32 // its permission bits
	Err  error  // why it could not be looked at
}

// Daemon is what the daemon says of itself.
type Daemon struct {
	Err      error // why it does not answer
	Version  string
	Problems []string
}

// Network is one network on this machine.
type Network struct {
	Name   string
	Config *config.Network // nil: the configuration could not be read
	Status *local.Network  // nil: no daemon tells of it

	StateErr    error        // why its state could not be read
	BookErr     error        // why its book could not be; nil unless this machine is the coordinator and the daemon does not run it
	Root        netip.Prefix // its range
	Address     netip.Addr   // this machine's in it
	Coordinator netip.Addr   // the coordinator's in it
	APIPort     uint16       // of the coordinator's API; 0: unknown

	Hosts      []Host            // the configured endpoints of the coordinator
	Endpoints  []Endpoint        // their addresses, the one in use first
	Net        platform.NetState // of its link; zero: there is none, or it could not be read
	Overlay    platform.Route    // to the coordinator's overlay address
	OverlayErr error
	API        API
}

// Host is a configured endpoint of the coordinator.
type Host struct {
	Name  string // DNS name, or address
	Port  uint16
	Addrs []netip.Addr
	Err   error // why its addresses were not found
}

// Endpoint is an underlay address that the coordinator may have.
type Endpoint struct {
	At       netip.AddrPort
	Route    platform.Route
	RouteErr error
	Echo     platform.Echo // empty: nothing was sent
	EchoErr  error
}

// API is what asking the coordinator brought.
type API struct {
	Asked  bool
	Err    error         // *wire.Problem where the coordinator, or the daemon, refused
	Took   time.Duration // until the answer
	Ahead  time.Duration // this machine's clock against the coordinator's; only with HasClock
	Clock  bool          // the coordinator told its clock
	Heard  bool          // something arrived from the coordinator through the tunnel meanwhile
	Big    bool          // it was also asked with packets of full size
	BigErr error
}

// Link is the name of the network's interface.
func (n *Network) Link() string {
	if n.Config != nil {
		return n.Config.Link()
	}
	return n.Name
}

// IsCoordinator tells whether this machine is the network's coordinator.
func (n *Network) IsCoordinator() bool {
	if n.Config != nil {
		return n.Config.Role == config.Coordinator
	}
	return n.Status != nil && n.Status.Role == string(config.Coordinator)
}

// isOff tells whether the network is switched off.
func (n *Network) isOff() bool {
	if n.Config != nil {
		return !n.Config.Enabled
	}
	return n.Status != nil && n.Status.State == local.Down
}

// listenPort is the port of this machine's WireGuard; 0: unknown.
func (n *Network) listenPort() uint16 {
	switch {
	case n.Status != nil && n.Status.ListenPort != 0:
		return n.Status.ListenPort
	case n.Config != nil:
		return n.Config.ListenPort
	}
	return 0
}

// peer returns the coordinator as the tunnel shows it; nil: unknown.
func (n *Network) peer() *local.Peer {
	if n.Status == nil {
		return nil
	}
	for i := range n.Status.Peers {
		if p := &n.Status.Peers[i]; p.Address == n.Coordinator {
			return p
		}
	}
	return nil
}

// answered tells whether the coordinator gave an answer, whatever it was.
func (n *Network) answered() bool {
	return n.API.Asked && (n.API.Err == nil || refusal(n.API.Err) != nil)
}
