// Package core is the brain of a peer, PURE: (now, event) -> actions. It owns
// every decision about one network on one machine: what the tunnel, the link
// and the names should be, which endpoint of a peer is tried when, when the
// coordinator is asked, and how long to wait after a failure. It does no I/O,
// starts no goroutine and reads no clock; the shell (package daemon) does what
// the actions say and answers with events.
//
// It is level-triggered: it keeps the desired state, compares it with the last
// observed one, and asks for the difference. A first start, a lost message, a
// failed action and a stranger's `wg set` all take the same path.
//
// # What is believed
//
// A map or delta is checked as a whole before it changes anything, and one
// with another key for the coordinator is refused as a whole: the invitation
// told its key. The coordinator is in the tunnel whatever the map says. Errors,
// refusals and nonsense never shrink the map.
//
// Every other key that was taken is pinned to its address, for good, though the
// member vanish (pins.go). Where the map has another key for a pinned address,
// nothing changes for that address: the member stays as it was, with its key,
// name and endpoints, or stays away. The rest of the map is taken: otherwise
// an address that is used again, or a coordinator that lies, would also keep
// removed and disabled peers in the tunnel. Pins limit what a coordinator can
// do: it can take peers away, and give their names to other addresses, but it
// cannot put anybody into the place of an address that was met. Only a
// person ends such a conflict, by forgetting the pin, or the coordinator by
// presenting the pinned key, or nobody. A peer that joins anew has a new
// address, unless an admin freed the old one: then those who were away while it
// was removed and its address used again keep it, with its old key, until the
// pin is forgotten. An invitee was never seen by others, so its address is not
// pinned when the invitation expires. There are as many pins as may be at some
// time: then nobody new is taken. On its own machine the coordinator's book is
// the authority, and nothing is pinned.
//
// A successful change is added to what was observed, instead of reading it
// again; after a failed one the tunnel is read. What a torn observation does
// not show may be there: nothing is removed or added again because of it.
//
// # Paths
//
// Each member has a path: resting, trying, connected or doubted (path.go,
// doubt.go). WireGuard sends initiations at most every 5 s, unless the peer is
// removed and added again; so that is how a candidate is tried, and only on a
// fresh observation that shows no session and nothing that might be the other
// side's handshake. The endpoint of a connected peer is left to WireGuard's
// roaming. When its address or ours changes the session is kept, and other
// endpoints are tried with it: a packet that gets through moves the other
// side's endpoint, and its answer is the evidence. The same when two keepalives
// are missing: so the way back to a coordinator that moved without a word is
// found, and a peer that is gone is not shown as there. One that sends no
// keepalives answers the probe, and no endpoint is touched.
//
// What people wrote of where a member is comes before what was seen of it: what
// it announces; of the coordinator, its book's word and then this machine's
// configuration. Names in it are looked up by each who needs them, while there is
// no path, few at a time (resolve.go): members announce what they like. Where this
// machine's configuration overrides a member's endpoint nothing else is tried;
// WireGuard's roaming is left alone there too. Settings change while the core
// lives (settings.go): where the port does, a packet tells those who are connected.
//
// Handshakes are dated by the clock of Step, not by the times the tunnel
// tells: routers' wall clocks jump.
//
// # The coordinator
//
// The map is fetched at once when it nudges and when its path comes up (at a
// start the first question waits half a second for that), every hour otherwise,
// and with backoff after failures. Every five minutes it is polled: asked by one
// datagram whether there is news (poll.go), in case its nudges were lost. While it is away, or too busy to
// hear us, nothing else changes. On its own machine a nudge also brings about a
// look at the tunnel: the role learns by it where the peer is that moved.
package core

import (
	"net/netip"
	"time"

	"ginnel/key"
	"ginnel/platform"
	"ginnel/wire"
)

// Config is what a peer knows before it hears from anybody. It is validated by
// those who make it and, but for its Settings, does not change.
type Config struct {
	Network    string
	Root       netip.Prefix
	Address    netip.Addr // own overlay address
	PrivateKey key.PrivateKey
	MTU        int    // bytes
	Keepalive  uint16 // seconds; 0: off
	Routes     bool   // route Root into the tunnel
	Names      bool   // keep the hosts block
	Suffix     string // what its names end in, behind NAME.NETWORK and a dot; empty: nothing
	// Exclude are underlay ranges that are never reported as candidates.
	Exclude []netip.Prefix
	// Coordinator is the coordinator's peer. On its own machine Address equals
	// Config.Address and there are no Endpoints.
	Coordinator Coordinator
	// Jitter, in [0,1), spreads this peer's periodic work in time.
	Jitter float64
	Settings
}

// Coordinator is where the book is kept.
type Coordinator struct {
	Address   netip.Addr
	PublicKey key.PublicKey
	// Endpoints are host:port, the host a name or an address; tried in turn,
	// after those that the map has.
	Endpoints []string
}

// Event is something that happened. It is one of the types below.
type Event interface{ event() }

