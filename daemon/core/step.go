package core

import (
	"net/netip"
	"time"

	"ginnel/key"
	"ginnel/platform"
	"ginnel/wire"
)

// Core decides for one network on one machine. Its methods are not safe for
// concurrent use.
//
// Each Step has two halves: the event is noted down, and then everything that
// is not as it should be, and not being seen to already, is asked for.
type Core struct {
	cfg Config
	key key.PublicKey // our own

	now     time.Time // of the Step under way
	started time.Time // of the first
	out     []Action  // of the Step under way; its memory is reused

	world   Map
	saved   uint64              // the revision of the map that was saved last; 0: none was
	leftOut map[netip.Addr]bool // members of the coordinator's map that are not in ours: others have their keys, or there is no room for a pin
	pins    pins

	peers  []*peer // sorted by address: the members, and the coordinator in any case
	byKey  []*peer // the same, sorted by public key
	addrs  map[netip.Addr]*peer
	keys   map[key.PublicKey]*peer
	probes uint64 // sent so far

	view          vantage
	underlayKnown bool // view.underlay was observed, or could not be

	lookups map[string]bool // names that are being looked up
	look    schedule
	tun     tunnel
	link    link
	contact contact
	report  report
	names   names

	problems map[string]string // text by topic
	restDue  time.Time         // when there was no work for long enough; zero: that was told
}

// New makes a core that knows cfg and nothing else. Its first event must be
// Started.
func New(cfg Config) *Core {
	c := &Core{
		cfg:      cfg,
		key:      cfg.PrivateKey.Public(),
		leftOut:  map[netip.Addr]bool{},
		view:     vantage{root: cfg.Root},
		lookups:  map[string]bool{},
		look:     newSchedule(),
		tun:      tunnel{retry: quickRetry(), portPace: quickRetry(), port: cfg.ListenPort},
		link:     newLink(&cfg),
		contact:  newContact(),
		report:   report{retry: backoff{first: retryFirst, most: fetchRetryMost}},
		names:    names{retry: quickRetry()},
		problems: map[string]string{},
	}
	c.world.Self.Address = cfg.Address
	c.syncPeers()
	return c
}

// Step takes one event at now, which never goes back, and returns what to do.
// The slice is valid until the next Step; what the actions point to does not
// change afterwards and may be kept until they are answered. The core keeps
// the maps and updates it is given.
func (c *Core) Step(now time.Time, ev Event) []Action {
	clear(c.out)
	c.now, c.out = now, c.out[:0]
	c.note(ev)
	c.syncTunnel()
	c.syncLink()
	c.syncNames()
	c.observeDue()
	c.askCoordinator()
	c.tellCandidates()
	c.resolveDue()
	c.endFetchNow()
	c.noteRest()
	return c.out
}

func (c *Core) note(ev Event) {
	switch ev := ev.(type) {
	case Started:
		c.start(ev)
	case Fetched:
		c.fetched(ev)
	case Reported:
		c.reported(ev.Err)
	case Signalled:
		c.signalled(ev)
	case TunnelObserved:
		c.tunnelObserved(ev)
	case NetObserved:
		c.netObserved(ev)
	case UnderlayObserved:
		c.underlayObserved(ev)
	case Changed:
		c.look.changed(c.now)
	case Applied:
		c.applied(ev)
	case Resolved:
		c.resolved(ev)
	case Configured:
		c.configure(ev.Settings)
	case Asked:
		c.asked()
	case Forget:
		c.forget(ev)
	case FetchNow:
		c.contact.awaited.wanted, c.contact.due = ev.Ticket, c.now
	case Tick: // what has come due is found by the second half
	default:
		panic("core: an event that is not one of this package's")
	}
}

func (c *Core) applied(ev Applied) {
	switch a := ev.Action.(type) {
	case ApplyTunnel:
		c.tunnelApplied(&a.Change, ev.Err)
	case ApplyNet:
		c.linkApplied(ev.Err)
	case SetNames:
		c.namesApplied(a, ev.Err)
	}
}

func (c *Core) start(ev Started) {
	c.started = c.now
	if !c.onCoordinator() {
		c.pins.kept = ev.Pins
	}
	if ev.Map != nil {
		c.restore(ev.Map)
	}
	for _, p := range c.peers {
		if !p.passive() {
			p.path.next = c.now
		}
	}
	c.look.allDue = c.now
	c.contact.failing = c.now
	c.contact.due = c.now
	if !c.onCoordinator() {
		c.contact.due = c.now.Add(fetchPatience)
	}
	if p := c.coordinator(); p != nil {
		c.resolveOld(p)
	}
}

// do adds an action to those of the Step under way.
func (c *Core) do(a Action) { c.out = append(c.out, a) }

// onCoordinator tells whether this is the coordinator's own machine.
func (c *Core) onCoordinator() bool { return c.cfg.Coordinator.Address == c.cfg.Address }

// Deadline is when the core wants its next Tick, if nothing else happens
// before; zero: it has nothing to wait for. It changes with every Step.
func (c *Core) Deadline() time.Time {
	t := c.look.deadline()
	t = earliest(t, c.contact.deadline())
	t = earliest(t, c.reportDeadline())
	t = earliest(t, c.names.deadline())
	t = earliest(t, c.lookupDeadline())
	if c.mayLook() {
		for _, p := range c.peers {
			t = earliest(t, p.path.next)
		}
	}
	return t
}

// Desired is the tunnel as it should be. It belongs to the core and is valid
// until the next Step. An endpoint is zero where the tunnel's own is left
// alone.
func (c *Core) Desired() *platform.TunnelState {
	c.buildDesired()
	return &c.tun.desired
}

// Map is what the peer may see now. It belongs to the core and is valid until
// the next Step.
func (c *Core) Map() *Map { return &c.world }

// AppendPeers appends what is known of the coordinator and of every member,
// sorted by address, as of the last Step.
func (c *Core) AppendPeers(dst []PeerStatus) []PeerStatus {
	for _, p := range c.peers {
		reach, why := c.reach(p)
		dst = append(dst, PeerStatus{
			Member:        p.member,
			Endpoint:      p.sight.endpoint,
			LastHandshake: wire.Dated(c.now, p.shaken),
			Rx:            p.sight.rx,
			Tx:            p.sight.tx,
			Overridden:    c.overridden(p),
			Connected:     p.connected(c.now),
			Reach:         reach,
			Why:           why,
		})
	}
	return dst
}

// ListenPort is the UDP port the tunnel was last observed to use, 0 before it
// was observed to use any.
func (c *Core) ListenPort() uint16 { return c.view.port }

// Backend tells which WireGuard carries the packets, empty before the first
// observation.
func (c *Core) Backend() platform.Backend { return c.tun.observed.Backend }

// LastFetch is when the coordinator last told us the map, or, polled, that ours
// is still right; zero: not since the start.
func (c *Core) LastFetch() time.Time { return wire.Dated(c.now, c.contact.last) }
