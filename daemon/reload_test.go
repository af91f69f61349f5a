package daemon_test

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/network"
	"ginnel/platform"
	"ginnel/platform/fake"
	"ginnel/wire"
)

// twoNetworks starts hub and ann, who are in home and lab.
func twoNetworks(r *rig) (hub, ann *machine) {
	hub, ann = r.find("hub"), r.machine("ann")
	r.create(hub, "lab", "10.43.0.0/16")
	r.join(ann, "home", "servers")
	r.join(ann, "lab", "lab")
	hub.start()
	ann.start()
	r.within(5*time.Second, "both networks", func() bool { return inLab(ann) && ann.sees("hub")() })
	return hub, ann
}

func inLab(m *machine) bool {
	n := m.status("lab")
	return n.State == local.Up && len(n.Peers) > 0 && n.Peers[0].Connected && m.has("hub.lab.wg")
}

// edit changes one section.
func edit(name string, change func(n *config.Network)) func(c *config.Config) {
	return func(c *config.Config) {
		for i := range c.Networks {
			if c.Networks[i].Name == name {
				change(&c.Networks[i])
			}
		}
	}
}

func drop(name string) func(c *config.Config) {
	return func(c *config.Config) {
		kept := c.Networks[:0]
		for _, n := range c.Networks {
			if n.Name != name {
				kept = append(kept, n)
			}
		}
		c.Networks = kept
	}
}

func TestReloadKeepsWhatDidNotChange(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		_, ann := twoNetworks(r)
		r.pass(10 * time.Second)
		made := ann.status("home").Peers[0].LastHandshake
		ann.configure(edit("home", func(n *config.Network) { n.MTU = 1300 }))
		r.within(5*time.Second, "the new MTU", func() bool { return ann.has("tunnel home up mtu 1300") && ann.sees("hub")() })
		if got := ann.status("home").Peers[0].LastHandshake; !got.Equal(made) {
			t.Errorf("the session is of %v, want the one of %v", got, made)
		}
		if n := r.starts("ann", "lab"); n != 1 {
			t.Errorf("the other network was started %d times", n)
		}
	})
}

func TestReloadRemovesNetworks(t *testing.T) {
	for name, change := range map[string]func(c *config.Config){
		"disabled": edit("lab", func(n *config.Network) { n.Enabled = false }),
		"removed":  drop("lab"),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				_, ann := twoNetworks(r)
				before := ann.cfg
				ann.configure(change)
				if ann.has("tunnel lab") || ann.has("names of lab") || !ann.has("tunnel home up") || !ann.has("names of home") {
					t.Errorf("machine is\n%s", ann)
				}
				if name == "disabled" && ann.status("lab").State != local.Down {
					t.Errorf("status is %+v", ann.status("lab"))
				}
				ann.configure(func(c *config.Config) { *c = *before })
				r.within(5*time.Second, "lab again", func() bool { return inLab(ann) })
			})
		})
	}
}

// TestDisabledWhileStopped checks that what a stopped daemon left of a network
// goes, and what is somebody else's stays.
func TestDisabledWhileStopped(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		_, ann := twoNetworks(r)
		ann.halt()
		if !ann.has("tunnel lab up") || !ann.has("tunnel home up") {
			t.Fatalf("a clean stop took a tunnel away:\n%s", ann)
		}
		tun, err := ann.Open("home", 1400)
		r.ok(err)
		r.ok(tun.Apply(&platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: r.secret()}))
		disable := func(n *config.Network) { n.Enabled = false }
		edit("lab", disable)(ann.cfg)
		edit("home", disable)(ann.cfg)
		ann.start()
		if ann.has("tunnel lab") || ann.has("names of") || !ann.has("tunnel home up") {
			t.Errorf("machine is\n%s", ann)
		}
	})
}

func TestReloadMovesNames(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		_, ann := twoNetworks(r)
		ann.configure(edit("lab", func(n *config.Network) { n.Hosts = config.NoHosts }))
		r.pass(time.Second)
		if ann.has("names of lab") || !ann.has("tunnel lab up") {
			t.Errorf("machine is\n%s", ann)
		}
	})
}

func TestReloadRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		_, ann := twoNetworks(r)
		before := ann.String()
		ann.err = errors.New("line 3: no such option")
		var p *wire.Problem
		if err := ann.daemon.Reload(t.Context()); !errors.As(err, &p) || p.Status != wire.StatusUnprocessable || !strings.Contains(p.Detail, "line 3") {
			t.Errorf("error is %v", err)
		}
		r.pass(0)
		if ann.String() != before {
			t.Errorf("machine is\n%swas\n%s", ann, before)
		}
		if s, err := ann.daemon.Status(t.Context()); err != nil || len(s.Problems) != 1 || !strings.Contains(s.Problems[0], "line 3") {
			t.Errorf("status is %+v, %v", s, err)
		}
		ann.err = nil
		r.ok(ann.daemon.Reload(t.Context()))
		if s, err := ann.daemon.Status(t.Context()); err != nil || len(s.Problems) > 0 {
			t.Errorf("after a good reload the status is %+v, %v", s, err)
		}
		ann.halt()
		if err := ann.daemon.Reload(t.Context()); !errors.As(err, &p) || p.Status != wire.StatusUnavailable {
			t.Errorf("reload of a stopped daemon: %v", err)
		}
	})
}

