package scenarios_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ginnel/netlab"
	"ginnel/wire"
)

// office is the smallest world with peers: a coordinator and they are all
// plugged into one switch, and have public addresses.
type office struct {
	*lab
	internet    *netlab.Switch
	coordinator *machine
	peers       []*machine // in the order of their names' arguments
}

// newOffice is an office for a scenario that is of one family: see oneFamily.
func newOffice(t *testing.T, names ...string) *office { return newLab(t).office(names...) }

// office makes the world, with a peer in the CIDR "machines", which is number 1,
// for each name.
func (l *lab) office(names ...string) *office {
	l.t.Helper()
	o := &office{lab: l, internet: l.Internet()}
	o.coordinator = l.coordinator(l.Host("vps", o.internet), l.home.root())
	o.coordinator.ginnel("cidr", "add", "machines", l.home.cidr(1))
	for _, name := range names {
		o.peers = append(o.peers, l.join(o.coordinator, l.Host(name, o.internet), "machines"))
	}
	return o
}

// all are the coordinator and the peers.
func (o *office) all() []*machine { return append([]*machine{o.coordinator}, o.peers...) }

// book returns what the coordinator keeps of the peer called name.
func (m *machine) book(name string) (wire.Peer, error) {
	var peers []wire.Peer
	if err := m.json(&peers, "peer", "list", "--json"); err != nil {
		return wire.Peer{}, err
	}
	for _, p := range peers {
		if p.Name == name {
			return p, nil
		}
	}
	return wire.Peer{}, fmt.Errorf("the book has no peer %s", name)
}

// unreachable fails when m reaches an address.
func (m *machine) unreachable(address string) {
	m.lab.t.Helper()
	if m.Ping(address, time.Second) == nil {
		m.lab.t.Errorf("%s reaches %s", m.Name(), address)
	}
}

// clean fails unless m is as it was before it had a network: no interface, no
// names, no section in the configuration and no files.
func (m *machine) clean() {
	m.lab.t.Helper()
	m.stopped()
	if text, err := m.ReadFile("/etc/ginnel/ginnel.conf"); err == nil && strings.Contains(string(text), "config network") {
		m.lab.t.Errorf("%s still has a section:\n%s", m.Name(), text)
	}
	if files, err := m.Try("find", "/var/lib/ginnel", "-type", "f"); err != nil || files != "" {
		m.lab.t.Errorf("%s still has files: %v %s", m.Name(), err, files)
	}
}

// stopped waits until m has no interface, no routes and no names of network
// "home".
func (m *machine) stopped() {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, patience, m.Name()+" is out of the network", func() error {
		if _, err := m.Try("ip", "link", "show", "dev", "home"); err == nil {
			return errors.New("the interface is there")
		}
		routes := m.ip("route", "show", "table", "all")
		if strings.Contains(routes, pick(m.lab.family, "10.42.", "fd42:")) {
			return fmt.Errorf("routes:\n%s", routes)
		}
		hosts, err := m.ReadFile("/etc/hosts")
		if err != nil || strings.Contains(string(hosts), ".home.wg") {
			return fmt.Errorf("hosts file (%v):\n%s", err, hosts)
		}
		return nil
	})
}
