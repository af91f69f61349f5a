package core

import (
	"net/netip"
	"slices"
	"sort"
	"strings"
	"time"

	"ginnel/wire"
)

// host is one endpoint that somebody wrote down: of the coordinator in the
// configuration or in its book, of a member as it announces it, or as an
// override says.
type host struct {
	text  string // as it was written
	name  string // to be resolved; empty: addrs is the address that was given
	port  uint16
	addrs []netip.Addr // the last ones found, sorted
	found time.Time    // when addrs was found; zero: not yet
	due   time.Time    // of the next lookup; zero: none
	retry backoff
}

// The bounds of looking names up: members announce them, and not all mean well.
const (
	// lookupLife is how long a name's addresses count as just found, and the
	// least time between two lookups for one member.
	lookupLife = 10 * time.Second
	maxLookups = 8 // at the same time
	// ownLookups of them are for names that this machine's own configuration
	// has: one member's that nobody answers for would hold up the coordinator's.
	ownLookups = 2
	// maxFound is how many addresses of a name count, so that nobody is made to
	// try all that a zone lists: enough for two links of both families.
	maxFound = 4
	// maxPlaces is how many of all the addresses that were found for the names a
	// member announces are tried. With what was seen of it and its candidates
	// that makes a round of two dozen at most.
	maxPlaces = 12
)

// written lists the endpoints of p that somebody wrote down, best first.
func (c *Core) written(p *peer) []string {
	a := p.member.Address
	if override, ok := c.cfg.Overrides[a]; ok {
		return []string{override}
	}
	if a != c.cfg.Coordinator.Address {
		return p.member.Endpoints.Announced
	}
	return append(slices.Clone(p.member.Endpoints.Announced), c.cfg.Coordinator.Endpoints...)
}

// syncHosts makes p's hosts those that are written down, and tells whether that
// changed them. What was found of those that stay is kept. The texts were
// validated: what is wrong nevertheless is left out.
func (c *Core) syncHosts(p *peer) bool {
	hosts := make([]host, 0, len(p.hosts))
	for _, s := range c.written(p) {
		same := func(h host) bool { return h.text == s }
		if slices.ContainsFunc(hosts, same) {
			continue
		}
		if i := slices.IndexFunc(p.hosts, same); i >= 0 {
			hosts = append(hosts, p.hosts[i])
		} else if h, err := c.newHost(p, s); err == nil {
			hosts = append(hosts, h)
		}
	}
	if slices.EqualFunc(hosts, p.hosts, func(a, b host) bool { return a.text == b.text }) {
		return false
	}
	p.hosts = hosts
	return true
}

// newHost makes a host of host:port. What the machine's own configuration asks
// for is tried again sooner than what others announce.
func (c *Core) newHost(p *peer, s string) (host, error) {
	name, port, err := wire.SplitEndpoint(s)
	h := host{text: s, name: name, port: port, retry: backoff{first: retryFirst, most: restMost}}
	if c.configures(p) {
		h.retry = quickRetry()
	}
	if a, notAddr := netip.ParseAddr(name); notAddr == nil {
		h.name, h.addrs = "", []netip.Addr{a}
	}
	return h, err
}

// configures tells whether this machine's configuration says where p is reached.
func (c *Core) configures(p *peer) bool {
	return p.member.Address == c.cfg.Coordinator.Address || c.overridden(p)
}

// places lists where p's hosts are, as far as it is known.
func (c *Core) places(p *peer) []netip.AddrPort {
	var list []netip.AddrPort
	for i := range p.hosts {
		for _, a := range p.hosts[i].addrs {
			list = append(list, netip.AddrPortFrom(a.Unmap(), p.hosts[i].port))
		}
	}
	if len(list) > maxPlaces && !c.configures(p) {
		list = list[:maxPlaces]
	}
	return list
}

// resolveOld has the names of p looked up that were not found just now.
func (c *Core) resolveOld(p *peer) {
	at := c.now
	if next := p.looked.Add(lookupLife); next.After(at) && p != c.coordinator() {
		at = next
	}
	for i := range p.hosts {
		h := &p.hosts[i]
		if h.name != "" && !c.lookups[h.name] && (h.found.IsZero() || c.now.Sub(h.found) >= lookupLife) {
			h.due = earliest(h.due, at)
		}
	}
}

