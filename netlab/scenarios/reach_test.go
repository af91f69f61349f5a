package scenarios_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"ginnel/netlab"
)

// homes is the world of the picture in the README: a coordinator and a server
// that the internet reaches, and two homes behind NAT routers.
type homes struct {
	*lab
	coordinator, server   *machine
	laptop, desktop       *machine // in the first home
	printer, nas          *machine // in the second
	firstHome, secondHome *netlab.Router
	internet              *netlab.Switch
}

// newHomes is the homes' world for a scenario that is of one family: see
// oneFamily.
func newHomes(t *testing.T, nat netlab.NAT) *homes { return newLab(t).homes(nat) }

// homes makes the world with everybody in one CIDR.
func (l *lab) homes(nat netlab.NAT) *homes {
	l.t.Helper()
	h := &homes{lab: l, internet: l.Internet()}
	h.firstHome = l.router("router1", nat, h.internet, 1)
	h.secondHome = l.router("router2", nat, h.internet, 2)
	h.coordinator = l.coordinator(l.Host("vps", h.internet), l.home.root())
	h.coordinator.ginnel("cidr", "add", "machines", l.home.cidr(1))
	h.server = l.join(h.coordinator, l.Host("server", h.internet), "machines")
	h.laptop = l.join(h.coordinator, l.Host("laptop", h.firstHome.LAN), "machines")
	h.desktop = l.join(h.coordinator, l.Host("desktop", h.firstHome.LAN), "machines")
	h.printer = l.join(h.coordinator, l.Host("printer", h.secondHome.LAN), "machines")
	h.nas = l.join(h.coordinator, l.Host("nas", h.secondHome.LAN), "machines")
	return h
}

func (h *homes) peers() []*machine {
	return []*machine{h.server, h.laptop, h.desktop, h.printer, h.nas}
}

// TestBehaviour74And75TwoHomesAndAServer: everybody reaches everybody directly,
// inside a home by the LAN, and goes on doing so when the coordinator's machine
// is gone.
func TestBehaviour74And75TwoHomesAndAServer(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		h := l.homes(netlab.PortRestricted)
		h.allReach(append(h.peers(), h.coordinator)...)
		h.laptop.uses(h.desktop, l.lan(1))
		h.nas.uses(h.printer, l.lan(2))
		h.laptop.usesAddress(h.nas, l.seenAs(h.nas.Host, h.secondHome))
		h.laptop.usesAddress(h.server, h.server.Addr())

		pings := startPings(h.peers())
		h.coordinator.Link(0).Down()
		h.coordinator.daemon.Kill()
		h.allReach(h.peers()...)
		pings.noneLost(t)
	})
}

// usesAddress waits until m reaches to by an endpoint of that address.
func (m *machine) usesAddress(to *machine, a netip.Addr) {
	m.lab.t.Helper()
	m.uses(to, netip.PrefixFrom(a, a.BitLen()))
}

// uses waits until m reaches to by an endpoint inside the range.
func (m *machine) uses(to *machine, within netip.Prefix) {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, patience, fmt.Sprintf("%s reaches %s by %s", m.Name(), to.Name(), within), func() error {
		p, err := m.peer(to.Name())
		if err == nil && (!p.Connected || !within.Contains(p.Endpoint.Addr())) {
			err = fmt.Errorf("endpoint %s, connected %v", p.Endpoint, p.Connected)
		}
		return err
	})
}

// pings are steady pings between every pair of some machines.
type pings map[string]*netlab.Pinger

const pace = 100 * time.Millisecond

func startPings(machines []*machine) pings {
	p := pings{}
	for _, from := range machines {
		for _, to := range machines {
			if from != to {
				p[from.Name()+" -> "+to.Name()] = from.StartPing(to.overlay().String(), pace)
			}
		}
	}
	return p
}

// noneLost stops the pings and fails when one was not answered.
func (p pings) noneLost(t *testing.T) {
	t.Helper()
	for pair, pinger := range p {
		if c := pinger.Stop(); len(c.Lost) > 0 {
			t.Errorf("%s: %d of %d pings are lost: %v", pair, len(c.Lost), c.Sent, c.Lost)
		}
	}
}

