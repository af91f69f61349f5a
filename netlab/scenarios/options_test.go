package scenarios_test

import (
	"fmt"
	"strings"
	"testing"

	"ginnel/daemon/local"
	"ginnel/netlab"
)

// TestBehaviour56Changed: the MTU and the route follow the configuration while
// the network is up, and an MTU that IPv6 cannot live with is refused.
func TestBehaviour56Changed(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		anna := o.peers[0]
		anna.reaches(o.coordinator, patience)
		link := func(mtu int, routed bool) {
			t.Helper()
			netlab.Eventually(t, patience, fmt.Sprintf("the MTU is %d", mtu), func() error {
				out, err := anna.Try("ip", "link", "show", "dev", "home")
				if err == nil && !strings.Contains(out, fmt.Sprintf(" mtu %d ", mtu)) {
					err = fmt.Errorf("the link is %s", out)
				}
				route := anna.ip("route", "show", l.home.root())
				if err == nil && strings.Contains(route, "dev home") != routed {
					err = fmt.Errorf("the route is %q", route)
				}
				return err
			})
		}
		link(1280, true)
		anna.option("mtu", "1400")
		anna.option("routes", "0")
		link(1400, false)
		anna.option("routes", "1")
		link(1400, true)
		anna.reaches(o.coordinator, patience)
		anna.option("mtu", "1000")
		if l.family == ipv4 {
			link(1000, true)
			return
		}
		anna.is(local.Failed, "IPv6 needs 1280 at least", "")
		bob := o.machine(o.Host("bob", o.internet))
		bob.refused("--mtu: 1279 is too small", "join", o.coordinator.invite("bob", "machines"), "--mtu", "1279")
	})
}

// TestBehaviour55RemovedPeers: a peer that may not be seen any more leaves the
// interface, as another program sees it.
func TestBehaviour55RemovedPeers(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		anna := o.peers[0]
		bob := o.machine(o.Host("bob", o.internet))
		bob.lend(wireguardGo(t))
		bob.ginnel("join", o.coordinator.invite("bob", "machines"), "--interface", "wg0")
		bob.carries(o.coordinator, anna)
		o.coordinator.ginnel("peer", "disable", "anna")
		bob.carries(o.coordinator)
		o.coordinator.ginnel("peer", "enable", "anna")
		bob.carries(o.coordinator, anna)
		o.coordinator.ginnel("peer", "remove", "anna", "--yes")
		bob.carries(o.coordinator)
	})
}
