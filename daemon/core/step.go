package core

import (
	"time"

	"ginnel/platform"
)

// Core decides for one network on one machine. Its methods are not safe for
// concurrent use.
type Core struct {
	cfg Config
	now time.Time // of the Step under way
	out []Action  // of the Step under way; its memory is reused

	desired  platform.TunnelState
	observed platform.TunnelState
	members  Map
	contact  time.Time // last successful fetch
}

// New makes a core that knows cfg and nothing else. Its first event must be
// Started.
func New(cfg Config) *Core {
	return &Core{cfg: cfg}
}

// Step takes one event at now, which never goes back, and returns what to do.
// The slice and what it points to are valid until the next Step.
func (c *Core) Step(now time.Time, ev Event) []Action {
	c.now, c.out = now, c.out[:0]
	return c.out
}

// Deadline is when the core wants its next Tick, if nothing else happens
// before; zero: it has nothing to wait for. It changes with every Step.
func (c *Core) Deadline() time.Time { return time.Time{} }

// Desired is the tunnel as it should be. It belongs to the core and is valid
// until the next Step. An endpoint is zero where the tunnel's own is left alone.
func (c *Core) Desired() *platform.TunnelState { return &c.desired }

// Map is what the peer may see now. It belongs to the core and is valid until
// the next Step.
func (c *Core) Map() *Map { return &c.members }

// AppendPeers appends what is known of the coordinator and of every member,
// sorted by address.
func (c *Core) AppendPeers(dst []PeerStatus) []PeerStatus { return dst }

// Problems returns the present problems, sorted by topic.
func (c *Core) Problems() []Say { return nil }

// ListenPort is the UDP port the tunnel was last observed to use, 0 before
// the first observation.
func (c *Core) ListenPort() uint16 { return c.observed.ListenPort }

// Backend tells which WireGuard carries the packets, empty before the first
// observation.
func (c *Core) Backend() platform.Backend { return c.observed.Backend }

// LastFetch is when the coordinator last answered a Fetch; zero: not since
// the start.
func (c *Core) LastFetch() time.Time { return c.contact }
