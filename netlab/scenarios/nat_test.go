package scenarios_test

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"ginnel/daemon/local"
	"ginnel/netlab"
	"ginnel/wire"
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

// TestBehaviour77CandidatesInTurn: of the ways to a machine only the last on the
// list leads there: by a network of their own, which is private, between two
// that are behind hard NATs. It is found by trying, also when it comes long
// after all were tried, and neither machine can notice that it has.
func TestBehaviour77CandidatesInTurn(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	inet := l.Internet()
	first, second := l.router("router1", netlab.Symmetric, inet, 1), l.router("router2", netlab.Symmetric, inet, 2)
	c := l.coordinator(l.Host("vps", inet), l.home.root())
	c.ginnel("cidr", "add", "machines", l.home.cidr(1))
	hosts := []*netlab.Host{l.Host("laptop", first.LAN), l.Host("nas", second.LAN)}
	left, right := l.Switch("left", "10.9.1.0/24"), l.Switch("right", "10.9.2.0/24")
	hosts[0].Connect(left)
	hosts[1].Connect(right)
	between := l.Host("between", left, "10.9.1.9")
	cable := between.Connect(right, "10.9.2.9")
	between.Sysctl("net.ipv4.ip_forward", "1")
	hosts[0].Route("10.9.2.0/24", "10.9.1.9")
	hosts[1].Route("10.9.1.0/24", "10.9.2.9")
	cable.Down()

	laptop, nas := l.join(c, hosts[0], "machines"), l.join(c, hosts[1], "machines")
	l.allReach(c, laptop)
	l.allReach(c, nas)
	laptop.sees(nas, func(e wire.Endpoints) bool { return len(e.Candidates) == 2 })
	tried := map[netip.Addr]bool{}
	netlab.Eventually(t, 2*patience, "the laptop tries all of the nas's addresses", func() error {
		p, err := laptop.peer("nas")
		tried[p.Endpoint.Addr()] = true
		if err == nil && (!tried[second.Addr()] || !tried[nas.Addr()] || !tried[netip.MustParseAddr("10.9.2.2")]) {
			err = fmt.Errorf("it tried %v", tried)
		}
		return err
	})
	laptop.givesUp("nas")
	nas.givesUp("laptop")
	cable.Up()
	laptop.reaches(nas, 2*time.Minute)
	laptop.uses(nas, netip.MustParsePrefix("10.9.2.0/24"))
}

// givesUp waits until m has tried all ways to a peer in vain.
func (m *machine) givesUp(name string) {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, 2*patience, m.Name()+" has tried all ways to "+name, func() error {
		p, err := m.peer(name)
		if err == nil && p.Reach != local.ReachNone {
			err = fmt.Errorf("it is reached thus: %q", p.Reach)
		}
		return err
	})
}
