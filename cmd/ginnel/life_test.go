package main

import (
	"context"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/platform/fake"
)

// TestLife: two machines with real daemons on a system in memory, from the
// making of a network to its end, by nothing but commands.
func TestLife(t *testing.T) {
	world := fake.NewWorld(time.Now())
	hub := newLiving(t, world, "hub", "192.0.2.1/24")
	ann := newLiving(t, world, "ann", "192.0.2.2/24")

	hub.does("made network home (10.42.0.0/16); this machine is its coordinator, 10.42.0.1\n",
		"network", "create", "home", "10.42.0.0/16", "--endpoint", "192.0.2.1:51820", "--name", "hub")
	hub.succeeds("cidr", "add", "servers", "10.42.1.0/24")
	token := hub.succeeds("peer", "invite", "ann", "--cidr", "servers", "--admin")
	ann.does("joined home as ann, 10.42.1.1\n1 peer is visible\n", "join", strings.TrimSpace(token), "--hosts", "none")

	ann.does("renamed CIDR servers to machines\n", "cidr", "rename", "servers", "machines") // an admin, from afar
	eventually(t, func() bool {
		n := ann.network()
		return n.Self.CIDR == "machines" && len(n.Peers) == 1 && n.Peers[0].Connected && n.Peers[0].Name == "hub"
	})
	hub.does("peer ann is disabled\n", "peer", "disable", "ann")
	ann.refuses(exitFailed, []string{"ginnel: "}, "cidr", "list")

	ann.does("switched home off\n", "down")
	ann.does("network home: down\n  `ginnel up home` switches it on\n", "status")
	ann.does("left network home\n", "leave", "--yes")
	hub.does("removed network home\n", "network", "remove", "home", "--yes")
	for _, m := range []*machine{hub, ann} {
		if state := m.os.String(); strings.Contains(state, "home") || len(withoutDirectories(m)) != 1 {
			t.Errorf("left are %q and\n%s", m.tree(), state)
		}
	}
}

// newLiving returns a machine with an underlay address whose daemon runs until
// the test ends.
func newLiving(t *testing.T, world *fake.World, name, address string) *machine {
	t.Helper()
	m := newMachine(t)
	m.os = world.NewOS(name)
	m.os.SetLink("eth0", netip.MustParsePrefix(address))
	m.live()
	return m
}

// live runs the machine's daemon until stop is called, and waits until it answers.
func (m *machine) live() (stop func()) {
	m.t.Helper()
	stop = m.start()
	eventually(m.t, func() bool { return m.run("status").status == exitOK })
	return stop
}

// start runs the machine's daemon until stop is called, or the test ends.
func (m *machine) start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	e := m.env
	e.err = io.Discard
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, &e, []string{"daemon"}) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if status := <-ended; status != exitOK {
			m.t.Errorf("the daemon ended with %d", status)
		}
	})
	m.t.Cleanup(stop)
	return stop
}

// TestClear: what a stopped daemon leaves of its networks goes with clear, and
// comes back with the next daemon.
func TestClear(t *testing.T) {
	m := newMachine(t)
	m.os = fake.NewWorld(time.Now()).NewOS("hub")
	m.os.SetLink("eth0", netip.MustParsePrefix("192.0.2.1/24"))
	stop := m.live()
	m.succeeds("network", "create", "home", "10.42.0.0/16", "--endpoint", "192.0.2.1:51820", "--name", "hub")
	up := func() bool { return strings.Contains(m.os.String(), "tunnel home") }
	eventually(t, up)
	stop()
	if !up() {
		t.Fatalf("a daemon that is stopped takes the interface away:\n%s", m.os.String())
	}
	m.does("cleared home\n", "clear")
	if state := m.os.String(); strings.Contains(state, "home") {
		t.Errorf("left is\n%s", state)
	}
	m.does("cleared home\n", "clear") // there is nothing left to do
	m.live()
	eventually(t, up)
}

// TestDamagedBook: a coordinator whose book is damaged has its network back by
// what it is told, step by step, and a backup.
func TestDamagedBook(t *testing.T) {
	m := newMachine(t)
	m.os = fake.NewWorld(time.Now()).NewOS("hub")
	m.os.SetLink("eth0", netip.MustParsePrefix("192.0.2.1/24"))
	stop := m.live()
	m.succeeds("network", "create", "home", "10.42.0.0/16", "--endpoint", "192.0.2.1:51820", "--name", "hub")
	backup := filepath.Join(t.TempDir(), "backup")
	m.succeeds("backup", backup)
	stop()
	must(t, os.WriteFile(m.env.paths.book("home"), []byte("damaged"), 0o600))
	m.live()
	eventually(t, func() bool { n := m.network(); return n.State == local.Failed && n.Error != "is starting" })
	if why := m.network().Error; !strings.Contains(why, "put a copy of the file back and run `ginnel up home`, or, with a backup, `ginnel network remove home` and `ginnel restore FILE`") {
		t.Errorf("it fails with %q", why)
	}
	m.refuses(exitFailed, []string{"to restore a backup of it, destroy it first: `ginnel network remove home`"}, "restore", backup)
	m.does("removed network home\n", "network", "remove", "home", "--yes")
	m.succeeds("restore", backup)
	if n := m.network(); n.State != local.Up {
		t.Errorf("the network is %+v", n)
	}
}

// TestClearBeside a section that is refused: the others are cleared, and what
// there is of that one stays.
func TestClearBeside(t *testing.T) {
	m := newMachine(t)
	m.configure("home", config.Peer)
	m.configure("lab", config.Peer)
	for _, name := range []string{"home", "lab"} {
		_, err := m.os.Open(name, 1280)
		must(t, err)
	}
	must(t, m.env.paths.edit(func(text []byte) ([]byte, error) { return append(text, "\toption newer 1\n"...), nil }))
	if r := m.run("clear"); r.status != exitFailed || r.out != "cleared home\n" || !strings.Contains(r.err, "section lab, option newer: ") {
		t.Errorf("%+v", r)
	}
	if state := m.os.String(); strings.Contains(state, "tunnel home") || !strings.Contains(state, "tunnel lab") {
		t.Errorf("left is\n%s", state)
	}
}

// TestClearWaits for a daemon that is about to stop.
func TestClearWaits(t *testing.T) {
	m := newMachine(t)
	m.os = fake.NewWorld(time.Now()).NewOS("hub")
	stop := m.live()
	cleared := make(chan result, 1)
	go func() { cleared <- m.run("clear") }()
	stop()
	if r := <-cleared; r.status != exitOK || r.out != "" {
		t.Errorf("%+v", r)
	}
}

// succeeds runs a command that must succeed and returns what it prints.
func (m *machine) succeeds(args ...string) string {
	m.t.Helper()
	r := m.run(args...)
	if r.status != exitOK {
		m.t.Fatalf("ginnel %s: %+v", strings.Join(args, " "), r)
	}
	return r.out
}

// network returns the machine's network home.
func (m *machine) network() local.Network {
	m.t.Helper()
	var s local.Status
	m.json(&s, "status", "home")
	return s.Networks[0]
}
