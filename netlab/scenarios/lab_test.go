// Package scenarios_test runs the real binary on small internets: each test is
// one thing that must be seen to hold.
package scenarios_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ginnel/daemon/local"
	"ginnel/netlab"
)

// atOnce is how many worlds run at the same time when nobody says: most of a
// scenario is waiting.
const atOnce = "10"

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}
	netlab.Main(m)
}

// patience is how long a test waits for what has no budget of its own: long,
// because the machine may be busy.
var patience = netlab.Patience(30 * time.Second)

// budget is a time that the product promises. A processor that is emulated by
// one that others use too gets twice of it.
func budget(d time.Duration) time.Duration { return min(2*d, netlab.Patience(d)) }

// port is where a WireGuard listens when nobody says, and the coordinator's API
// too.
const port = "51820"

// endpointAt is how it is reached at an address.
func endpointAt(a netip.Addr) string { return net.JoinHostPort(a.String(), port) }

// lab is a world with a binary to run in it.
type lab struct {
	*netlab.World
	t      *testing.T
	binary string
	family family
	home   ranges // of network "home"
	job    ranges // of network "job", where there are two
}

// newLab is a lab for a scenario that is of one family: see oneFamily.
func newLab(t *testing.T) *lab { return labOf(t, ipv4) }

func labOf(t *testing.T, f family) *lab {
	return &lab{World: netlab.New(t), t: t, binary: netlab.Binary(t), family: f, home: ranges{f, 0}, job: ranges{f, 1}}
}

// machine is a host that runs the daemon.
type machine struct {
	*netlab.Host
	lab    *lab
	daemon *netlab.Process
	user   uint32 // whose the daemon is, with CAP_NET_ADMIN; 0: root's
}

// machine starts the daemon on a host and waits until it answers, and has tried
// to start its networks.
func (l *lab) machine(h *netlab.Host) *machine {
	l.t.Helper()
	m := &machine{Host: h, lab: l}
	m.start()
	return m
}

func (m *machine) start() {
	m.lab.t.Helper()
	m.startFrom(m.lab.binary)
}

// startFrom starts the daemon from a binary of the host's own.
func (m *machine) startFrom(binary string) {
	m.lab.t.Helper()
	if m.user == 0 {
		m.daemon = m.Start(binary, "daemon", "--verbose")
	} else {
		m.daemon = m.StartAs(m.user, []uintptr{unix.CAP_NET_ADMIN}, binary, "daemon", "--verbose")
	}
	conf, _ := m.ReadFile("/etc/ginnel/ginnel.conf") // there is none before the first network
	configured := strings.Count(string(conf), "config network")
	netlab.Eventually(m.lab.t, patience, m.Name()+"'s daemon has started", func() error {
		var s local.Status
		if err := m.json(&s, "status", "--json"); err != nil {
			return err
		}
		starting := slices.ContainsFunc(s.Networks, func(n local.Network) bool { return n.Error == "is starting" })
		if starting || len(s.Networks) < configured {
			return fmt.Errorf("of %d networks there are %+v", configured, s.Networks)
		}
		return nil
	})
}

// coordinator makes host the coordinator of network "home".
func (l *lab) coordinator(h *netlab.Host, root string) *machine {
	l.t.Helper()
	m := l.machine(h)
	m.ginnel("network", "create", "home", root, "--endpoint", endpointAt(h.Addr()))
	return m
}

// ginnel runs a command that must succeed and returns what it printed.
func (m *machine) ginnel(args ...string) string {
	m.lab.t.Helper()
	return m.Run(m.lab.binary, args...)
}

// refused runs a command that must fail with a message that contains why.
func (m *machine) refused(why string, args ...string) {
	m.lab.t.Helper()
	out, err := m.Try(m.lab.binary, args...)
	if err == nil {
		m.lab.t.Fatalf("ginnel %s succeeded, printing %q; it must be refused", strings.Join(args, " "), out)
	}
	if !strings.Contains(err.Error(), why) {
		m.lab.t.Fatalf("ginnel %s is refused with %q, which does not say %q", strings.Join(args, " "), err, why)
	}
}

// invite asks m for an invitation for a host into a CIDR.
func (m *machine) invite(name, cidr string, more ...string) (token string) {
	m.lab.t.Helper()
	return strings.TrimSpace(m.ginnel(append([]string{"peer", "invite", name, "--cidr", cidr}, more...)...))
}

// join makes host a machine that joined by an invitation of admin's.
func (l *lab) join(admin *machine, h *netlab.Host, cidr string, more ...string) *machine {
	l.t.Helper()
	m := l.machine(h)
	m.ginnel("join", admin.invite(h.Name(), cidr, more...))
	return m
}

// json runs a command and decodes what it prints.
func (m *machine) json(into any, args ...string) error {
	out, err := m.Try(m.lab.binary, args...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		return fmt.Errorf("ginnel %s does not print JSON: %w", strings.Join(args, " "), err)
	}
	return nil
}

// network returns m's network "home".
func (m *machine) network() (local.Network, error) {
	var s local.Status
	if err := m.json(&s, "status", "home", "--json"); err != nil {
		return local.Network{}, err
	}
	if len(s.Networks) != 1 {
		return local.Network{}, fmt.Errorf("status tells of %d networks, want 1", len(s.Networks))
	}
	return s.Networks[0], nil
}

// overlay returns m's own overlay address.
func (m *machine) overlay() netip.Addr {
	m.lab.t.Helper()
	n, err := m.network()
	if err != nil || !n.Self.Address.IsValid() {
		m.lab.t.Fatalf("%s has no overlay address: %v", m.Name(), err)
	}
	return n.Self.Address
}

// peer returns how m reaches the peer called name.
func (m *machine) peer(name string) (local.Peer, error) {
	n, err := m.network()
	if err != nil {
		return local.Peer{}, err
	}
	for _, p := range n.Peers {
		if p.Name == name {
			return p, nil
		}
	}
	return local.Peer{}, fmt.Errorf("%s does not know a peer %s", m.Name(), name)
}

// reaches waits until m can ping to through the tunnel.
func (m *machine) reaches(to *machine, within time.Duration) {
	m.lab.t.Helper()
	if err := m.Ping(to.overlay().String(), within); err != nil {
		m.lab.t.Fatalf("%s does not reach %s: %v", m.Name(), to.Name(), err)
	}
}

// allReach waits until every machine reaches every other.
func (l *lab) allReach(machines ...*machine) {
	l.t.Helper()
	for _, from := range machines {
		for _, to := range machines {
			if from != to {
				from.reaches(to, patience)
			}
		}
	}
}

// forgets waits until m knows no peer called name, by any means.
func (m *machine) forgets(name string, within time.Duration) {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, within, m.Name()+" forgets "+name, func() error {
		if _, err := m.peer(name); err == nil {
			return fmt.Errorf("%s is still in %s's map", name, m.Name())
		}
		hosts, err := m.ReadFile("/etc/hosts")
		if err == nil && strings.Contains(string(hosts), name+".home.wg") {
			err = fmt.Errorf("%s is still in the hosts file", name)
		}
		return err
	})
}
