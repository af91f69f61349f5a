package scenarios_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"ginnel/key"
	"ginnel/netlab"
	"ginnel/platform"
	"ginnel/platform/link"
	"ginnel/platform/wireguard/kernel"
)

// The tests called TestKernel… need the kernel's WireGuard, and fail where
// there is none: make qemu runs them in emulated machines, and make netlab
// leaves them out.

// kernelHomes is the homes' world, in which the kernel carries every tunnel.
func kernelHomes(t *testing.T, l *lab) *homes {
	h := l.homes(netlab.PortRestricted)
	for _, m := range append(h.peers(), h.coordinator) {
		if n, err := m.network(); err != nil || n.Backend != "kernel" {
			t.Fatalf("%s: the tunnel is carried by %q (%v): this test needs a kernel with WireGuard, run it with make qemu", m.Name(), n.Backend, err)
		}
	}
	return h
}

// TestKernelDaemonKilled: a daemon that dies, stays away for a while and comes
// back drops no packet of established tunnels, whichever role it has, and then
// goes on where it was.
func TestKernelDaemonKilled(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		h := kernelHomes(t, l)
		machines := []*machine{h.coordinator, h.server, h.laptop, h.nas}
		h.allReach(machines...)
		name := "nas"
		for _, m := range []*machine{h.laptop, h.server, h.coordinator} {
			index := m.linkIndex()
			pings := startPings(machines)
			m.daemon.Kill()
			pings.goOn(t)
			m.start()
			m.follows(h.coordinator, name, name+"-x")
			name += "-x"
			pings.goOn(t)
			pings.noneLost(t)
			if now := m.linkIndex(); now != index {
				t.Errorf("%s: the interface is %d, and was %d before its daemon was killed", m.Name(), now, index)
			}
		}
	})
}

// TestKernelUpgrade: a binary that is replaced and restarted, as a package's
// upgrade does, drops no packet of established tunnels.
func TestKernelUpgrade(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		h := kernelHomes(t, l)
		machines := []*machine{h.coordinator, h.server, h.laptop, h.nas}
		h.allReach(machines...)
		pings, name := startPings(machines), "nas"
		for _, m := range []*machine{h.laptop, h.server, h.coordinator} {
			path := m.installCopy()
			m.signal(syscall.SIGTERM)
			if err := m.daemon.Wait(patience); err != nil {
				t.Error(err)
			}
			pings.goOn(t)
			m.startFrom(path)
			m.follows(h.coordinator, name, name+"-x")
			name += "-x"
		}
		pings.goOn(t)
		pings.noneLost(t)
	})
}

// TestKernelDownTakesTheLinkAway: a stop leaves the interface where down
// removes it, and down finds the one that an earlier daemon left.
func TestKernelDownTakesTheLinkAway(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		h := kernelHomes(t, l)
		m := h.laptop
		index := m.linkIndex()
		m.daemon.Kill()
		if now := m.linkIndex(); now != index {
			t.Errorf("the interface is %d, and was %d before the daemon was killed", now, index)
		}
		m.start()
		m.ginnel("down")
		netlab.Eventually(t, patience, "the interface is gone", func() error {
			if _, err := m.link(); err == nil {
				return fmt.Errorf("it is there")
			}
			return nil
		})
		m.ginnel("up")
		m.reaches(h.server, patience)
	})
}

// TestKernelDisturbed: an interface that somebody deletes is made anew, and one
// that he gives another key, or takes the peers, addresses or routes from, has
// them again; within half a minute, since the kernel does not tell of all.
func TestKernelDisturbed(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		anna := o.peers[0]
		o.allReach(o.all()...)
		self, root := netip.PrefixFrom(anna.overlay(), anna.overlay().BitLen()), netip.MustParsePrefix(l.home.root())
		for what, disturb := range map[string]func(wg platform.Tunnel) error{
			"the key": func(wg platform.Tunnel) error {
				return wg.Apply(&platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: key.NewPrivate([key.Size]byte{7})})
			},
			"the peers": func(wg platform.Tunnel) error { return wg.Apply(&platform.TunnelChange{ReplacePeers: true}) },
			"the address": func(platform.Tunnel) error {
				return link.New().Apply("home", &platform.NetChange{RemoveAddresses: []netip.Prefix{self}})
			},
			"the route": func(platform.Tunnel) error {
				return link.New().Apply("home", &platform.NetChange{RemoveRoutes: []netip.Prefix{root}})
			},
			"the interface": platform.Tunnel.Delete,
		} {
			was := anna.linkIndex()
			if err := anna.wireguard("home", disturb); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if err := anna.Ping(l.home.address(0, 1).String(), 2*patience); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if now := anna.linkIndex(); (now != was) != (what == "the interface") {
				t.Errorf("%s: the interface is %d, and was %d", what, now, was)
			}
		}
		o.allReach(o.all()...)
	})
}

