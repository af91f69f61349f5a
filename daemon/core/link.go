package core

import (
	"net/netip"
	"slices"
	"time"

	"ginnel/platform"
)

// link is the network configuration of the tunnel's link.
type link struct {
	desired  platform.NetState
	observed platform.NetState // ours, where known
	known    bool
	applying bool
	retry    backoff
}

// Both delays of what is done to this machine when it fails.
const (
	retryFirst     = 500 * time.Millisecond
	machineRetry   = 30 * time.Second
	fetchRetryMost = 60 * time.Second
)

func quickRetry() backoff { return backoff{first: retryFirst, most: machineRetry} }

func newLink(cfg *Config) link {
	l := link{retry: quickRetry()}
	l.desired = platform.NetState{
		Up:        true,
		MTU:       cfg.MTU,
		Addresses: []netip.Prefix{host32(cfg.Address)},
	}
	if cfg.Routes {
		l.desired.Routes = []netip.Prefix{cfg.Root}
	}
	return l
}

// host32 is the prefix of one address: /32, or /128 for IPv6.
func host32(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

func (c *Core) netObserved(ev NetObserved) {
	c.look.busy.Net = false
	if ev.Err != nil || ev.State == nil {
		c.say(topicLinkRead, "cannot read the link's state: %v", ev.Err)
		c.look.allDue = earliest(c.look.allDue, c.now.Add(c.look.linkRetry.fail()))
		return
	}
	c.over(topicLinkRead)
	c.look.linkRetry.ok()
	l := &c.link
	if l.applying {
		return
	}
	l.known = true
	l.observed.Up, l.observed.MTU = ev.State.Up, ev.State.MTU
	l.observed.Addresses = append(l.observed.Addresses[:0], ev.State.Addresses...)
	l.observed.Routes = append(l.observed.Routes[:0], ev.State.Routes...)
}

// syncLink asks for what the link lacks.
func (c *Core) syncLink() {
	l := &c.link
	if !l.known || l.applying {
		return
	}
	ch := platform.DiffNet(&l.observed, &l.desired)
	if ch.IsEmpty() {
		return
	}
	l.applying = true
	c.do(ApplyNet{Change: ch})
}

func (c *Core) linkApplied(err error) {
	l := &c.link
	l.applying = false
	if err != nil {
		l.known = false // some of it may be done
		c.say(topicLink, "cannot configure the link: %v", err)
		c.look.allDue = earliest(c.look.allDue, c.now.Add(l.retry.fail()))
		return
	}
	l.retry.ok()
	c.over(topicLink)
	l.observed = l.desired
	l.observed.Addresses, l.observed.Routes = slices.Clone(l.desired.Addresses), slices.Clone(l.desired.Routes)
	if c.view.port == 0 {
		c.look.tunnel(c.now) // coming up gave the tunnel its port
	}
}
