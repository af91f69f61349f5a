package link_test

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/link"
	"ginnel/platform/platformtest"
)

func TestConformance(t *testing.T) {
	platformtest.Network(t, func(t *testing.T) *platformtest.Host {
		s := alone(t)
		tun(t, "home", unix.IFF_TUN)
		apply(t, "home", platform.NetChange{SetMTU: 1380})
		return &platformtest.Host{
			Network: link.New(),
			Link:    "home",
			SetUnderlay: func(t *testing.T, name string, addresses ...netip.Prefix) {
				cable(t, name)
				apply(t, name, platform.NetChange{SetUp: true, AddAddresses: addresses})
			},
			Enter: s.enter,
		}
	})
}
