package scenarios_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"ginnel/daemon/local"
	"ginnel/netlab"
	"ginnel/wire"
)

// TestBehaviour63And76PortAlone: a machine behind a hard NAT that forwards a port
// announces the port alone; who is behind another hard NAT reaches it by that,
// and nobody forgets the endpoint at which the coordinator sees it.
func TestBehaviour63And76PortAlone(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	inet := l.Internet()
	first := l.Router("router1", netlab.Symmetric, inet, "192.168.1.0/24")
	second := l.Router("router2", netlab.Symmetric, inet, "192.168.2.0/24")
	c := l.coordinator(l.Host("vps", inet), l.home.root())
	c.ginnel("cidr", "add", "machines", l.home.cidr(1))
	laptop := l.join(c, l.Host("laptop", first.LAN), "machines")
	nas := l.join(c, l.Host("nas", second.LAN), "machines")
	l.allReach(c, laptop)
	l.allReach(c, nas)
	laptop.unreachable(nas.overlay().String())

	second.ForwardUDP(4000, endpointAt(nas.Addr()))
	nas.ginnel("listen-port", "set", port)
	nas.ginnel("endpoint", "set", ":4000")
	l.allReach(laptop, nas)
	outside := second.WAN.Addrs()[0].Addr()
	want := netip.AddrPortFrom(outside, 4000)
	netlab.Eventually(t, patience, "the laptop uses the forwarded port", func() error {
		p, err := laptop.peer("nas")
		if err == nil && (p.Endpoint != want || !slices.Equal(p.Endpoints.Announced, []string{want.String()}) || p.Endpoints.Seen.Addr() != outside) {
			err = fmt.Errorf("it is at %s, of %+v", p.Endpoint, p.Endpoints)
		}
		return err
	})
	nas.ginnel("endpoint", "unset")
	laptop.sees(nas, func(e wire.Endpoints) bool { return len(e.Announced) == 0 && e.Seen.IsValid() })
	l.allReach(laptop, nas)
}

// TestBehaviour63And84AnnouncedName: a machine announces a name. It moves while
// nobody can tell where to: who has lost it looks the name up again.
func TestBehaviour63And84AnnouncedName(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		const name = "nas.example.com"
		inet := l.Internet()
		c := l.coordinator(l.Host("vps", inet), l.home.root())
		c.ginnel("cidr", "add", "machines", l.home.cidr(1))
		laptop := l.join(c, l.Host("laptop", l.router("router", netlab.PortRestricted, inet, 1).LAN), "machines")
		nas := l.join(c, l.Host("nas", inet), "machines")
		laptop.knows(name, nas.Addr())
		nas.ginnel("listen-port", "set", port)
		nas.ginnel("endpoint", "set", name+":"+port)
		laptop.sees(nas, func(e wire.Endpoints) bool { return slices.Equal(e.Announced, []string{name + ":" + port}) })
		l.allReach(laptop, nas, c)

		c.Link(0).Down()
		c.daemon.Kill()
		nas.daemon.Kill()
		moved := l.public(99)
		nas.SetAddress(moved.String())
		laptop.knows(name, moved)
		nas.start() // the router lets in nobody whom the laptop has not written to
		laptop.reaches(nas, 2*time.Minute)
		laptop.usesAddress(nas, moved)
	})
}

// TestBehaviour64Override: a peer is reached where this machine's configuration
// says, and status marks it; after a restart as well.
func TestBehaviour64Override(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		inet := l.Internet()
		c := l.coordinator(l.Host("vps", inet), l.home.root())
		c.ginnel("cidr", "add", "machines", l.home.cidr(1))
		laptop := l.join(c, l.Host("laptop", l.router("router", netlab.PortRestricted, inet, 1).LAN), "machines")
		nas := l.join(c, l.Host("nas", inet), "machines")
		nas.ginnel("listen-port", "set", port)
		l.allReach(laptop, nas, c)
		usual, other := nas.Addr(), l.public(99)
		laptop.usesAddress(nas, usual)
		nas.SetAddress(usual.String(), other.String())
		l.allReach(laptop, nas, c)
		laptop.knows("nas.lan", other)
		pings := startPings([]*machine{laptop, nas})

		laptop.ginnel("override", "set", "nas", "nas.lan:"+port)
		laptop.usesAddress(nas, other)
		overridden := func(want bool) {
			t.Helper()
			for _, m := range []*machine{nas, c} {
				if p, err := laptop.peer(m.Name()); err != nil || p.Overridden != (want && m == nas) {
					t.Errorf("%s is overridden: %t, %v", m.Name(), p.Overridden, err)
				}
			}
		}
		overridden(true)
		pings.noneLost(t)
		laptop.daemon.Kill()
		laptop.start()
		laptop.reaches(nas, 2*time.Minute)
		laptop.usesAddress(nas, other)
		overridden(true)
		laptop.ginnel("override", "unset", nas.overlay().String())
		overridden(false)
		l.allReach(laptop, nas, c)
	})
}

