package scenarios_test

import (
	"testing"

	"ginnel/netlab"
)

// TestBehaviour03IPv6: a network of IPv6 addresses works as one of IPv4 does,
// whichever of them the underlay has.
func TestBehaviour03IPv6(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, underlay, endpoint string
	}{
		{"over IPv4", "203.0.113.0/24", "203.0.113.2:51820"},
		{"over IPv6", "2001:db8::/64", "[2001:db8::2]:51820"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLab(t)
			inet := l.Switch("internet", tc.underlay)
			c := l.machine(l.Host("vps", inet))
			c.ginnel("network", "create", "home", "fd42::/48", "--endpoint", tc.endpoint)
			c.ginnel("cidr", "add", "red", "fd42:0:0:1::/64")
			c.ginnel("cidr", "add", "blue", "fd42:0:0:2::/64")
			ruby, rose, sky := l.join(c, l.Host("ruby", inet), "red"), l.join(c, l.Host("rose", inet), "red"), l.join(c, l.Host("sky", inet), "blue")
			l.allReach(c, ruby, rose)
			l.allReach(c, sky)
			ruby.names(rose)
			ruby.forgets("sky", 0)
			ruby.unreachable(sky.overlay().String())
			c.ginnel("association", "add", "red", "blue")
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
