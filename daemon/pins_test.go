package daemon_test

import (
	"bytes"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/key"
	"ginnel/network"
	"ginnel/wire"
)

// running returns home, which must run on m.
func (m *machine) running() local.Running {
	m.rig.Helper()
	n, err := m.daemon.Running("home")
	m.rig.ok(err)
	return n
}

// pinOf returns what m has pinned for an address; the zero Pin: nothing.
func (m *machine) pinOf(a netip.Addr) local.Pin {
	m.rig.Helper()
	pins, err := m.running().Pins(m.rig.Context())
	m.rig.ok(err)
	for _, p := range pins {
		if p.Address == a {
			return p
		}
	}
	return local.Pin{}
}

// says tells whether m's status has a problem with these words.
func (m *machine) says(words ...string) func() bool {
	return func() bool {
		for _, p := range m.status("home").Problems {
			found := 0
			for _, w := range words {
				if strings.Contains(p, w) {
					found++
				}
			}
			if found == len(words) {
				return true
			}
		}
		return false
	}
}

// TestBehaviour60HostileCoordinator: a coordinator that begins to present
// another key for bob changes nothing in ann's tunnel, whatever the delta, the
// whole map, or another start of ann's daemon brings. What else it says is
// taken. Only forgetting the pin lets the other key in.
func TestBehaviour60HostileCoordinator(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		hub, ann := r.find("hub"), r.machine("ann")
		var w witness
		w.watch(ann)
		r.join(ann, "home", "servers")
		r.peers(map[string]string{"bob": "servers", "carl": "servers"})
		r.within(20*time.Second, "sessions", ann.sees("bob", "carl", "hub"))
		r.pass(time.Minute)

		p, _ := r.book("home").PeerNamed("bob")
		bob, eve := p.Address, r.secret().Public()
		hub.lie.set(another("bob", eve))
		w.forget()
		untouched := func(when string) {
			t.Helper()
			if w.saw(p.Key) || w.saw(eve) {
				t.Errorf("%s: bob's peer was touched, or eve's made:\n%s", when, ann)
			}
		}
		r.do("home", network.SetAdmin{Name: "bob", Admin: true}) // a delta has bob
		r.within(5*time.Second, "the problem", ann.says(bob.String(), p.Key.String()[:12], eve.String()[:12], "ginnel pin forget "+bob.String()))
		r.do("home", network.RemovePeer{Name: "carl"})
		r.within(5*time.Second, "that carl is gone", ann.sees("bob", "hub"))
		r.pass(2 * time.Hour) // also beyond a fetch without news
		untouched("at the end")
		if pin := ann.pinOf(bob); pin.PublicKey != p.Key || pin.Presented != eve || !pin.InMap {
			t.Errorf("the pin is %+v", pin)
		}
		lines := 0
		for line := range strings.Lines(r.log.String()) {
			if strings.Contains(line, "machine=ann") && strings.Contains(line, "topic=\"pin "+bob.String()) {
				lines++
			}
		}
		if lines != 1 {
			t.Errorf("%d lines of the log tell of it, want one", lines)
		}

		ann.halt()
		ann.start()
		r.within(20*time.Second, "the problem after a restart", ann.says(bob.String(), "ginnel pin forget"))
		r.pass(time.Minute)
		untouched("after a restart")
		if !ann.sees("bob", "hub")() {
			t.Errorf("ann has sessions with %q", ann.connected())
		}

		wantProblem(t, wire.StatusConflict, "does not present the key "+p.Key.String())(nil, ann.running().Forget(t.Context(), bob, p.Key))
		r.ok(ann.running().Forget(t.Context(), bob, eve))
		r.within(5*time.Second, "eve's key", func() bool { return ann.pinOf(bob).PublicKey == eve && w.saw(eve) })
		if ann.says("pin")() {
			t.Errorf("problems are %q, the machine is\n%s", ann.status("home").Problems, ann)
		}
		hub.lie.set(nil)
		r.do("home", network.SetAdmin{Name: "bob", Admin: false})
		r.within(5*time.Second, "that the truth is a conflict now", ann.says(bob.String(), "ginnel pin forget"))
		r.ok(ann.running().Forget(t.Context(), bob, key.PublicKey{}))
		r.within(20*time.Second, "bob", ann.sees("bob", "hub"))
	})
}

