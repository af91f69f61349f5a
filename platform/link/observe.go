package link

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/jsimonetti/rtnetlink/v2"
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
	slices.SortFunc(s.Addresses, netip.Prefix.Compare)
	slices.SortFunc(s.Routes, netip.Prefix.Compare)
	return nil
}

// address is an address of a link.
type address struct {
	index  uint32       // of the link
	prefix netip.Prefix // not masked
	flags  uint32       // IFA_F_*
}

// addresses returns the addresses of one family, of one link where index is
// not 0.
func (c conn) addresses(family uint8, index uint32) ([]address, error) {
	answers, err := c.dump(unix.RTM_GETADDR, &rtnetlink.AddressMessage{Family: family, Index: index})
	if err != nil {
		return nil, err
	}
	found := make([]address, 0, len(answers))
	for _, answer := range answers {
		var m rtnetlink.AddressMessage
		if err := m.UnmarshalBinary(answer.Data); err != nil {
			return nil, fmt.Errorf("address message: %w", err)
		}
		if m.Family != family || m.Attributes == nil || index != 0 && m.Index != index {
			continue
		}
		if p, ok := localPrefix(&m); ok {
			found = append(found, address{m.Index, p, uint32(m.Flags) | m.Attributes.Flags})
		}
	}
	return found, nil
}

// localPrefix returns the address of this end: on a point-to-point link
// IFA_ADDRESS is the other's, and IPv6 has IFA_LOCAL there only.
func localPrefix(m *rtnetlink.AddressMessage) (netip.Prefix, bool) {
	ip := m.Attributes.Local
	if ip == nil {
		ip = m.Attributes.Address
	}
	return prefix(ip, m.PrefixLength)
}

// routes appends to dst the destinations of our routes into the link.
func (c conn) routes(dst []netip.Prefix, family uint8, index uint32) ([]netip.Prefix, error) {
	answers, err := c.dump(unix.RTM_GETROUTE, &rtnetlink.RouteMessage{
		Family: family, Table: unix.RT_TABLE_MAIN, Protocol: RouteProtocol,
		Attributes: rtnetlink.RouteAttributes{OutIface: index}})
	if err != nil {
		return dst, err
	}
	for _, answer := range answers {
		var m rtnetlink.RouteMessage
		if err := m.UnmarshalBinary(answer.Data); err != nil {
			return dst, fmt.Errorf("route message: %w", err)
		}
		if m.Family != family || m.Protocol != RouteProtocol || m.Type != unix.RTN_UNICAST ||
			m.Attributes.Table != unix.RT_TABLE_MAIN || m.Attributes.OutIface != index {
			continue
		}
		ip := m.Attributes.Dst
		if ip == nil { // the default route
			ip = make(net.IP, map[uint8]int{unix.AF_INET: net.IPv4len, unix.AF_INET6: net.IPv6len}[family])
		}
		if p, ok := prefix(ip, m.DstLength); ok {
			dst = append(dst, p)
		}
	}
	return dst, nil
}

func prefix(ip net.IP, bits uint8) (netip.Prefix, bool) {
	a, ok := netip.AddrFromSlice(ip)
	p := netip.PrefixFrom(a, int(bits))
	return p, ok && p.IsValid()
}
