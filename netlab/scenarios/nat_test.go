package scenarios_test

import (
	"errors"
	"net/netip"
	"testing"

	"ginnel/netlab"
)

var errNotConnected = errors.New("not connected")

// TestFullCone: homes behind NATs that are easy.
func TestFullCone(t *testing.T) {
	t.Parallel()
	h := newHomes(t, netlab.FullCone)
	h.allReach(append(h.peers(), h.coordinator)...)
	h.laptop.uses(h.desktop, netip.MustParsePrefix("192.168.1.0/24"))
	h.laptop.uses(h.nas, netip.PrefixFrom(h.secondHome.Addr(), 32))
}

// TestSymmetricNAT: homes behind NATs that are hard reach what the internet
// reaches, and their own LAN. They do not reach each other, and status does not
// claim it.
func TestSymmetricNAT(t *testing.T) {
	t.Parallel()
	h := newHomes(t, netlab.Symmetric)
	h.allReach(h.coordinator, h.server, h.laptop, h.desktop)
	h.allReach(h.coordinator, h.server, h.printer, h.nas)
	h.laptop.uses(h.desktop, netip.MustParsePrefix("192.168.1.0/24"))
	h.laptop.unreachable(h.nas.overlay().String())
	p, err := h.laptop.peer("nas")
	if err != nil || p.Connected || !p.LastHandshake.IsZero() {
		t.Errorf("the laptop does not reach the nas, and its status says %+v (%v)", p, err)
	}
}

// TestOneSymmetricNAT: a home behind an ordinary NAT and a machine of the
// internet behind none.
func TestOneSymmetricNAT(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	inet := l.Internet()
	hard := l.Router("hard", netlab.Symmetric, inet, "192.168.1.0/24")
	easy := l.Router("easy", netlab.FullCone, inet, "192.168.2.0/24")
	c := l.coordinator(l.Host("vps", inet), "10.42.0.0/16")
	c.ginnel("cidr", "add", "machines", "10.42.1.0/24")
	laptop := l.join(c, l.Host("laptop", hard.LAN), "machines")
	nas := l.join(c, l.Host("nas", easy.LAN), "machines")
	l.allReach(c, laptop, nas)
}

// TestBehaviour82NestedNAT: a machine behind two NATs in series connects to
// one in the outer LAN and to one behind another NAT.
func TestBehaviour82NestedNAT(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	inet := l.Internet()
	outer := l.Router("outer", netlab.PortRestricted, inet, "192.168.1.0/24")
	inner := l.Router("inner", netlab.PortRestricted, outer.LAN, "192.168.7.0/24")
	other := l.Router("other", netlab.PortRestricted, inet, "192.168.2.0/24")
	c := l.coordinator(l.Host("vps", inet), "10.42.0.0/16")
	c.ginnel("cidr", "add", "machines", "10.42.1.0/24")
	deep := l.join(c, l.Host("deep", inner.LAN), "machines")
	middle := l.join(c, l.Host("middle", outer.LAN), "machines")
	nas := l.join(c, l.Host("nas", other.LAN), "machines")
	l.allReach(c, deep, middle, nas)
}

// TestCoordinatorBehindNAT: it is reached by the router's address and a
// forwarded port, and inside its own LAN directly. (How a machine of its own
// LAN is seen from outside it cannot know, so that one and a machine behind
// another NAT do not find each other.)
func TestCoordinatorBehindNAT(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	inet := l.Internet()
	office := l.Router("office", netlab.PortRestricted, inet, "192.168.1.0/24")
	home := l.Router("home", netlab.PortRestricted, inet, "192.168.2.0/24")
	host := l.Host("nas", office.LAN)
	office.ForwardUDP(51820, endpointAt(host.Addr()))
	c := l.machine(host)
	c.ginnel("network", "create", "home", "10.42.0.0/16",
		"--endpoint", endpointAt(office.Addr()),
		"--endpoint", endpointAt(host.Addr()))
	c.ginnel("cidr", "add", "machines", "10.42.1.0/24")
	server := l.join(c, l.Host("server", inet), "machines")
	laptop := l.join(c, l.Host("laptop", home.LAN), "machines")
	desktop := l.join(c, l.Host("desktop", office.LAN), "machines")
	l.allReach(c, server, laptop)
	l.allReach(c, server, desktop)
	laptop.uses(c, netip.PrefixFrom(office.Addr(), 32))
	desktop.uses(c, netip.MustParsePrefix("192.168.1.0/24"))
}