// TestBehaviour60CoordinatorsKey: another key for the coordinator is not taken,
// and nothing else of such a map is.
func TestBehaviour60CoordinatorsKey(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers", "bob": "servers"})
		hub, ann := r.find("hub"), r.find("ann")
		r.within(20*time.Second, "sessions", ann.sees("bob", "hub"))
		eve := r.secret().Public()
		hub.lie.set(func(u *wire.Update) {
			m := wire.Member{Address: netip.MustParseAddr("10.42.0.1"), Name: "hub", CIDR: "infra", PublicKey: eve, Role: wire.RoleCoordinator}
			*u = wire.Update{Position: u.Position, Network: u.Network, Root: u.Root, Self: u.Self, Ranges: []netip.Prefix{u.Root}, Members: []wire.Member{m}}
		})
		r.do("home", network.RemovePeer{Name: "bob"})
		r.within(5*time.Second, "the problem", ann.says("the coordinator 10.42.0.1 has another key"))
		if !ann.sees("bob", "hub")() {
			t.Errorf("ann has sessions with %q", ann.connected())
		}
		wantProblem(t, wire.StatusConflict, "the invitation told")(nil, ann.running().Forget(t.Context(), netip.MustParseAddr("10.42.0.1"), key.PublicKey{}))
		wantProblem(t, wire.StatusNotFound, "no key is pinned for 10.42.9.9")(nil, ann.running().Forget(t.Context(), netip.MustParseAddr("10.42.9.9"), key.PublicKey{}))
		if pins, err := hub.running().Pins(t.Context()); err != nil || len(pins) > 0 {
			t.Errorf("the coordinator has pinned %+v, %v", pins, err)
		}
	})
}

// TestBehaviour61PinsOfAVanishedPeer: they outlive the peer, the daemon, and
// the coordinator's being away.
func TestBehaviour61PinsOfAVanishedPeer(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers", "bob": "servers"})
		hub, ann := r.find("hub"), r.find("ann")
		r.within(20*time.Second, "sessions", ann.sees("bob", "hub"))
		p, _ := r.book("home").PeerNamed("bob")
		r.do("home", network.RemovePeer{Name: "bob", FreeAddress: true})
		r.within(5*time.Second, "that bob is gone", ann.sees("hub"))
		hub.halt()
		r.ok(hub.SetUp("home", false))
		ann.halt()
		ann.start()
		r.pass(time.Minute)
		if pin := ann.pinOf(p.Address); pin.PublicKey != p.Key || pin.InMap {
			t.Errorf("the pin is %+v", pin)
		}
		hub.start()
		r.within(2*time.Minute, "the coordinator", ann.sees("hub"))
		dan := r.machine("dan")
		r.join(dan, "home", "servers") // the lowest free address
		dan.start()
		if q, _ := r.book("home").PeerNamed("dan"); q.Address != p.Address {
			t.Fatalf("dan has %s", q.Address)
		}
		r.within(20*time.Second, "the problem", ann.says(p.Address.String(), "(dan)"))
		r.within(20*time.Second, "dan's session with the coordinator", dan.sees("hub"))
		r.pass(time.Minute)
		if !ann.sees("hub")() {
			t.Errorf("ann has sessions with %q", ann.connected())
		}
		r.ok(ann.running().Forget(t.Context(), p.Address, key.PublicKey{}))
		r.within(20*time.Second, "dan", ann.sees("dan", "hub"))
	})
}

