package core

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"ginnel/platform"
)

// How often the machine is looked at. The kernel tells of links and addresses
// by itself and of WireGuard nothing, so the slow looks are for what others
// changed, and on the coordinator for the role, which learns endpoints by them.
const (
	lookTunnel      = 30 * time.Second
	lookTunnelCoord = 5 * time.Second
	lookAll         = 60 * time.Second
	lookGap         = 200 * time.Millisecond // at least, between looks that events from outside bring about
)

// schedule says when what is observed. Zero times mean never.
type schedule struct {
	busy                                  Observe // asked for, not answered yet
	tunnelDue, allDue                     time.Time
	lastTunnel, lastAll                   time.Time // when asked for
	tunnelRetry, linkRetry, underlayRetry backoff
}

func newSchedule() schedule {
	return schedule{tunnelRetry: quickRetry(), linkRetry: quickRetry(), underlayRetry: quickRetry()}
}

// all asks for everything, at once or when the last time is long enough ago.
func (s *schedule) all(now time.Time) {
	s.allDue = earliest(s.allDue, notBefore(now, s.lastAll))
}

// changed asks for everything after the kernel's news. A tunnel that could not
// be read may be there soon: programs answer for an interface a moment after
// they made it.
func (s *schedule) changed(now time.Time) {
	s.tunnelRetry.ok()
	s.all(now)
}

// tunnel asks for the tunnel likewise.
func (s *schedule) tunnel(now time.Time) {
	s.tunnelDue = earliest(s.tunnelDue, notBefore(now, s.lastTunnel))
}

// asked looks at the tunnel for somebody who wants to know. One that cannot be
// read has its own pace.
func (c *Core) asked() {
	if c.tun.known {
		c.look.tunnel(c.now)
	}
}

// notBefore is now, or lookGap after last where that is later.
func notBefore(now, last time.Time) time.Time {
	if t := last.Add(lookGap); !last.IsZero() && t.After(now) {
		return t
	}
	return now
}

func (s *schedule) deadline() (t time.Time) {
	if !s.busy.Tunnel {
		t = s.tunnelDue
	}
	if s.busy == (Observe{}) {
		t = earliest(t, s.allDue)
	}
	return t
}

// observeDue asks for what is due. Nothing is asked for again before it was
// answered: the answer might be older than what made it due.
func (c *Core) observeDue() {
	s := &c.look
	var ask Observe
	if due(s.allDue, c.now) && s.busy == ask {
		ask = Observe{Tunnel: true, Net: true, Underlay: true}
		s.lastAll, s.allDue = c.now, c.now.Add(lookAll)
	}
	if !s.busy.Tunnel && (due(s.tunnelDue, c.now) || c.pathsDue()) {
		ask.Tunnel = true
	}
	if ask == (Observe{}) {
		return
	}
	if ask.Tunnel {
		s.lastTunnel, s.tunnelDue = c.now, c.now.Add(c.lookTunnel())
		s.busy.Tunnel = true
	}
	s.busy.Net = s.busy.Net || ask.Net
	s.busy.Underlay = s.busy.Underlay || ask.Underlay
	c.do(ask)
}

func (c *Core) lookTunnel() time.Duration {
	if c.onCoordinator() && len(c.peers) > 0 {
		return lookTunnelCoord
	}
	return lookTunnel
}

// mayLook tells whether a look at the tunnel could be acted upon. After one that
// failed the next has its own time, whatever waits for it.
func (c *Core) mayLook() bool {
	return c.ready() && c.tun.applying == 0 && !c.look.busy.Tunnel && c.look.tunnelRetry.wait == 0
}

// pathsDue tells whether a path waits for a look at the tunnel.
func (c *Core) pathsDue() bool {
	return c.mayLook() && slices.ContainsFunc(c.peers, func(p *peer) bool { return due(p.path.next, c.now) })
}

func (c *Core) tunnelObserved(ev TunnelObserved) {
	s := &c.look
	s.busy.Tunnel = false
	torn := errors.Is(ev.Err, platform.ErrTorn)
	if ev.State == nil || ev.Err != nil && !torn {
		c.say(topicTunnelRead, "cannot read the tunnel: %v", ev.Err)
		c.tun.known = false // it may come back as another one
		s.tunnelDue = c.now.Add(s.tunnelRetry.fail())
		return
	}
	c.over(topicTunnelRead)
	if torn {
		s.tunnelDue = earliest(s.tunnelDue, c.now.Add(s.tunnelRetry.fail()))
	} else {
		s.tunnelRetry.ok()
		c.tun.keep(ev.State)
		c.portObserved(ev.State.ListenPort)
	}
	c.judgePaths(ev.State.Peers, torn)
}

// portApplied has a change of our port looked at: at once, and later and later
// while the tunnel takes it and shows another one all the same. The first port is
// left to the next look.
func (c *Core) portApplied(ch *platform.TunnelChange) {
	if ch.Set&platform.SetListenPort != 0 && c.view.port != 0 {
		c.look.tunnelDue = earliest(c.look.tunnelDue, c.now.Add(c.tun.portPace.wait))
		c.tun.portPace.fail()
	}
}

func (c *Core) portObserved(port uint16) {
	if port == 0 {
		return
	}
	if c.tun.port == 0 && !c.tun.another && c.tun.applying == 0 {
		c.tun.port = port
	}
	if port == c.tun.port {
		c.tun.portPace.ok()
	}
	if port != c.view.port {
		moved := c.view.port != 0
		c.view.port = port
		c.report.own = nil
		if moved {
			c.portMoved()
		}
	}
}

// judgePaths walks the members and what the tunnel shows of them, both sorted
// by key. What a torn observation does not show may be there.
func (c *Core) judgePaths(shown []platform.Peer, torn bool) {
	act := !torn && c.ready() && c.tun.applying == 0
	for _, p := range c.byKey {
		for len(shown) > 0 && shown[0].PublicKey.Compare(p.member.PublicKey) < 0 {
			shown = shown[1:]
		}
		var o *platform.Peer
		if len(shown) > 0 && shown[0].PublicKey == p.member.PublicKey {
			o = &shown[0]
		} else if torn {
			continue
		}
		c.judge(p, p.see(c.now, o), act)
	}
}

func (c *Core) underlayObserved(ev UnderlayObserved) {
	c.look.busy.Underlay = false
	first := !c.underlayKnown
	c.underlayKnown = true
	if ev.Err != nil {
		c.say(topicUnderlay, "cannot read the machine's addresses: %v", ev.Err)
		c.look.allDue = earliest(c.look.allDue, c.now.Add(c.look.underlayRetry.fail()))
		return
	}
	c.over(topicUnderlay)
	c.look.underlayRetry.ok()
	if slices.Equal(ev.Addresses, c.view.underlay) {
		return
	}
	was := c.view.underlay
	c.view.underlay = slices.Clone(ev.Addresses)
	c.report.own = nil
	if !first && !sameSet(addressesOf(was), addressesOf(c.view.underlay)) {
		c.underlayMoved()
	}
}

// addressesOf leaves out on which links the addresses are.
func addressesOf(us []platform.UnderlayAddress) []netip.Addr {
	as := make([]netip.Addr, 0, len(us))
	for _, u := range us {
		as = append(as, u.Prefix.Addr())
	}
	return as
}
