package link

import (
	"net/netip"
	"sort"

	"golang.org/x/sys/unix"

	"ginnel/platform"
)

var families = []uint8{unix.AF_INET, unix.AF_INET6}

// observe fills s with the state of the link called name.
func (c conn) observe(name string, s *platform.NetState) error {
	dev, err := c.device(name)
	if err != nil {
		return err
	}
	s.Up, s.MTU = dev.flags&unix.IFF_UP != 0, dev.mtu
	s.Addresses, s.Routes = s.Addresses[:0], s.Routes[:0]
	for _, family := range families {
		addresses, err := c.addresses(family, dev.index)
		if err != nil {
			return err
		}
		for _, a := range addresses {
			if !(a.prefix.Addr().Is6() && a.prefix.Addr().IsLinkLocalUnicast()) {
				s.Addresses = append(s.Addresses, a.prefix)
			}
		}
		if s.Routes, err = c.routes(s.Routes, family, dev.index); err != nil {
			return err
		}
	}
	sortPrefixes(s.Addresses)
	sortPrefixes(s.Routes)
	return nil
}

func sortPrefixes(ps []netip.Prefix) {
	sort.Slice(ps, func(i, j int) bool { return ps[i].Compare(ps[j]) < 0 })
}

// address is an address of a link.
type address struct {
	family uint8        // AF_*
	index  uint32       // of the link
	prefix netip.Prefix // not masked
	flags  uint32       // IFA_F_*
}

// addresses returns the addresses of one family, of one link where index is
// not 0.
func (c conn) addresses(family uint8, index uint32) ([]address, error) {
	answers, err := c.dump(unix.RTM_GETADDR, aboutAddress(family, 0, index))
	if err != nil {
		return nil, err
	}
	found := make([]address, 0, len(answers))
	for _, answer := range answers {
		a, err := parseAddress(answer)
		if err != nil {
			return nil, err
		}
		if a.family == family && (index == 0 || a.index == index) && a.prefix.IsValid() {
			found = append(found, a)
		}
	}
	return found, nil
}

// routes appends to dst the destinations of our routes into the link.
func (c conn) routes(dst []netip.Prefix, family uint8, index uint32) ([]netip.Prefix, error) {
	answers, err := c.dump(unix.RTM_GETROUTE, aboutRoute(family, 0, 0, 0, index))
	if err != nil {
		return dst, err
	}
	for _, answer := range answers {
		r, err := parseRoute(answer)
		if err != nil {
			return dst, err
		}
		ours := r.family == family && r.protocol == RouteProtocol && r.kind == unix.RTN_UNICAST && r.table == unix.RT_TABLE_MAIN
		if ours && r.index == index && r.prefix.IsValid() {
			dst = append(dst, r.prefix)
		}
	}
	return dst, nil
}
