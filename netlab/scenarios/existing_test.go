package scenarios_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.zx2c4.com/wireguard/wgctrl"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"ginnel/daemon/local"
	"ginnel/netlab"
	"ginnel/platform/link"
)

// wireguardGo builds the program of wireguard-go, which makes an interface and
// answers on its socket until it is killed.
func wireguardGo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "wireguard-go")
	build := exec.Command("go", "build", "-o", path, "golang.zx2c4.com/wireguard")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build wireguard-go: %v\n%s", err, out)
	}
	return path
}

// lend starts a program that makes interface wg0, and waits until it answers.
func (m *machine) lend(program string) *netlab.Process {
	m.lab.t.Helper()
	p := m.Start(program, "-f", "wg0")
	netlab.Eventually(m.lab.t, patience, m.Name()+"'s wg0 is there", func() error { _, err := m.device(); return err })
	return p
}

// device is what another program than ours says of wg0.
func (m *machine) device() (dev *wgtypes.Device, err error) {
	err = m.wgctrl(func(c *wgctrl.Client) error { dev, err = c.Device("wg0"); return err })
	return dev, err
}

func (m *machine) wgctrl(f func(c *wgctrl.Client) error) error {
	return m.Do(func() error {
		c, err := wgctrl.New()
		if err != nil {
			return err
		}
		return errors.Join(f(c), c.Close())
	})
}

// routes are those of the daemon by a link.
func (m *machine) routes(dev string) string {
	m.lab.t.Helper()
	return strings.TrimSpace(m.ip("route", "show", "dev", dev, "proto", strconv.Itoa(link.RouteProtocol)))
}

// configured waits until wg0 is what the network needs: it has m's key and port,
// and so many peers.
func (m *machine) configured(peers int) {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, patience, "wg0 is "+m.Name()+"'s network's", func() error {
		n, err := m.network()
		if err != nil {
			return err
		}
		dev, err := m.device()
		if err != nil {
			return err
		}
		if dev.PublicKey.String() != n.PublicKey.String() || dev.ListenPort != int(n.ListenPort) || len(dev.Peers) != peers {
			return fmt.Errorf("key %s, port %d and %d peers; want %s, %d and %d", dev.PublicKey, dev.ListenPort, len(dev.Peers), n.PublicKey, n.ListenPort, peers)
		}
		if routes := m.routes("wg0"); !strings.HasPrefix(routes, m.lab.home.root()) {
			return fmt.Errorf("routes %q", routes)
		}
		return nil
	})
}

// carries waits until wg0 carries the network to these peers, who are all.
func (m *machine) carries(peers ...*machine) {
	m.lab.t.Helper()
	m.configured(len(peers))
	for _, p := range peers {
		m.reaches(p, patience)
	}
	if _, err := m.Try("ip", "link", "show", "dev", "home"); err == nil {
		m.lab.t.Errorf("%s made an interface of its own", m.Name())
	}
}

// bare waits until wg0 is there, and has nothing of ours.
func (m *machine) bare() {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, patience, "wg0 is bare", func() error {
		dev, err := m.device()
		if err != nil {
			return err
		}
		if len(dev.Peers) > 0 || dev.PrivateKey != (wgtypes.Key{}) {
			return fmt.Errorf("it has a key or some of %d peers", len(dev.Peers))
		}
		if out := m.Run("ip", "-o", "address", "show", "dev", "wg0", "scope", "global"); out != "" {
			return fmt.Errorf("it has addresses: %s", out)
		}
		if routes := m.routes("wg0"); routes != "" {
			return fmt.Errorf("it has routes: %s", routes)
		}
		return nil
	})
}

// TestBehaviour59ExistingInterface: an interface that another program makes is
// waited for, carries the network while it is there, and is left bare and in
// place. wgctrl, on the other side, sees what ginnel did.
func TestBehaviour59ExistingInterface(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		anna, program := o.peers[0], wireguardGo(t)
		bob := o.machine(o.Host("bob", o.internet))
		token := o.coordinator.invite("bob", "machines")
		bob.refused("interface wg0 is not there", "join", token, "--interface", "wg0")
		owner := bob.lend(program)
		if err := bob.peerOfOthers(true); err != nil {
			t.Fatal(err)
		}
		bob.refused("has other peers", "join", token, "--interface", "wg0")
		if err := bob.peerOfOthers(false); err != nil {
			t.Fatal(err)
		}
		bob.ginnel("join", token, "--interface", "wg0")
		bob.carries(o.coordinator, anna)
		if out := bob.ginnel("status"); !strings.Contains(out, "wireguard: userspace, interface wg0") {
			t.Errorf("status does not name the interface:\n%s", out)
		}

		owner.Kill()
		netlab.Eventually(t, patience, "status says what is missing", func() error {
			n, err := bob.network()
			if err == nil && (n.State != local.Failed || !strings.Contains(n.Error, "interface wg0 is waited for")) {
				err = fmt.Errorf("state %s, error %q", n.State, n.Error)
			}
			return err
		})
		began := time.Now()
		bob.lend(program)
		bob.carries(o.coordinator, anna)
		t.Logf("back after %v", time.Since(began))
		bob.daemon.Kill()
		bob.start()
		bob.carries(o.coordinator, anna)

		bob.ginnel("down")
		bob.bare()
		bob.ginnel("up")
		bob.carries(o.coordinator, anna)
		bob.ginnel("leave", "--yes")
		bob.bare()
		bob.clean()
	})
}

// TestBehaviour59CoordinatorsInterface: the coordinator serves its API on an
// interface that another program makes, and again when it was made again.
func TestBehaviour59CoordinatorsInterface(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		inet, program := l.Internet(), wireguardGo(t)
		vps := l.machine(l.Host("vps", inet))
		owner := vps.lend(program)
		vps.ginnel("network", "create", "home", l.home.root(), "--endpoint", endpointAt(vps.Addr()), "--interface", "wg0")
		vps.ginnel("cidr", "add", "machines", l.home.cidr(1))
		anna := l.join(vps, l.Host("anna", inet), "machines", "--admin")
		for again := range 2 {
			vps.carries(anna)
			netlab.Eventually(t, patience, "the API answers", func() error {
				_, err := anna.Try(l.binary, "peer", "list")
				return err
			})
			if again == 0 {
				owner.Kill()
				vps.lend(program)
			}
		}
		vps.ginnel("network", "remove", "home", "--yes")
		vps.bare()
		vps.clean()
	})
}

// peerOfOthers gives wg0 a peer, or takes it away.
func (m *machine) peerOfOthers(there bool) error {
	key := wgtypes.Key{1}
	return m.wgctrl(func(c *wgctrl.Client) error {
		return c.ConfigureDevice("wg0", wgtypes.Config{Peers: []wgtypes.PeerConfig{{PublicKey: key, Remove: !there}}})
	})
}
