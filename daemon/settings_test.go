package daemon_test

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
)

// peerOf returns what m says of another peer of home.
func (m *machine) peerOf(name string) (p local.Peer) {
	for _, q := range m.status("home").Peers {
		if q.Name == name {
			p = q
		}
	}
	return p
}

// TestBehaviour62And63And64SettingsAreTakenLive: the port, what is announced and
// overrides change while the network runs; no session is lost by it, and a new
// start has the same.
func TestBehaviour62And63And64SettingsAreTakenLive(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers", "bob": "servers"})
		hub, ann, bob := r.find("hub"), r.find("ann"), r.find("bob")
		r.within(5*time.Second, "all are connected", func() bool { return ann.sees("hub", "bob")() && bob.sees("ann", "hub")() })
		r.pass(10 * time.Second)
		made := ann.peerOf("bob").LastHandshake
		ann.configure(edit("home", func(n *config.Network) {
			n.ListenPort, n.Announced = 4000, []string{":4000"}
			n.Overrides = []config.Override{{Address: bob.status("home").Self.Address, Endpoint: netip.AddrPortFrom(bob.under, 51820).String()}}
		}))
		want := []string{netip.AddrPortFrom(ann.under, 4000).String()}
		taken := func() bool {
			return ann.status("home").ListenPort == 4000 && ann.peerOf("bob").Overridden && !ann.peerOf("hub").Overridden &&
				slices.Equal(bob.peerOf("ann").Endpoints.Announced, want) && slices.Equal(hub.peerOf("ann").Endpoints.Announced, want) &&
				bob.peerOf("ann").Endpoint == netip.AddrPortFrom(ann.under, 4000)
		}
		r.within(5*time.Second, "the settings are taken", taken)
		if got := ann.peerOf("bob").LastHandshake; !got.Equal(made) || !ann.sees("hub", "bob")() {
			t.Errorf("the session is of %v, want the one of %v", got, made)
		}
		if n := r.starts("ann", "home"); n != 1 {
			t.Errorf("the network was started %d times", n)
		}
		ann.halt()
		ann.start()
		r.within(5*time.Second, "after a restart", taken)

		ann.configure(edit("home", func(n *config.Network) { n.ListenPort, n.Announced, n.Overrides = 0, nil, nil }))
		r.within(5*time.Second, "all is unset", func() bool {
			port := ann.status("home").ListenPort
			return port != 4000 && port != 0 && !ann.peerOf("bob").Overridden && len(bob.peerOf("ann").Endpoints.Announced) == 0
		})
		if !ann.sees("hub", "bob")() {
			t.Error("a connection is lost")
		}
	})
}

// TestSettingsOfAStoppedNetwork: one that fails takes them when it is tried
// again.
func TestSettingsOfAStoppedNetwork(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		ann := r.machine("ann")
		r.join(ann, "home", "servers")
		rename(t, ann.state("home"), ann.state("home")+".away")
		for _, m := range r.machines {
			m.start()
		}
		r.pass(time.Second)
		ann.configure(edit("home", func(n *config.Network) { n.ListenPort = 4000 }))
		rename(t, ann.state("home")+".away", ann.state("home"))
		r.within(65*time.Second, "the port", func() bool { return ann.status("home").ListenPort == 4000 && ann.sees("hub")() })
	})
}

// TestSettingsEndAWait: a network that has failed for long is tried at once when
// its settings change.
func TestSettingsEndAWait(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		ann := r.machine("ann")
		r.join(ann, "home", "servers")
		rename(t, ann.state("home"), ann.state("home")+".away")
		for _, m := range r.machines {
			m.start()
		}
		r.pass(5*time.Minute + time.Second)
		rename(t, ann.state("home")+".away", ann.state("home"))
		ann.configure(edit("home", func(n *config.Network) { n.ListenPort = 4000 }))
		r.within(time.Second, "the port", func() bool { return ann.status("home").ListenPort == 4000 })
	})
}

// TestGuessesAreNotTold: where the coordinator's machine only tries whether a
// peer is there, nobody is told that it was seen there.
func TestGuessesAreNotTold(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers", "bob": "servers"})
		hub, ann, bob := r.find("hub"), r.find("ann"), r.find("bob")
		ann.configure(edit("home", func(n *config.Network) { n.Announced = []string{"192.0.2.99:4000"} }))
		r.within(5*time.Second, "all are connected", func() bool {
			return hub.sees("ann", "bob")() && bob.sees("ann", "hub")() && len(hub.peerOf("ann").Endpoints.Announced) == 1
		})
		r.world.Cut(hub.under, ann.under)
		tried := false
		for range 150 {
			r.pass(time.Second)
			tried = tried || hub.peerOf("ann").Endpoint.String() == "192.0.2.99:4000" && hub.peerOf("ann").LastHandshake.After(time.Now().Add(-3*time.Minute))
			if seen := bob.peerOf("ann").Endpoints.Seen; seen != netip.AddrPortFrom(ann.under, 51820) {
				t.Fatalf("the coordinator says that ann was seen at %v", seen)
			}
		}
		if !tried {
			t.Error("the announced endpoint was not tried with the session")
		}
	})
}

// TestSettingsWhileStarting: what changes while a network is opened counts.
func TestSettingsWhileStarting(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		hub := r.find("hub")
		hub.hold = make(chan struct{})
		hub.start()
		hub.configure(edit("home", func(n *config.Network) { n.ListenPort = 4000 }))
		close(hub.hold)
		r.within(5*time.Second, "the port", func() bool { return hub.status("home").ListenPort == 4000 })
	})
}

// TestFirewallIsNotTheDaemons: what a configuration says to the firewall alone
// leaves the network and its sessions alone.
func TestFirewallIsNotTheDaemons(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers"})
		ann := r.find("ann")
		r.within(5*time.Second, "they are connected", ann.sees("hub"))
		made := ann.peerOf("hub").LastHandshake
		ann.configure(edit("home", func(n *config.Network) { n.Firewall, n.AllowInput, n.AllowLAN = false, true, true }))
		r.pass(10 * time.Second)
		if got := ann.peerOf("hub").LastHandshake; !got.Equal(made) || r.starts("ann", "home") != 1 {
			t.Errorf("the session is of %v, want the one of %v; %d starts", got, made, r.starts("ann", "home"))
		}
	})
}

// TestApply: what a configuration says of the daemon is applied at the start and
// with every one that is taken.
func TestApply(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers"})
		ann := r.find("ann")
		ann.halt()
		var applied []config.Daemon
		ann.apply = func(c config.Daemon) { applied = append(applied, c) }
		ann.start()
		want := []config.Daemon{{}, {GOGC: 70, MemoryLimit: 32 << 20}}
		ann.configure(func(c *config.Config) { c.Daemon = want[1] })
		ann.err = errors.New("no configuration")
		if err := ann.daemon.Reload(r.Context()); err == nil {
			t.Error("a configuration that cannot be read is taken")
		}
		if !slices.Equal(applied, want) {
			t.Errorf("applied are %+v, want %+v", applied, want)
		}
	})
}
