package config_test

import (
	"fmt"
	"strings"
	"testing"

	"ginnel/daemon/config"
	"ginnel/wire"
)

// TestFirewallRules has the rules that sections mean.
func TestFirewallRules(t *testing.T) {
	const (
		port    = "rule ACCEPT src=* proto=udp dest_port=51820\n"
		ping    = "rule ACCEPT src=* device=LINK direction=in proto=icmp icmp_type=echo-request\n"
		api     = "rule ACCEPT src=* device=LINK direction=in proto=tcp dest_port=4000\n"
		input   = "rule ACCEPT src=* device=LINK direction=in proto=all\n"
		noMore  = "rule REJECT src=* device=LINK direction=in proto=all\n"
		forward = "rule ACCEPT src=lan dest=* device=LINK direction=out proto=all\n"
		nat     = "nat MASQUERADE src=* device=LINK family=any proto=all\n"
	)
	news := fmt.Sprintf("rule ACCEPT src=* device=LINK direction=in proto=udp dest_port=%d\n", wire.SignalPort)
	for _, c := range []struct {
		name string
		role config.Role
		is   func(n *config.Network)
		open bool
		want string
	}{
		{"a port of any kind", config.Peer, func(n *config.Network) { n.ListenPort = 0 }, false, ping + news},
		{"a peer", config.Peer, func(n *config.Network) {}, false, port + ping + news},
		{"a coordinator", config.Coordinator, func(n *config.Network) {}, false, port + ping + news + api},
		{"an open firewall", config.Peer, func(n *config.Network) {}, true, port + ping + news + noMore},
		{"a coordinator and an open firewall", config.Coordinator, func(n *config.Network) {}, true, port + ping + news + api + noMore},
		{"input", config.Coordinator, func(n *config.Network) { n.AllowInput = true }, true, port + input},
		{"lan", config.Peer, func(n *config.Network) { n.AllowLAN = true }, false, port + ping + news + forward + nat},
		{"both", config.Peer, func(n *config.Network) { n.ListenPort, n.AllowInput, n.AllowLAN = 0, true, true }, false, input + forward + nat},
		{"another's interface", config.Peer, func(n *config.Network) { n.Existing, n.Interface = true, "wg0" }, false, port + ping + news},
		{"no firewall", config.Peer, func(n *config.Network) { n.Firewall, n.AllowLAN = false, true }, true, ""},
		{"off", config.Peer, func(n *config.Network) { n.Enabled = false }, true, ""},
		{"refused", config.Peer, func(n *config.Network) { n.Refused, n.AllowLAN = true, true }, false, ""},
		{"refused, and an open firewall", config.Peer, func(n *config.Network) { n.Refused, n.AllowLAN = true, true }, true, noMore},
		{"refused, with input", config.Peer, func(n *config.Network) { n.Refused, n.AllowInput = true, true }, true, ""},
	} {
		n := config.New("my-home", c.role)
		n.ListenPort = 51820
		c.is(&n)
		got := n.FirewallRules(4000, c.open)
		if want := strings.ReplaceAll(c.want, "LINK", n.Link()); got != want {
			t.Errorf("%s: rules\n%swant\n%s", c.name, got, want)
		}
	}
}
