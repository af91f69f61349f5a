package network_test

import (
	"net/netip"
	"testing"

	"ginnel/key"
	"ginnel/network"
)

func TestBehaviour03And04NewNetwork(t *testing.T) {
	for root, first := range map[string]string{
		"10.42.0.0/16":       "10.42.0.1",
		"10.42.0.0/30":       "10.42.0.1",
		"10.42.0.0/31":       "10.42.0.0",
		"fd42::/48":          "fd42::1",
		"fd42::/126":         "fd42::1",
		"fd42::/127":         "fd42::",
		"192.168.128.0/17":   "192.168.128.1",
		"fd42:0:0:ff00::/56": "fd42:0:0:ff00::1",
	} {
		b, change, err := network.New("net", prefix(root), "hub", testKey(0))
		if err != nil {
			t.Errorf("%s: %v", root, err)
			continue
		}
		infra, _ := b.CIDRNamed(network.InfraName)
		hub := b.Coordinator()
		a := addr(first)
		if hub.Address != a || hub.Name != "hub" || !hub.Admin || hub.Key != testKey(0) {
			t.Errorf("%s: the coordinator is %+v", root, hub)
		}
		if infra.Prefix != netip.PrefixFrom(a, a.BitLen()) || b.CIDROf(a) != infra {
			t.Errorf("%s: infra is %v", root, infra)
		}
		if top := b.CIDRs()[0]; b.Root() != prefix(root) || top.Name != "net" || b.Name() != "net" || b.Parent(&top) != nil {
			t.Errorf("%s: the root is %+v", root, top)
		}
		if b.Revision() != 1 || change.Revision != 1 || len(change.Put.CIDRs) != 2 || len(change.Put.Peers) != 1 {
			t.Errorf("%s: revision %d, change %+v", root, b.Revision(), change)
		}
		if _, err := network.Load(b.Snapshot()); err != nil {
			t.Errorf("%s: %v", root, err)
		}
		if *b.Parent(infra) != b.CIDRs()[0] {
			t.Errorf("%s: infra is in %v", root, b.Parent(infra))
		}
	}
}

func TestNewRefusals(t *testing.T) {
	cases := []struct {
		name, root, hub string
		k               key.PublicKey
		kind            network.Kind
		words           []string
	}{
		{"Net", "10.42.0.0/16", "hub", testKey(0), network.Invalid, []string{`"Net"`, "lower-case"}},
		{"net", "10.42.0.7/16", "hub", testKey(0), network.Invalid, []string{"10.42.0.0/16"}},
		{"net", "10.42.0.1/32", "hub", testKey(0), network.Invalid, []string{"/31"}},
		{"net", "fd42::1/128", "hub", testKey(0), network.Invalid, []string{"/127"}},
		{"net", "127.1.0.0/16", "hub", testKey(0), network.Invalid, []string{"loopback"}},
		{"net", "0.0.0.0/0", "hub", testKey(0), network.Invalid, []string{"unspecified"}},
		{"net", "::/0", "hub", testKey(0), network.Invalid, []string{"unspecified"}},
		{"net", "169.254.1.0/24", "hub", testKey(0), network.Invalid, []string{"link-local"}},
		{"net", "fe80::/64", "hub", testKey(0), network.Invalid, []string{"link-local"}},
		{"net", "239.0.0.0/8", "hub", testKey(0), network.Invalid, []string{"multicast"}},
		{"net", "ff02::/16", "hub", testKey(0), network.Invalid, []string{"multicast"}},
		{"net", "::ffff:10.42.0.0/112", "hub", testKey(0), network.Invalid, []string{"IPv4"}},
		{"net", "", "hub", testKey(0), network.Invalid, []string{"10.42.0.0/16"}},
		{"net", "10.42.0.0/16", "", testKey(0), network.Invalid, []string{"name"}},
		{"net", "10.42.0.0/16", "hub", key.PublicKey{}, network.Weak, nil},
		{"net", "10.42.0.0/16", "hub", key.PublicKey{1}, network.Weak, nil},
	}
	for _, c := range cases {
		var root netip.Prefix
		if c.root != "" {
			root = prefix(c.root)
		}
		b, _, err := network.New(c.name, root, c.hub, c.k)
		if b != nil {
			t.Errorf("%s %s was made", c.name, c.root)
		}
		wantRefusal(t, err, c.kind, c.words...)
	}
}

func TestBehaviour05NetworkNames(t *testing.T) {
	for _, good := range []string{"a", "net", "my-net", "0", "lan-2-3", "abcdefghijklmno"} {
		if err := network.CheckNetworkName(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "abcdefghijklmnop", "My", "a_b", "a.b", "a b", "-a", "a-", "a--b", "é", "a/b", "infra", "lo", "all", "default", ".", ".."} {
		wantRefusal(t, network.CheckNetworkName(bad), network.Invalid)
	}
}

func TestFirstAssignable(t *testing.T) {
	for p, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.1", "10.0.0.8/30": "10.0.0.9", "10.0.0.8/31": "10.0.0.8", "10.0.0.8/32": "10.0.0.8",
		"fd00::/64": "fd00::1", "fd00::/127": "fd00::", "fd00::7/128": "fd00::7",
	} {
		if got := network.FirstAssignable(prefix(p)); got != addr(want) {
			t.Errorf("the first of %s is %v, want %s", p, got, want)
		}
	}
	if got := network.FirstAssignable(netip.Prefix{}); got.IsValid() {
		t.Errorf("the first of nothing is %v", got)
	}
}
