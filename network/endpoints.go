package network

import (
	"net/netip"
	"slices"
	"time"
)

// MaxEndpoints is how many endpoints of the coordinator a book has at most: an
// invitation has room for no more.
const MaxEndpoints = 8

// maxEndpoint is the longest in bytes: a DNS name, a colon and a port.
const maxEndpoint = 260

func (c SetEndpoints) apply(e *edit, _ time.Time) error {
	if len(c.Endpoints) == 0 {
		return refuse(Invalid, "the coordinator needs an endpoint, or nobody finds it: name one at least")
	}
	if err := checkNewEndpoints(e.s.CIDRs[0].Prefix, c.Endpoints); err != nil {
		return err
	}
	if slices.Equal(c.Endpoints, e.s.Endpoints) {
		return nil
	}
	e.s.Endpoints = slices.Clone(c.Endpoints)
	e.change.Put.Endpoints = e.s.Endpoints
	e.tellOf(*e.Coordinator())
	return nil
}

// CheckOutside refuses endpoints, host:port, that are addresses inside the
// network itself: only who is in touch with their owner already could send there.
func CheckOutside(root netip.Prefix, endpoints ...string) error {
	for _, s := range endpoints {
		if at, err := netip.ParseAddrPort(s); err == nil && root.Contains(at.Addr().Unmap()) {
			return refuse(Invalid, "the endpoint %s is an address inside the network itself, %s: name one outside", s, root)
		}
	}
	return nil
}

// checkNewEndpoints checks endpoints of the coordinator that somebody names;
// those that a book has already are as they are.
func checkNewEndpoints(root netip.Prefix, list []string) error {
	if err := CheckOutside(root, list...); err != nil {
		return err
	}
	return checkEndpoints(list)
}

// checkEndpoints checks endpoints of the coordinator, perhaps none.
func checkEndpoints(list []string) error {
	if n := len(list); n > MaxEndpoints {
		return refuse(Invalid, "the coordinator has %d endpoints, and at most %d are possible: name the best", n, MaxEndpoints)
	}
	for i, s := range list {
		switch {
		case s == "" || len(s) > maxEndpoint:
			return refuse(Invalid, "an endpoint has %d characters: want host:port, of %d at most", len(s), maxEndpoint)
		case slices.Contains(list[:i], s):
			return refuse(Invalid, "the endpoint %s is there twice: name each once", s)
		}
	}
	return nil
}

func (b *Book) checkEndpoints() error { return checkEndpoints(b.s.Endpoints) }
