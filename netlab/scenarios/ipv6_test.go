package scenarios_test

import (
	"strings"
	"testing"

	"ginnel/netlab"
)

// TestBehaviour03IPv6Alone: the IPv6 worlds, in which every other scenario runs too, have no
// IPv4 but loopback's.
func TestBehaviour03IPv6Alone(t *testing.T) {
	t.Parallel()
	h := labOf(t, ipv6).homes(netlab.PortRestricted)
	h.allReach(append(h.peers(), h.coordinator)...)
	hosts := []*netlab.Host{h.firstHome.Host, h.secondHome.Host}
	for _, m := range append(h.peers(), h.coordinator) {
		hosts = append(hosts, m.Host)
	}
	for _, host := range hosts {
		addresses := host.Run("ip", "-4", "-o", "address")
		if strings.Count(addresses, "\n") != 1 || !strings.Contains(addresses, "127.0.0.1/8") {
			t.Errorf("%s has IPv4 addresses:\n%s", host.Name(), addresses)
		}
	}
}

// TestBehaviour03MixedFamilies: a network of one family works over an underlay of the
// other.
func TestBehaviour03MixedFamilies(t *testing.T) {
	t.Parallel()
	for name, overlay := range map[family]family{ipv4: ipv6, ipv6: ipv4} {
		t.Run(string(overlay+" over "+name), func(t *testing.T) {
			l := labOf(t, name)
			l.home = ranges{overlay, 0}
			o := l.office("ruby", "rose")
			o.coordinator.ginnel("cidr", "add", "blue", l.home.cidr(2))
			sky := l.join(o.coordinator, l.Host("sky", o.internet), "blue")
			ruby, rose := o.peers[0], o.peers[1]
			l.allReach(o.all()...)
			l.allReach(o.coordinator, sky)
			ruby.names(rose)
			ruby.forgets("sky", 0)
			ruby.unreachable(sky.overlay().String())
			o.coordinator.ginnel("association", "add", "machines", "blue")
			l.allReach(ruby, rose, sky)
			sky.names(ruby)
		})
	}
}

// TestBehaviour87IPv6Candidates: two homes behind NATs that make no direct path
// possible in IPv4 find one in IPv6.
func TestBehaviour87IPv6Candidates(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	inet := l.World.Internet()
	first := l.Router("router1", netlab.Symmetric, inet, "192.168.1.0/24", "2001:db8:1::/64")
	second := l.Router("router2", netlab.Symmetric, inet, "192.168.2.0/24", "2001:db8:2::/64")
	c := l.coordinator(l.Host("vps", inet), "10.42.0.0/16")
	c.ginnel("cidr", "add", "machines", "10.42.1.0/24")
	laptop := l.join(c, l.Host("laptop", first.LAN), "machines")
	nas := l.join(c, l.Host("nas", second.LAN), "machines")
	laptop.reaches(nas, 2*patience)
	p, err := laptop.peer("nas")
	if err != nil || !p.Endpoint.Addr().Is6() {
		t.Errorf("the laptop reaches the nas at %v (%v), want an IPv6 address", p.Endpoint, err)
	}
}