// TestBehaviour71RenamedEndpoint: an admin says where the coordinator will be, and
// then it moves there without a word. Who was there follows, who was off finds it
// at its next start, and who joins is told.
func TestBehaviour71RenamedEndpoint(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		inet := l.Internet()
		lan := l.router("router", netlab.PortRestricted, inet, 1).LAN
		c := l.coordinator(l.Host("vps", inet), l.home.root())
		c.ginnel("cidr", "add", "machines", l.home.cidr(1))
		nas := l.join(c, l.Host("nas", inet), "machines", "--admin")
		laptop := l.join(c, l.Host("laptop", lan), "machines")
		desktop := l.join(c, l.Host("desktop", lan), "machines")
		all := []*machine{c, nas, laptop, desktop}
		l.allReach(all...)

		moved := l.public(99)
		nas.ginnel("network", "rename-endpoint", endpointAt(moved), "[2001:db8:dead::1]:7")
		for _, m := range all[1:] {
			m.sees(c, func(e wire.Endpoints) bool { return len(e.Announced) == 2 && e.Announced[0] == endpointAt(moved) })
		}
		pings := startPings(all[1:3])
		l.allReach(all...) // it has not moved yet
		desktop.daemon.Kill()
		c.daemon.Kill()
		c.SetAddress(moved.String())
		c.start()
		for _, m := range all[1:3] {
			m.reaches(c, 2*time.Minute)
		}
		pings.noneLost(t)
		desktop.start()
		desktop.reaches(c, patience)
		phone := l.join(c, l.Host("phone", lan), "machines")
		l.allReach(append(all, phone)...)
	})
}

// TestBehaviour62ListenPort: the port changes under a running tunnel, which goes
// on, and stays over a restart; unset, any port will do.
func TestBehaviour62ListenPort(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		inet := l.Internet()
		c := l.coordinator(l.Host("vps", inet), l.home.root())
		c.ginnel("cidr", "add", "machines", l.home.cidr(1))
		nas := l.join(c, l.Host("nas", inet), "machines")
		server := l.join(c, l.Host("server", inet), "machines")
		laptop := l.join(c, l.Host("laptop", l.router("router", netlab.PortRestricted, inet, 1).LAN), "machines")
		l.allReach(c, nas, server, laptop)
		before := server.settledWith(nas)
		open, behindNAT := startPings([]*machine{nas, server, c}), startPings([]*machine{nas, laptop})
		nas.ginnel("listen-port", "set", "4000")
		nas.uses4000(server, laptop, c)
		open.noneLost(t)
		for pair, p := range behindNAT { // the router lets nobody in whom the laptop has not written to
			counts := p.Stop()
			t.Logf("%s: %d of %d lost, %d in a row", pair, len(counts.Lost), counts.Sent, counts.LongestGap())
			if away := time.Duration(counts.LongestGap()) * pace; away > budget(5*time.Second) {
				t.Errorf("%s: away for %v", pair, away)
			}
		}
		if after, err := server.peer("nas"); err != nil || !after.LastHandshake.Equal(before.LastHandshake) && after.LastHandshake.Sub(before.LastHandshake) < time.Minute {
			t.Errorf("the session of %v is one of %v now, %v", before.LastHandshake, after.LastHandshake, err)
		}
		nas.daemon.Kill()
		nas.start()
		l.allReach(c, nas, server, laptop)
		nas.uses4000(server, laptop, c)

		nas.ginnel("listen-port", "unset")
		if n, err := nas.network(); err != nil || n.ListenPort == 4000 || n.ListenPort == 0 {
			t.Errorf("without a port of its own it has %d, %v", n.ListenPort, err)
		}
		l.allReach(c, nas, server, laptop)
	})
}

// settledWith waits until m's session with another machine is one that stays:
// wireguard-go starts the timer of a handshake when it has sent the first
// message, and so now and then after the answer, and makes another one 5 s later.
func (m *machine) settledWith(other *machine) (p local.Peer) {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, patience, m.Name()+"'s session with "+other.Name()+" stays", func() (err error) {
		p, err = m.peer(other.Name())
		if age := time.Since(p.LastHandshake); err == nil && (p.LastHandshake.IsZero() || age < 6*time.Second) {
			err = fmt.Errorf("it is %v old", age)
		}
		return err
	})
	return p
}

// TestBehaviour62And71ListenPortOfTheCoordinator: who looks for it finds it where
// its book says that it will be, and its API stays where it is.
func TestBehaviour62And71ListenPortOfTheCoordinator(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		c, anna := o.coordinator, o.peers[0]
		laptop := o.join(c, o.Host("laptop", l.router("router", netlab.PortRestricted, o.internet, 1).LAN), "machines")
		o.allReach(c, anna, laptop)
		anna.sees(laptop, func(e wire.Endpoints) bool { return e.Seen.IsValid() && len(e.Candidates) > 0 }) // all is settled
		c.refused("a coordinator needs a port", "listen-port", "unset")
		at := func(port uint16) string { return netip.AddrPortFrom(c.Addr(), port).String() }
		c.ginnel("network", "rename-endpoint", at(4000), at(51820))
		laptop.sees(c, func(e wire.Endpoints) bool { return len(e.Announced) == 2 && e.Announced[0] == at(4000) })
		pings := startPings([]*machine{anna, laptop})
		c.ginnel("listen-port", "set", "4000")
		c.uses4000(anna)
		laptop.reaches(c, 2*time.Minute)
		c.uses4000(laptop)
		pings.noneLost(t)
		laptop.refused("only admins", "peer", "list") // the API answers
		phone := o.join(c, o.Host("phone", o.internet), "machines")
		o.allReach(c, anna, laptop, phone)
	})
}

// uses4000 waits until the others reach m at its port 4000.
func (m *machine) uses4000(others ...*machine) {
	m.lab.t.Helper()
	for _, o := range others {
		netlab.Eventually(m.lab.t, patience, o.Name()+" reaches "+m.Name()+" at port 4000", func() error {
			p, err := o.peer(m.Name())
			if err == nil && (p.Endpoint.Port() != 4000 || !p.Connected) {
				err = fmt.Errorf("it is at %s, connected %t", p.Endpoint, p.Connected)
			}
			return err
		})
	}
}