// TestBehaviour61DamagedPins: a machine whose pins cannot be read does not run
// without them, says why, and leaves the file as it is.
func TestBehaviour61DamagedPins(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers", "bob": "servers"})
		ann := r.find("ann")
		r.within(20*time.Second, "sessions", ann.sees("bob", "hub"))
		ann.halt()
		p, _ := r.book("home").PeerNamed("bob")
		before := bytes.ReplaceAll(ann.stateFile(), p.Key[:], make([]byte, len(p.Key))) // flash lost it
		r.ok(os.WriteFile(ann.state("home"), before, 0o600))
		ann.start()
		r.pass(3 * time.Minute)
		n := ann.status("home")
		if n.State != local.Failed || !strings.Contains(n.Error, "pin of "+p.Address.String()) || !strings.Contains(n.Error, "put a copy of the file back") {
			t.Errorf("status is %+v", n)
		}
		ann.halt()
		if !bytes.Equal(ann.stateFile(), before) {
			t.Error("the file was changed")
		}
	})
}

// TestBehaviour49Fetch: a fetch ends when what it brought is applied, and says
// what failed.
func TestBehaviour49Fetch(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers", "bob": "servers"})
		hub, ann := r.find("hub"), r.find("ann")
		r.within(20*time.Second, "sessions", ann.sees("bob", "hub"))
		r.pass(time.Minute)
		fetch := func() (*local.Network, error) { return ann.running().Fetch(t.Context()) }

		eve, first := r.secret().Public(), true
		hub.lie.set(func(u *wire.Update) { // news that nobody nudges for
			if !first {
				return
			}
			first = false
			m := wire.Member{Address: netip.MustParseAddr("10.42.1.77"), Name: "eve", CIDR: "servers", PublicKey: eve}
			*u = wire.Update{Position: u.Position, Network: u.Network, Root: u.Root, Self: u.Self, Ranges: []netip.Prefix{u.Root}, Members: []wire.Member{m}}
		})
		n, err := fetch()
		if err != nil || len(n.Peers) != 2 || n.Peers[1].Name != "eve" || !ann.has(eve.String()) || !ann.has("eve.home.wg") {
			t.Errorf("fetched %+v, %v; the machine is\n%s", n, err, ann)
		}
		if n, err := hub.running().Fetch(t.Context()); err != nil || len(n.Peers) != 2 {
			t.Errorf("the coordinator's own: %+v, %v", n, err)
		}

		hub.halt()
		r.ok(hub.SetUp("home", false))
		began := time.Now()
		_, err = fetch()
		wantProblem(t, wire.StatusBadGateway, "cannot fetch the map of home: ")(nil, err)
		if took := time.Since(began); took > 26*time.Second {
			t.Errorf("it took %v", took)
		}
		ann.configure(func(c *config.Config) { c.Networks[0].Enabled = false })
		_, err = ann.daemon.Running("home")
		wantProblem(t, wire.StatusConflict, "network home is down: `ginnel up home`")(nil, err)
		_, err = ann.daemon.Running("lab")
		wantProblem(t, wire.StatusNotFound, "no network lab")(nil, err)
	})
}

// TestFetchEndsWithTheNetwork: nobody waits for a network that was stopped.
func TestFetchEndsWithTheNetwork(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers"})
		hub, ann := r.find("hub"), r.find("ann")
		r.within(20*time.Second, "a session", ann.sees("hub"))
		hub.halt()
		r.ok(hub.SetUp("home", false))
		n, failed := ann.running(), make(chan error, 1)
		go func() { _, err := n.Fetch(t.Context()); failed <- err }()
		r.pass(time.Second)
		began := time.Now()
		ann.halt()
		if err := <-failed; err == nil || time.Since(began) > time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		wantProblem(t, wire.StatusUnavailable, "not running")(nil, n.Forget(t.Context(), netip.MustParseAddr("10.42.0.1"), key.PublicKey{}))
	})
}
