package core

import (
	"net/netip"
	"slices"
	"sort"
	"time"

	"ginnel/wire"
)

// host is one configured endpoint of the coordinator.
type host struct {
	name  string // to be resolved; empty: addrs is the address that was given
	port  uint16
	addrs []netip.Addr // the last ones found
	busy  bool         // being resolved
	found time.Time    // when addrs was found; zero: not yet
	due   time.Time    // of a repetition after a failure; zero: none
	retry backoff
}

// newHosts makes hosts of host:port texts. The configuration was validated:
// what is wrong nevertheless is left out.
func newHosts(endpoints []string) []host {
	hosts := make([]host, 0, len(endpoints))
	for _, s := range endpoints {
		name, port, err := wire.SplitEndpoint(s)
		if err != nil {
			continue
		}
		h := host{name: name, port: port, retry: quickRetry()}
		if a, err := netip.ParseAddr(name); err == nil {
			h.name, h.addrs = "", []netip.Addr{a}
		}
		hosts = append(hosts, h)
	}
	return hosts
}

// configured lists the coordinator's configured endpoints as far as they are
// known.
func (c *Core) configured() []netip.AddrPort {
	var list []netip.AddrPort
	for i := range c.hosts {
		for _, a := range c.hosts[i].addrs {
			list = append(list, netip.AddrPortFrom(a.Unmap(), c.hosts[i].port))
		}
	}
	return list
}

// lookupLife is how long a name's addresses count as just found.
const lookupLife = 10 * time.Second

// resolveAll has every name of the coordinator looked up (again): this machine
// may have moved, and names may mean something else where it is now.
func (c *Core) resolveAll() {
	for i := range c.hosts {
		if c.hosts[i].name != "" && !c.hosts[i].busy {
			c.hosts[i].due = c.now
		}
	}
}

// resolveOld does so with the names that were not found just now: it is what
// was found that begins a round.
func (c *Core) resolveOld() {
	for i := range c.hosts {
		h := &c.hosts[i]
		if h.name != "" && !h.busy && (h.found.IsZero() || c.now.Sub(h.found) >= lookupLife) {
			h.due = c.now
		}
	}
}

// resolveDue asks for the lookups that are due, each name once.
func (c *Core) resolveDue() {
	for i := range c.hosts {
		h := &c.hosts[i]
		if !due(h.due, c.now) {
			continue
		}
		h.due = time.Time{}
		if c.resolving(h.name) {
			h.busy = true
			continue
		}
		h.busy = true
		c.do(Resolve{Host: h.name})
	}
}

func (c *Core) resolving(name string) bool {
	return slices.ContainsFunc(c.hosts, func(h host) bool { return h.busy && h.name == name })
}

func (c *Core) resolved(ev Resolved) {
	failed := ev.Err != nil || len(ev.Addrs) == 0
	if failed {
		c.say(topicResolve+ev.Host, "cannot find the address of %s: %v", ev.Host, ev.Err)
	} else {
		c.over(topicResolve + ev.Host)
	}
	changed := false
	for i := range c.hosts {
		h := &c.hosts[i]
		switch {
		case h.name != ev.Host:
		case failed: // the last result is better than none
			h.busy = false
			h.due = c.now.Add(h.retry.fail())
		default:
			h.busy, h.due, h.found = false, time.Time{}, c.now
			h.retry.ok()
			if !sameSet(h.addrs, ev.Addrs) { // servers like to turn the order
				changed, h.addrs = true, slices.Clone(ev.Addrs)
			}
		}
	}
	if changed && c.coordinator() != nil {
		c.candidatesChanged(c.coordinator(), false)
	}
}

// sameSet tells whether a and b have the same addresses, in whatever order.
func sameSet(a, b []netip.Addr) bool { return slices.Equal(sortedSet(a), sortedSet(b)) }

func sortedSet(as []netip.Addr) []netip.Addr {
	as = slices.Clone(as)
	sort.Slice(as, func(i, j int) bool { return as[i].Less(as[j]) })
	return slices.Compact(as)
}