// TestJoinIsFast: from the command to the first ping it takes less than 2 s on
// a quiet LAN.
func TestJoinIsFast(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		lan := l.Switch("lan", l.lan(1).String())
		c := l.coordinator(l.Host("vps", lan), l.home.root())
		c.ginnel("cidr", "add", "machines", l.home.cidr(1))
		first := l.join(c, l.Host("first", lan), "machines")
		second := l.machine(l.Host("second", lan))
		token := c.invite("second", "machines")
		began := time.Now()
		second.ginnel("join", token)
		t.Logf("join: %v", time.Since(began))
		second.reaches(first, patience)
		took := time.Since(began)
		t.Logf("join to first ping: %v", took)
		if took > budget(2*time.Second) {
			t.Errorf("join to first ping took %v, the budget is %v", took, budget(2*time.Second))
		}
	})
}

// TestBehaviour83MovedServer: a peer whose underlay address changes is
// reachable again within 5 s.
func TestBehaviour83MovedServer(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		h := l.homes(netlab.PortRestricted)
		h.allReach(h.peers()...)
		h.server.SetAddress(l.public(77).String())
		for _, m := range []*machine{h.laptop, h.nas, h.desktop, h.printer} {
			m.reaches(h.server, budget(5*time.Second))
		}
	})
}

// TestBehaviour83MovedLaptop: a laptop that is carried from one home to the
// other is reachable again within 5 s, by LAN addresses where it is now.
func TestBehaviour83MovedLaptop(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		h := l.homes(netlab.PortRestricted)
		h.allReach(h.peers()...)
		h.laptop.MoveTo(h.secondHome.LAN)
		began := time.Now()
		for _, m := range []*machine{h.desktop, h.nas, h.server} {
			m.reaches(h.laptop, budget(5*time.Second)-time.Since(began))
		}
	})
}

// TestRouterWithNewAddress: a home whose provider gives it another address
// heals without anybody inside noticing it.
func TestRouterWithNewAddress(t *testing.T) {
	h := newHomes(t, netlab.PortRestricted)
	h.allReach(h.peers()...)
	h.firstHome.WAN.SetAddress("203.0.113.99/24")
	h.server.reaches(h.laptop, patience)
	h.nas.reaches(h.laptop, patience)
}

// TestBehaviour24And28AssociationDecides: CIDRs that are not associated can neither reach nor name
// each other; associated they can, and after that not any more (behaviours 24,
// 28).
func TestBehaviour24And28AssociationDecides(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		inet := l.Internet()
		c := l.coordinator(l.Host("vps", inet), l.home.root())
		c.ginnel("cidr", "add", "red", l.home.cidr(1))
		c.ginnel("cidr", "add", "blue", l.home.cidr(2))
		red := l.join(c, l.Host("ruby", inet), "red")
		blue := l.join(c, l.Host("sky", inet), "blue")
		l.allReach(c, red)
		l.allReach(c, blue)
		red.forgets("sky", 0)
		if err := red.Ping(blue.overlay().String(), time.Second); err == nil {
			t.Fatal("red reaches blue although they are not associated")
		}
		c.ginnel("association", "add", "red", "blue")
		red.reaches(blue, patience)
		blue.reaches(red, patience)
		red.names(blue)
		c.ginnel("association", "remove", "blue", "red", "--yes")
		red.forgets("sky", budget(2*time.Second))
		blue.forgets("ruby", budget(2*time.Second))
		if err := red.Ping(blue.overlay().String(), time.Second); err == nil {
			t.Fatal("red still reaches blue")
		}
	})
}

// names waits until m resolves to's name to its overlay address.
func (m *machine) names(to *machine) {
	m.lab.t.Helper()
	m.resolves(to.Name(), to.overlay(), patience)
}

// resolves waits until m resolves the name of a peer of "home" to an address.
func (m *machine) resolves(peer string, to netip.Addr, within time.Duration) {
	m.lab.t.Helper()
	m.resolvesTo(peer+".home.wg", to, within)
}

func (m *machine) resolvesTo(name string, to netip.Addr, within time.Duration) {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, within, m.Name()+" resolves "+name, func() error {
		got, err := m.Resolve(name)
		if err == nil && got != to {
			err = fmt.Errorf("it is %s, want %s", got, to)
		}
		return err
	})
}