// The events.
type (
	// Started is the first event. Map is the one saved last, nil when there is
	// none, and Pins are those saved last, sorted by address, each once.
	Started struct {
		Map  *Map
		Pins []Pin
	}
	// Fetched answers Fetch. Exactly one field is set; Err is a *wire.Problem
	// where the coordinator refused.
	Fetched struct {
		Update *wire.Update
		Err    error
	}
	// Reported answers Report; nil: the coordinator took it.
	Reported struct{ Err error }
	// Signalled is a datagram on the signal socket.
	Signalled struct {
		From   netip.Addr
		Signal wire.Signal
	}
	// TunnelObserved answers Observe. State is valid until Step returns. With
	// Err (platform.ErrTorn) peers may be missing from State; with any other
	// Err there is no State.
	TunnelObserved struct {
		State *platform.TunnelState
		Err   error
	}
	// NetObserved answers Observe. State is valid until Step returns.
	NetObserved struct {
		State *platform.NetState
		Err   error
	}
	// UnderlayObserved answers Observe, and follows every change of links and
	// addresses that the shell was told of.
	UnderlayObserved struct {
		Addresses []platform.UnderlayAddress
		Err       error
	}
	// Changed says that something about links, addresses, routes or rules changed.
	Changed struct{}
	// Applied answers ApplyTunnel, ApplyNet and SetNames.
	Applied struct {
		Action Action // the one that is answered
		Err    error
	}
	// Resolved answers Resolve.
	Resolved struct {
		Host  string
		Addrs []netip.Addr
		Err   error
	}
	// Configured brings other settings.
	Configured struct{ Settings Settings }
	// Asked says that somebody is about to be told how the network is: the
	// tunnel is looked at before, unless it was just looked at.
	Asked struct{}
	// Forget says that another key may be taken for a pinned address: that one
	// alone; zero: whichever the coordinator presents next.
	Forget struct {
		Address netip.Addr
		Key     key.PublicKey
	}
	// FetchNow says that somebody waits for what the coordinator answers to a
	// Fetch that begins now. Ticket grows from one to the next, from 1.
	FetchNow struct{ Ticket uint64 }
	// Tick says that Deadline has come.
	Tick struct{}
)

func (Started) event()          {}
func (Fetched) event()          {}
func (Reported) event()         {}
func (Signalled) event()        {}
func (TunnelObserved) event()   {}
func (NetObserved) event()      {}
func (UnderlayObserved) event() {}
func (Changed) event()          {}
func (Applied) event()          {}
func (Resolved) event()         {}
func (Configured) event()       {}
func (Asked) event()            {}
func (Forget) event()           {}
func (FetchNow) event()         {}
func (Tick) event()             {}

// Action is something to do. It is one of the types below; the shell does them
// in order. Those that take long are answered later, by an event.
type Action interface{ action() }

// The actions.
type (
	// Observe asks for TunnelObserved, NetObserved and UnderlayObserved, as
	// its fields say. What is done to the tunnel, observing it included, is
	// answered in the order of the actions.
	Observe struct{ Tunnel, Net, Underlay bool }
	// ApplyTunnel changes the tunnel; answered by Applied.
	ApplyTunnel struct{ Change platform.TunnelChange }
	// ApplyNet changes the link; answered by Applied.
	ApplyNet struct{ Change platform.NetChange }
	// SetNames replaces the network's hosts block; answered by Applied.
	SetNames struct{ Entries []platform.HostEntry }
	// Fetch asks the coordinator; answered by Fetched. At most one is under way.
	Fetch struct{ Position wire.Position }
	// Report tells the coordinator our endpoints; answered by Reported. At
	// most one is under way.
	Report struct{ Report wire.Report }
	// Signal sends a datagram on the signal socket, as well as it can.
	Signal struct {
		To     netip.Addr
		Signal wire.Signal
	}
	// Resolve looks a host name up; answered by Resolved.
	Resolve struct{ Host string }
	// Save keeps the map and the pins for the next start, together. It is only
	// asked for when something durable changed, or the book went on by many
	// revisions. A nil Map leaves the saved one as it is; Pins are all there
	// are, sorted by address.
	Save struct {
		Map  *Map
		Pins []Pin
	}
	// FetchDone answers each FetchNow up to Ticket. With a nil Err what the
	// coordinator answered is applied; others are for people.
	FetchDone struct {
		Ticket uint64
		Err    error
	}
	// Rest says that the network has come to rest after some work: a good time
	// to clean up.
	Rest struct{}
	// Say tells people of a problem, once when it begins and, with an empty
	// Text, once when it is over. Topic tells problems apart.
	Say struct{ Topic, Text string }
)

func (Observe) action()     {}
func (ApplyTunnel) action() {}
func (ApplyNet) action()    {}
func (SetNames) action()    {}
func (Fetch) action()       {}
func (Report) action()      {}
func (Signal) action()      {}
func (Resolve) action()     {}
func (Save) action()        {}
func (FetchDone) action()   {}
func (Rest) action()        {}
func (Say) action()         {}

// Map is what a peer may see, at a position.
type Map struct {
	Position wire.Position `json:"position"`
	Self     wire.Member   `json:"self"`
	Members  []wire.Member `json:"members"` // sorted by address; never Self
}

// PeerStatus is what the core knows of one member, for people.
type PeerStatus struct {
	Member        wire.Member
	Endpoint      netip.AddrPort // the one in use; zero: none
	LastHandshake time.Time      // zero: never
	Rx, Tx        uint64         // bytes
	Overridden    bool           // Settings.Overrides say where it is reached
	Connected     bool           // a handshake within the last 180 s, and no evidence against it
	Reach         Reach          // never empty
	Why           string         // why it is not reached, or not where the override says; empty: there is nothing to be said
}