// TestKernelBehaviour59ExistingInterface: an interface of the kernel's that
// somebody else made carries the network, and is left bare and in place, the
// same one all the time.
func TestKernelBehaviour59ExistingInterface(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		m := o.machine(o.Host("borrower", o.internet))
		token := o.coordinator.invite("borrower", "machines")
		m.refused("interface wg7 is not there", "join", token, "--interface", "wg7")
		m.wg7(func(platform.Tunnel) error { return nil })
		m.ginnel("join", token, "--interface", "wg7")
		m.reaches(o.peers[0], patience)
		m.daemon.Kill()
		m.start()
		m.reaches(o.peers[0], patience)
		if n, err := m.network(); err != nil || n.Backend != "kernel" {
			t.Errorf("the tunnel is carried by %q (%v)", n.Backend, err)
		}
		if _, err := m.link(); err == nil {
			t.Error("an interface of our own was made")
		}
		m.ginnel("leave", "--yes")
		m.wg7(func(wg platform.Tunnel) error {
			var s platform.TunnelState
			if err := wg.Observe(&s); err != nil || len(s.Peers) > 0 || !s.PrivateKey.IsZero() {
				return fmt.Errorf("left are %d peers, or a key (%v)", len(s.Peers), err)
			}
			return nil
		})
	})
}

// wg7 makes wg7 in m, or finds it.
func (m *machine) wg7(f func(wg platform.Tunnel) error) {
	m.lab.t.Helper()
	if err := m.wireguard("wg7", f); err != nil {
		m.lab.t.Fatalf("%s: wg7: %v", m.Name(), err)
	}
}

// wireguard makes an interface of the kernel's in m, or finds it. What f does
// may be to delete it.
func (m *machine) wireguard(name string, f func(wg platform.Tunnel) error) error {
	return m.Do(func() error {
		wg, err := kernel.New().Open(name, 1420)
		if err != nil {
			return err
		}
		return errors.Join(f(wg), wg.Close())
	})
}

// goOn waits until every pair has sent some more pings, and so some time has
// passed.
func (p pings) goOn(t *testing.T) {
	t.Helper()
	const more = 10
	from := map[string]int{}
	for pair, pinger := range p {
		from[pair] = pinger.Counts().Sent
	}
	for pair, pinger := range p {
		netlab.Eventually(t, patience, pair+" goes on", func() error {
			if n := pinger.Counts().Sent - from[pair]; n < more {
				return fmt.Errorf("%d pings sent since", n)
			}
			return nil
		})
	}
}

// follows waits until m has heard from the coordinator that a peer has got
// another name: m's daemon is at work again.
func (m *machine) follows(coordinator *machine, was, name string) {
	m.lab.t.Helper()
	coordinator.ginnel("peer", "rename", was, name)
	netlab.Eventually(m.lab.t, patience, m.Name()+" hears of a new name", func() error {
		_, err := m.peer(name)
		return err
	})
}

// link is m's interface of network "home".
func (m *machine) link() (link *net.Interface, err error) {
	err = m.Do(func() error { link, err = net.InterfaceByName("home"); return err })
	return link, err
}

func (m *machine) linkIndex() int {
	m.lab.t.Helper()
	link, err := m.link()
	if err != nil {
		m.lab.t.Fatalf("%s: %v", m.Name(), err)
	}
	return link.Index
}

// installCopy puts a binary of m's own into place, as a package manager does,
// and returns its path.
func (m *machine) installCopy() string {
	m.lab.t.Helper()
	path := filepath.Join(netlab.Programs, "ginnel")
	content, err := os.ReadFile(m.lab.binary)
	if err == nil {
		err = m.WriteFile(path+".new", content, 0o755)
	}
	if err == nil {
		err = m.Do(func() error { return os.Rename(path+".new", path) })
	}
	if err != nil {
		m.lab.t.Fatalf("%s: install: %v", m.Name(), err)
	}
	return path
}