// TestBehaviour51OneNetworkFails checks that one network that fails does not hurt the other
// and is tried again.
func TestBehaviour51OneNetworkFails(t *testing.T) {
	hidden := func(m *machine) string { return m.state("lab") + ".away" }
	tests := []struct {
		name, says  string
		spoil, mend func(t *testing.T, m *machine)
	}{
		{"no state", "put a copy of the file back, or run `ginnel leave lab`",
			func(t *testing.T, m *machine) { rename(t, m.state("lab"), hidden(m)) },
			func(t *testing.T, m *machine) { rename(t, hidden(m), m.state("lab")) }},
		{"damaged state", "lab.state: the file is empty or cut short: unusable file, left as it is: put a copy of the file back, or run `ginnel leave lab`",
			func(t *testing.T, m *machine) {
				rename(t, m.state("lab"), hidden(m))
				if err := os.WriteFile(m.state("lab"), []byte("garbage"), 0o600); err != nil {
					t.Fatal(err)
				}
			},
			func(t *testing.T, m *machine) { rename(t, hidden(m), m.state("lab")) }},
		{"platform", "already",
			func(t *testing.T, m *machine) { m.SetLink("lab", netip.MustParsePrefix("198.51.100.1/24")) },
			func(t *testing.T, m *machine) {
				if err := m.RemoveLink("lab"); err != nil {
					t.Fatal(err)
				}
			}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				hub, ann := r.find("hub"), r.machine("ann")
				r.create(hub, "lab", "10.43.0.0/16")
				r.join(ann, "home", "servers")
				r.join(ann, "lab", "lab")
				test.spoil(t, ann)
				hub.start()
				ann.start()
				r.within(5*time.Second, "the sound network", ann.sees("hub"))
				r.pass(3 * time.Minute)
				if n := ann.status("lab"); n.State != local.Failed || !strings.Contains(n.Error, test.says) {
					t.Errorf("status is %+v, want an error with %q", n, test.says)
				}
				test.mend(t, ann)
				r.within(65*time.Second, "the other network, by itself", func() bool { return inLab(ann) })
			})
		})
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// TestReloadTriesAgain checks that somebody who has mended a network need not
// wait.
func TestReloadTriesAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		_, ann := twoNetworks(r)
		ann.halt()
		rename(t, ann.state("lab"), ann.state("lab")+".away")
		ann.start()
		r.pass(3 * time.Minute)
		rename(t, ann.state("lab")+".away", ann.state("lab"))
		r.ok(ann.daemon.Reload(t.Context()))
		r.within(2*time.Second, "the network", func() bool { return inLab(ann) })
	})
}

func TestWrongRole(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		_, ann := twoNetworks(r)
		ann.configure(edit("lab", func(n *config.Network) { n.Role = config.Coordinator }))
		r.pass(time.Second)
		if n := ann.status("lab"); n.State != local.Failed || !strings.Contains(n.Error, "10.43.0.1 is the coordinator") {
			t.Errorf("status is %+v", n)
		}
	})
}

// TestPlatformFaults checks that single failures of the machine are overcome,
// and told while they last.
func TestPlatformFaults(t *testing.T) {
	broken := errors.New("broken")
	for _, op := range []fake.Op{fake.OpenTunnel, fake.ApplyTunnel, fake.ObserveTunnel, fake.ApplyNet, fake.ObserveNet, fake.Underlay, fake.SetNames} {
		t.Run(string(op), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				ann := r.machine("ann")
				for n := 1; n <= 3; n++ {
					ann.Fail(op, n, broken)
				}
				r.join(ann, "home", "servers")
				for _, m := range r.machines {
					m.start()
				}
				r.within(5*time.Second, "people are told", func() bool {
					n := ann.status("home")
					return strings.Contains(strings.Join(append(n.Problems, n.Error), " "), "broken")
				})
				r.within(30*time.Second, "all is well", func() bool {
					n := ann.status("home")
					return ann.sees("hub")() && n.State == local.Up && len(n.Problems) == 0 && ann.has("hub.home.wg")
				})
				r.do("home", network.RenamePeer{Name: "ann", NewName: "anna"})
				r.within(2*time.Second, "news", func() bool { return ann.has("anna.home.wg") })
			})
		})
	}
}

// TestClear checks that an interface that is not there is not made for being
// removed, and that neither failure keeps the other part from being removed.
func TestClear(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		broken := errors.New("broken")
		ann := r.machine("ann")
		cfg := config.New("home", config.Peer)
		entries := []platform.HostEntry{{Address: netip.MustParseAddr("10.42.0.1"), Names: []string{"hub.home.wg"}}}
		r.ok(ann.Set("home", entries))
		ann.Fail(fake.OpenTunnel, 1, broken)
		r.ok(daemon.Clear(ann.system, ann.dir, &cfg))
		if ann.has("names of") {
			t.Errorf("machine is\n%s", ann)
		}

		r.ok(ann.Set("home", entries))
		ann.SetLink("home")
		if err := daemon.Clear(ann.system, ann.dir, &cfg); !errors.Is(err, broken) || ann.has("names of") {
			t.Errorf("error is %v on\n%s", err, ann)
		}
		r.ok(ann.RemoveLink("home"))
		_, err := ann.Open("home", 1280)
		r.ok(err)
		ann.Fail(fake.SetNames, 1, broken)
		if err := daemon.Clear(ann.system, ann.dir, &cfg); !errors.Is(err, broken) || ann.has("tunnel home") {
			t.Errorf("error is %v on\n%s", err, ann)
		}
		r.find("hub").start() // for the log
	})
}
