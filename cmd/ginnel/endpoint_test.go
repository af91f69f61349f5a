package main

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"ginnel/coordinator/store"
	"ginnel/daemon/config"
	"ginnel/platform/fake"
	"ginnel/wire"
)

// anyFreePort returns a UDP port that nothing on this machine uses.
func anyFreePort(t *testing.T) string {
	t.Helper()
	c, err := net.ListenUDP("udp", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, port, err := net.SplitHostPort(c.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// section returns the machine's section of home.
func (m *machine) section() config.Network {
	m.t.Helper()
	n, err := m.env.configured("home")
	if err != nil {
		m.t.Fatal(err)
	}
	return *n
}

// refusesUseless: an endpoint that cannot work is neither announced nor, by an
// admin, the coordinator's.
func refusesUseless(hub, ann *machine) {
	ann.t.Helper()
	hub.refuses(exitFailed, []string{"network rename-endpoint"}, "endpoint", "set", ":1")
	ann.refuses(exitFailed, []string{"10.42.1.1:4000 is an address inside the network itself"}, "endpoint", "set", "10.42.1.1:4000")
	ann.does("[]\n", "endpoint", "list", "--json")
	ann.refuses(exitUsage, []string{"cannot be reached from another network"}, "network", "rename-endpoint", "[::1]:51820")
	ann.refuses(exitFailed, []string{"10.42.0.1:51820 is an address inside the network itself"}, "network", "rename-endpoint", "10.42.0.1:51820")
}

// TestBehaviour62And63And64And71Endpoints: with real daemons, from the commands
// to what the other machine says.
func TestBehaviour62And63And64And71Endpoints(t *testing.T) {
	world := fake.NewWorld(time.Now())
	hub := newLiving(t, world, "hub", "192.0.2.1/24")
	ann := newLiving(t, world, "ann", "192.0.2.2/24")
	hub.succeeds("network", "create", "home", "10.42.0.0/16", "--endpoint", "192.0.2.1:51820", "--name", "hub")
	hub.succeeds("cidr", "add", "servers", "10.42.1.0/24")
	ann.succeeds("join", strings.TrimSpace(hub.succeeds("peer", "invite", "ann", "--cidr", "servers", "--admin")), "--hosts", "none")

	ann.does("this machine is reached in home at :4000, ann.example.com:5000\n", "endpoint", "set", ":4000", "ann.example.com:5000")
	ann.does(":4000\nann.example.com:5000\n", "endpoint", "list")
	eventually(t, func() bool {
		n := hub.network()
		return len(n.Peers) == 1 && slices.Equal(n.Peers[0].Endpoints.Announced, []string{"192.0.2.2:4000", "ann.example.com:5000"})
	})
	ann.does("this machine is reached in home wherever it is found\n", "endpoint", "unset")
	ann.does("[]\n", "endpoint", "list", "--json")
	refusesUseless(hub, ann)

	port := anyFreePort(t)
	ann.does("home uses UDP port "+port+"\n", "listen-port", "set", port)
	if n := ann.section(); n.ListenPort != ann.network().ListenPort {
		t.Errorf("the port is %d, and %d in the configuration", ann.network().ListenPort, n.ListenPort)
	}
	ann.does("home uses any free UDP port\n", "listen-port", "unset")
	if n := ann.network(); n.ListenPort == 0 || ann.section().ListenPort != 0 {
		t.Errorf("the port is %d", n.ListenPort)
	}
	hub.refuses(exitFailed, []string{"a coordinator needs a port"}, "listen-port", "unset")

	port = anyFreePort(t)
	if r := hub.run("listen-port", "set", port); r.status != exitOK || !strings.Contains(r.err, "network rename-endpoint HOST:"+port) {
		t.Errorf("%+v", r)
	}
	ann.does("the coordinator of home is found at 192.0.2.1:"+port+"\n", "network", "rename-endpoint", "192.0.2.1:"+port)
	hub.succeeds("listen-port", "set", "51820")
	if r := hub.run("listen-port", "set", port); r.status != exitOK || r.err != "" {
		t.Errorf("%+v", r)
	}
	hub.succeeds("listen-port", "set", "51820")

	ann.does("hub is reached in home at 192.0.2.1:51820\n", "override", "set", "hub", "192.0.2.1:51820")
	eventually(t, func() bool { n := ann.network(); return n.Peers[0].Overridden && n.Peers[0].Connected })
	var list []override
	ann.json(&list, "override", "list")
	if len(list) != 1 || list[0].Name != "hub" || list[0].Address.String() != "10.42.0.1" {
		t.Errorf("overrides are %+v", list)
	}
	ann.does("PEER  ADDRESS    ENDPOINT\nhub   10.42.0.1  192.0.2.1:51820\n", "override", "list")
	ann.does("10.42.0.1 is reached in home wherever it is found\n", "override", "unset", "10.42.0.1")
	ann.refuses(exitFailed, []string{"nothing is said of where hub is reached"}, "override", "unset", "hub")
	ann.refuses(exitFailed, []string{"no peer eve"}, "override", "set", "eve", "192.0.2.1:1")

	ann.does("the coordinator of home is found at new.example.com:51820, 192.0.2.1:51820\n", // from afar
		"network", "rename-endpoint", "new.example.com:51820", "192.0.2.1:51820")
	hub.does("new.example.com:51820\n192.0.2.1:51820\n", "endpoint", "list")
	eventually(t, func() bool { return len(ann.network().Peers[0].Endpoints.Announced) == 2 })
	token := strings.TrimSpace(hub.succeeds("peer", "invite", "bob", "--cidr", "servers"))
	if inv, err := wire.ParseInvitation(token); err != nil || inv.Coordinator.Endpoints[0] != "new.example.com:51820" {
		t.Errorf("the new invitation has %v, %v", inv.Coordinator.Endpoints, err)
	}
}

// TestEndpointCommandsRefused: nothing is written when something is wrong.
func TestEndpointCommandsRefused(t *testing.T) {
	m := newMachine(t)
	m.configure("home", config.Peer)
	used, err := net.ListenUDP("udp", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer used.Close()
	_, port, err := net.SplitHostPort(used.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	before := m.section()
	for _, test := range []struct {
		line, says string
		status     int
	}{
		{"endpoint set nowhere", "has no port", exitUsage},
		{"endpoint set 127.0.0.1:1", "cannot be reached", exitUsage},
		{"endpoint set :1 :1", "twice", exitUsage},
		{"endpoint set", "ENDPOINT is missing", exitUsage},
		{"endpoint set :1 -n work", "there is no network work", exitFailed},
		{"override set 10.42.0.7 :1", "host", exitUsage},
		{"override set ann x:1", "the daemon is not running", exitFailed},
		{"override unset 10.42.0.7", "nothing is said", exitFailed},
		{"listen-port set 0", "no UDP port", exitUsage},
		{"listen-port set 65536", "no UDP port", exitUsage},
		{"listen-port set 51819", "51819 is the port of signals", exitFailed},
		{"listen-port set " + port, "UDP port " + port + " cannot be used", exitFailed},
		{"network rename-endpoint nowhere", "has no port", exitUsage},
		{"network rename-endpoint :1", "host", exitUsage},
	} {
		m.refuses(test.status, []string{test.says}, strings.Fields(test.line)...)
	}
	if after := m.section(); !after.Equal(&before) {
		t.Errorf("the section has become %+v", after)
	}
	r := m.run("override", "set", "10.42.0.7", "nas.lan:1") // no daemon is needed for an address
	if r.status != exitOK || len(m.section().Overrides) != 1 || !strings.Contains(r.err, "not in effect yet") || strings.Contains(r.err, "is down") {
		t.Errorf("%+v", r)
	}
	must(t, m.env.paths.switchNetwork("home", false))
	if r := m.run("override", "set", "10.42.0.7", "nas.lan:2"); r.status != exitOK || !strings.Contains(r.err, "home is down: it counts once `ginnel up home`") {
		t.Errorf("%+v", r)
	}
}

// TestOverrideInside: no packet of a tunnel goes through the tunnel.
func TestOverrideInside(t *testing.T) {
	m := peerOf(t)
	m.refuses(exitFailed, []string{"10.42.0.1:51820", "inside the network itself"}, "override", "set", "10.42.0.7", "10.42.0.1:51820")
	if list := m.section().Overrides; len(list) > 0 {
		t.Errorf("overrides are %+v", list)
	}
}

// TestBehaviour71CreateWritesTheBook: and restore writes what a backup has.
func TestBehaviour71CreateWritesTheBook(t *testing.T) {
	m := newCoordinator(t)
	book, err := store.Read(m.env.paths.book("home"))
	if err != nil || len(book.Endpoints()) != 1 || book.Revision() != 1 {
		t.Errorf("the new book has %v at revision %d, %v", book.Endpoints(), book.Revision(), err)
	}
	made := m.run("backup", "-")
	other := newMachine(t)
	if r := other.runWith(made.out, false, "restore", "-"); r.status != exitOK {
		t.Fatalf("%+v", r)
	}
	restored, err := store.Read(other.env.paths.book("home"))
	if err != nil || !slices.Equal(restored.Endpoints(), book.Endpoints()) || len(other.section().Endpoints) > 0 {
		t.Errorf("the restored book has %v, %v", restored.Endpoints(), err)
	}
}
