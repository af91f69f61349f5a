package scenarios_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.zx2c4.com/wireguard/wgctrl"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"ginnel/netlab"
)

// disturbances are what netifd, other programs and people do to the interface
// of a network, with another program than ours.
var disturbances = [][]string{
	{"link", "set", "dev", "home", "down"},
	{"address", "flush", "dev", "home"},
	{"route", "flush", "dev", "home"},
	{"link", "set", "dev", "home", "mtu", "1000"}, // in IPv6 the kernel then takes the addresses away
	{"rule", "add", "from", "all", "lookup", "77", "priority", "100"},
}

// TestDisturbedLink: what others take from the network's interface is put back
// at once, and what they add elsewhere is left alone.
func TestDisturbedLink(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna", "bob")
		anna, bob := o.peers[0], o.peers[1]
		o.allReach(o.all()...)
		show := func() string {
			return anna.Run("ip", "-o", "link", "show", "dev", "home") +
				anna.ip("-o", "address", "show", "dev", "home", "scope", "global") + anna.routes("home")
		}
		before := show()
		if !strings.HasPrefix(anna.routes("home"), l.home.root()) {
			t.Fatalf("there is no route to put back:\n%s", before)
		}
		for _, d := range disturbances {
			anna.ip(d...)
			netlab.Eventually(t, patience, "the daemon undoes ip "+strings.Join(d, " "), func() error {
				if after := show(); after != before {
					return fmt.Errorf("there is\n%swas\n%s", after, before)
				}
				return nil
			})
			anna.reaches(bob, patience)
			bob.reaches(anna, patience)
		}
		if rules := anna.ip("rule", "show"); !strings.Contains(rules, "lookup 77") {
			t.Errorf("the rule that somebody added is gone:\n%s", rules)
		}
	})
}

// TestDisturbedNames: names that somebody removed, or put others for, are
// written again, and what else is in the file stays.
func TestDisturbedNames(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna", "bob")
		anna, bob := o.peers[0], o.peers[1]
		anna.names(bob)
		const own = "192.0.2.77 printer\n"
		if err := anna.WriteFile("/etc/hosts", []byte("127.0.0.1 localhost\n"+own), 0o644); err != nil {
			t.Fatal(err)
		}
		anna.resolves("bob", bob.overlay(), 3*patience)
		if hosts, err := anna.ReadFile("/etc/hosts"); err != nil || !strings.Contains(string(hosts), own) {
			t.Errorf("what others wrote is lost (%v):\n%s", err, hosts)
		}
	})
}

// TestDisturbedTunnel: a key or a port that somebody gave the interface, and
// peers that he added or removed, are seen within half a minute and undone.
func TestDisturbedTunnel(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		anna := o.peers[0]
		bob := o.machine(o.Host("bob", o.internet))
		bob.lend(wireguardGo(t))
		bob.ginnel("join", o.coordinator.invite("bob", "machines"), "--interface", "wg0")
		bob.carries(o.coordinator, anna)
		stranger, err := wgtypes.GeneratePrivateKey()
		if err != nil {
			t.Fatal(err)
		}
		port := 4242
		for _, c := range []wgtypes.Config{
			{PrivateKey: &stranger},
			{ListenPort: &port},
			{ReplacePeers: true},
			{ReplacePeers: true, Peers: []wgtypes.PeerConfig{{PublicKey: stranger.PublicKey()}}},
		} {
			if err := bob.wgctrl(func(wg *wgctrl.Client) error { return wg.ConfigureDevice("wg0", c) }); err != nil {
				t.Fatal(err)
			}
			netlab.Eventually(t, 2*patience, fmt.Sprintf("the daemon undoes %+v", c), func() error {
				n, err := bob.network()
				if err != nil {
					return err
				}
				dev, err := bob.device()
				if err == nil && (dev.PublicKey.String() != n.PublicKey.String() || dev.ListenPort == port || len(dev.Peers) != 2) {
					err = fmt.Errorf("wg0 has key %s, port %d and %d peers", dev.PublicKey, dev.ListenPort, len(dev.Peers))
				}
				return err
			})
			bob.carries(o.coordinator, anna)
		}
	})
}
