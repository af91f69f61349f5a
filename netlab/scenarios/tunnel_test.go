package scenarios_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ginnel/netlab"
	"ginnel/wire"
)

// TestBehaviour54Undisturbed: news about others leave a session as it is.
func TestBehaviour54Undisturbed(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna", "bob", "carl")
		anna, carl := o.peers[0], o.peers[2]
		o.allReach(o.all()...)
		before, err := anna.peer("bob")
		if err != nil {
			t.Fatal(err)
		}
		pings := startPings(o.all())
		for i := range 5 {
			cidr := fmt.Sprintf("lab%d", i)
			o.coordinator.ginnel("cidr", "add", cidr, l.home.cidr(10+i))
			o.coordinator.ginnel("association", "add", cidr, "machines")
			o.coordinator.invite(cidr, cidr)
			o.coordinator.ginnel("peer", "rename", "carl", "charles")
			o.coordinator.ginnel("peer", "rename", "charles", "carl")
		}
		o.coordinator.ginnel("peer", "rename", "carl", "charles")
		anna.resolves("charles", carl.overlay(), patience)
		pings.noneLost(t)
		after, err := anna.peer("bob")
		if err != nil || after.LastHandshake.Before(before.LastHandshake) || after.Rx < before.Rx || after.Tx < before.Tx || after.Endpoint != before.Endpoint {
			t.Errorf("the session was disturbed (%v): before %+v, after %+v", err, before, after)
		}
	})
}

// TestBehaviour56Options: MTU, routes and hosts file are as join was told, and
// keepalives go to a peer with which nothing else happens.
func TestBehaviour56Options(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		anna := o.peers[0]
		bob := o.machine(o.Host("bob", o.internet))
		bob.ginnel("join", o.coordinator.invite("bob", "machines"), "--mtu", "1400", "--no-routing", "--hosts", "none", "--listen-port", "4242")
		bob.ip("route", "add", l.home.root(), "dev", "home") // what --no-routing leaves to the owner
		o.allReach(anna, bob)
		bob.ip("route", "del", l.home.root(), "dev", "home")

		if got := anna.mtu(); got != 1280 {
			t.Errorf("anna's MTU is %d, want 1280", got)
		}
		if got := bob.mtu(); got != 1400 {
			t.Errorf("bob's MTU is %d, want 1400", got)
		}
		if routes := anna.ip("route", "show", l.home.root()); !strings.Contains(routes, "dev home") {
			t.Errorf("anna has no route to the network: %s", routes)
		}
		if routes := bob.ip("route", "show", "dev", "home"); strings.Contains(routes, l.home.root()) {
			t.Errorf("bob has routes that he did not want: %s", routes)
		}
		if hosts, err := bob.ReadFile("/etc/hosts"); err != nil || strings.Contains(string(hosts), "home.wg") {
			t.Errorf("bob's hosts file (%v):\n%s", err, hosts)
		}
		if n, err := bob.network(); err != nil || n.ListenPort != 4242 {
			t.Errorf("bob listens on %d (%v), want 4242", n.ListenPort, err)
		}

		keepalive := pick(l.family, 20, 40) + 8 + 32 // bytes: IP, UDP, an empty packet of WireGuard
		count := o.internet.Count(func(p netlab.Packet) bool {
			return p.Protocol == unix.IPPROTO_UDP && p.Len == keepalive && p.Src.Addr() == anna.Addr() && p.Dst.Addr() == bob.Addr()
		})
		netlab.Eventually(t, 40*time.Second, "a keepalive from anna to bob", func() error {
			if count.Packets() == 0 {
				return fmt.Errorf("none")
			}
			return nil
		})
	})
}

// mtu is the MTU of interface "home", in bytes.
func (m *machine) mtu() int {
	m.lab.t.Helper()
	var links []struct {
		MTU int `json:"mtu"`
	}
	out := m.Run("ip", "-j", "link", "show", "dev", "home")
	if err := json.Unmarshal([]byte(out), &links); err != nil || len(links) != 1 {
		m.lab.t.Fatalf("ip prints %q: %v", out, err)
	}
	return links[0].MTU
}

