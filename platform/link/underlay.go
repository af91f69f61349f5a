package link

import (
	"cmp"
	"net/netip"
	"slices"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"ginnel/platform"
)

// underlay reads links and addresses; candidates decides.
func (c conn) underlay() ([]platform.UnderlayAddress, error) {
	links, err := c.devices()
	if err != nil {
		return nil, err
	}
	var all []address
	for _, family := range families {
		found, err := c.addresses(family, 0)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return usable(links, all), nil
}

// usable returns the addresses others may reach us at, in their order.
func usable(links []device, all []address) []platform.UnderlayAddress {
	names := make(map[uint32]string, len(links))
	for i := range links {
		if links[i].isUnderlay() {
			names[links[i].index] = links[i].name
		}
	}
	all = slices.DeleteFunc(all, func(a address) bool {
		return names[a.index] == "" || !a.isUsable()
	})
	sort.Slice(all, func(i, j int) bool {
		a, b := &all[i], &all[j]
		return cmp.Or(
			cmp.Compare(a.flags&unix.IFA_F_TEMPORARY, b.flags&unix.IFA_F_TEMPORARY),
			strings.Compare(names[a.index], names[b.index]),
			a.prefix.Compare(b.prefix)) < 0
	})
	found := make([]platform.UnderlayAddress, len(all))
	for i, a := range all {
		found[i] = platform.UnderlayAddress{Link: names[a.index], Prefix: a.prefix}
	}
	return found
}

// isUnderlay tells whether addresses of d count. Those of a link without
// carrier do not: nobody reaches them. Those of a point-to-point link do: ppp0
// is the WAN of many routers.
func (d *device) isUnderlay() bool {
	const up = unix.IFF_UP | unix.IFF_LOWER_UP
	return d.flags&up == up && d.flags&unix.IFF_LOOPBACK == 0 && !d.isTunnel()
}

// isTunnel tells whether d is WireGuard's, a TUN or of their kin: virtual and
// without link layer. A link without link layer that is not virtual is a modem
// in raw IP mode (qmi_wwan), a WAN again; "wwan" is the kind of newer modems.
// A TAP has the kind "tun" but a link layer: it is the uplink in rootless
// containers.
func (d *device) isTunnel() bool {
	return d.kind == "wireguard" || d.hardware == unix.ARPHRD_NONE && d.kind != "" && d.kind != "wwan"
}

// isUsable leaves out addresses that are not unicast beyond the link, and
// those the kernel does not, or will soon no longer, send from. The kernel
// reports the flag of a secondary IPv4 address and that of a temporary IPv6
// address as the same bit: both are usable, but come last.
func (a *address) isUsable() bool {
	const unusable = unix.IFA_F_TENTATIVE | unix.IFA_F_DADFAILED | unix.IFA_F_DEPRECATED
	return a.flags&unusable == 0 && isUnicast(a.prefix.Addr())
}

func isUnicast(a netip.Addr) bool {
	return !a.IsUnspecified() && !a.IsLoopback() && !a.IsMulticast() && !a.IsLinkLocalUnicast() &&
		a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}
