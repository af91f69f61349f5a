package wire_test

import (
	"net/netip"
	"strings"
	"testing"

	"ginnel/wire"
)

// TestInvitationIntoNowhere reads tokens that would route somebody else's
// addresses, or the machine's own, into a tunnel.
func TestInvitationIntoNowhere(t *testing.T) {
	for _, c := range []struct{ network, root, invitee, hub, want string }{
		{"home", "0.0.0.0/0", "9.9.9.9", "9.9.9.10", "this host"},
		{"home", "0.0.0.0/1", "9.9.9.9", "9.9.9.10", "this host"},
		{"home", "127.0.0.0/8", "127.0.0.2", "127.0.0.1", "loopback"},
		{"home", "169.254.0.0/16", "169.254.0.2", "169.254.0.1", "link-local"},
		{"home", "128.0.0.0/1", "192.0.2.2", "192.0.2.1", "link-local"},
		{"home", "224.0.0.0/8", "224.0.0.2", "224.0.0.1", "multicast"},
		{"home", "255.255.255.254/31", "255.255.255.254", "255.255.255.255", "broadcast"},
		{"home", "::/0", "2606:4700:4700::1111", "2606:4700:4700::1112", "loopback"},
		{"home", "::fffe:0:0/95", "::fffe:1:1", "::fffe:1:2", "mapped"},
		{"home", "fe80::/64", "fe80::2", "fe80::1", "link-local"},
		{"home", "ff02::/16", "ff02::2", "ff02::1", "multicast"},
		{"all", "10.42.0.0/16", "10.42.0.2", "10.42.0.1", "the system uses"},
		{"default", "10.42.0.0/16", "10.42.0.2", "10.42.0.1", "the system uses"},
		{"lo", "10.42.0.0/16", "10.42.0.2", "10.42.0.1", "the system uses"},
		{"infra", "10.42.0.0/16", "10.42.0.2", "10.42.0.1", "own CIDR"},
	} {
		i := invitation()
		i.Network, i.Root = c.network, netip.MustParsePrefix(c.root)
		i.Address, i.Coordinator.Address = netip.MustParseAddr(c.invitee), netip.MustParseAddr(c.hub)
		if _, err := wire.ParseInvitation(i.Token()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: got %v, want %q in it", c.network, c.root, err, c.want)
		}
	}
}