// TestBehaviour72And73Endpoints: the coordinator learns how a home is seen from
// outside within 10 s, and that and the home's own addresses reach those who
// may see it: at most 10, and none that were excluded.
func TestBehaviour72And73Endpoints(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		anna := o.peers[0]
		home := l.router("router", netlab.PortRestricted, o.internet, 1)
		laptop := o.join(o.coordinator, o.Host("laptop", home.LAN), "machines")
		seen := l.seenAs(laptop.Host, home)
		netlab.Eventually(t, 10*time.Second, "the coordinator learns the laptop's endpoint", func() error {
			p, err := o.coordinator.book("laptop")
			if err == nil && p.Endpoints.Seen.Addr() != seen {
				err = fmt.Errorf("it has %v, want %v", p.Endpoints.Seen, seen)
			}
			return err
		})
		anna.sees(laptop, func(e wire.Endpoints) bool {
			return e.Seen.Addr() == seen && len(e.Candidates) == 1 && e.Candidates[0].Addr() == laptop.Addr()
		})

		var many []string
		for i := range 14 {
			many = append(many, l.public(10+i).String())
		}
		crowded := o.join(o.coordinator, o.Host("crowded", o.internet, many...), "machines")
		anna.sees(crowded, func(e wire.Endpoints) bool { return len(e.Candidates) == wire.MaxCandidates })

		shy := o.machine(o.Host("shy", o.internet, l.public(7).String(), l.public(99).String()))
		shyOf := netip.PrefixFrom(l.public(7), l.public(7).BitLen()-2).Masked().String() // 4 to 7
		shy.ginnel("join", o.coordinator.invite("shy", "machines"), "--exclude", shyOf)
		anna.sees(shy, func(e wire.Endpoints) bool {
			return len(e.Candidates) == 1 && e.Candidates[0].Addr() == l.public(99)
		})
	})
}

// sees waits until m's map has such endpoints of another machine.
func (m *machine) sees(other *machine, such func(wire.Endpoints) bool) {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, patience, m.Name()+" learns "+other.Name()+"'s endpoints", func() error {
		p, err := m.peer(other.Name())
		if err == nil && !such(p.Endpoints) {
			err = fmt.Errorf("it has %+v", p.Endpoints)
		}
		return err
	})
}

// TestBehaviour71And84MovedCoordinator: peers that know the coordinator by a
// name follow it to another address within two minutes.
func TestBehaviour71And84MovedCoordinator(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		inet := l.Internet()
		first := l.router("router1", netlab.PortRestricted, inet, 1)
		second := l.router("router2", netlab.PortRestricted, inet, 2)
		const name = "vps.example.com"
		c := l.machine(l.Host("vps", inet))
		c.ginnel("network", "create", "home", l.home.root(), "--endpoint", name+":"+port)
		c.ginnel("cidr", "add", "machines", l.home.cidr(1))
		var peers []*machine
		for _, h := range []*netlab.Host{l.Host("laptop", first.LAN), l.Host("nas", second.LAN)} {
			m := l.machine(h)
			m.knows(name, c.Addr())
			m.ginnel("join", c.invite(h.Name(), "machines"))
			peers = append(peers, m)
		}
		l.allReach(append(peers, c)...)

		c.SetAddress(l.public(77).String())
		for _, m := range peers {
			m.knows(name, c.Addr())
		}
		began := time.Now()
		for _, m := range peers {
			m.reaches(c, 2*time.Minute-time.Since(began))
		}
		c.ginnel("peer", "rename", "laptop", "notebook")
		peers[1].resolves("notebook", peers[0].overlay(), 2*time.Second)
	})
}

// knows makes name resolve to an address on m, as a name server would. What
// else the hosts file says stays.
func (m *machine) knows(name string, is netip.Addr) {
	m.lab.t.Helper()
	m.Run("sed", "-i", "-e", "1i"+is.String()+" "+name, "-e", "/ "+name+"$/d", "/etc/hosts")
}