// resolveAnew has all names of p looked up: this machine may have moved, and
// names may mean something else where it is now.
func (c *Core) resolveAnew(p *peer) {
	for i := range p.hosts {
		p.hosts[i].found = time.Time{}
	}
	c.resolveOld(p)
}

// resolveDue asks for the lookups that are due, each name once. Where there is
// a path nobody needs them.
func (c *Core) resolveDue() {
	for _, p := range c.peers {
		for i := range p.hosts {
			h := &p.hosts[i]
			switch {
			case !due(h.due, c.now):
			case p.path.state == connected || c.lookups[h.name]:
				h.due = time.Time{}
			case c.mayLookUp(p):
				h.due, p.looked = time.Time{}, c.now
				c.lookups[h.name] = true
				c.do(Resolve{Host: h.name})
			}
		}
	}
}

// mayLookUp tells whether one more lookup may be asked for, for p.
func (c *Core) mayLookUp(p *peer) bool {
	room := maxLookups
	if !c.configures(p) {
		room -= ownLookups
	}
	return len(c.lookups) < room
}

// lookupDeadline is when the next lookup is due that may be asked for.
func (c *Core) lookupDeadline() (t time.Time) {
	for _, p := range c.peers {
		if !c.mayLookUp(p) {
			continue
		}
		for i := range p.hosts {
			t = earliest(t, p.hosts[i].due)
		}
	}
	return t
}

func (c *Core) resolved(ev Resolved) {
	delete(c.lookups, ev.Host)
	failed := ev.Err != nil || len(ev.Addrs) == 0
	addrs := sortedSet(ev.Addrs) // servers like to turn the order
	addrs = addrs[:min(len(addrs), maxFound)]
	told := false
	for _, p := range c.peers {
		told = told || c.configures(p) && p.names(ev.Host)
		if p.found(c.now, ev.Host, addrs, failed) {
			c.foundNews(p)
		}
	}
	if failed && told { // what others announce is not this machine's to mend
		c.say(topicResolve+ev.Host, "cannot find the address of %s: %v", ev.Host, ev.Err)
	} else {
		c.over(topicResolve + ev.Host)
	}
}

// names tells whether one of p's hosts has the name.
func (p *peer) names(name string) bool {
	return slices.ContainsFunc(p.hosts, func(h host) bool { return h.name == name })
}

// foundNews looks at p's path again after a lookup. A name that others announce
// may have another address in each answer: what was found is tried in the round
// under way, or in the next, and neither ends a rest nor makes those to come
// shorter, unless there was nothing to wait for.
func (c *Core) foundNews(p *peer) {
	w := &p.path
	switch {
	case c.configures(p) || w.state == resting && w.next.IsZero():
		c.candidatesChanged(p, false)
	case w.state != resting:
		round, rest := w.round, w.rest
		c.candidatesChanged(p, false)
		w.round, w.rest = round, rest
	}
}

// found gives p's hosts of a name what was found, sorted, and tells whether that
// is news. When nothing was, the last result is better than none.
func (p *peer) found(now time.Time, name string, addrs []netip.Addr, failed bool) (news bool) {
	for i := range p.hosts {
		h := &p.hosts[i]
		switch {
		case h.name != name:
		case failed:
			h.due = now.Add(h.retry.fail())
		default:
			h.due, h.found = time.Time{}, now
			h.retry.ok()
			if !slices.Equal(h.addrs, addrs) {
				news, h.addrs = true, addrs
			}
		}
	}
	return news
}

// forgetNames ends the problems of names that this machine's configuration has
// no more.
func (c *Core) forgetNames() {
	for _, problem := range c.Problems() {
		name, isName := strings.CutPrefix(problem.Topic, topicResolve)
		if isName && !slices.ContainsFunc(c.peers, func(p *peer) bool { return c.configures(p) && p.names(name) }) {
			c.over(problem.Topic)
		}
	}
}

// sameSet tells whether a and b have the same addresses, in whatever order.
func sameSet(a, b []netip.Addr) bool { return slices.Equal(sortedSet(a), sortedSet(b)) }

func sortedSet(as []netip.Addr) []netip.Addr {
	as = slices.Clone(as)
	sort.Slice(as, func(i, j int) bool { return as[i].Less(as[j]) })
	return slices.Compact(as)
}
