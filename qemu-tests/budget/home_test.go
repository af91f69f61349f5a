package budget_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"ginnel/coordinator/store"
	"ginnel/key"
	"ginnel/netlab"
	"ginnel/network"
	"ginnel/platform"
	"ginnel/platform/wireguard/kernel"
)

const bookPath = "/var/lib/ginnel/home.book"

// home is a network of two machines that run, and many more in the book.
type home struct {
	t           *testing.T
	world       *netlab.World
	lan         *netlab.Switch
	binary      string
	hub, router *machine
}

// machine is a host with its daemon.
type machine struct {
	*netlab.Host
	daemon *netlab.Process
}

// newHome makes the network, with peers in the book, and waits until the
// kernels of both machines have all of them.
func newHome(t *testing.T, peers []network.Peer) *home {
	t.Helper()
	h := &home{t: t, world: netlab.New(t), binary: netlab.Binary(t)}
	h.lan = h.world.Switch("lan", "192.0.2.0/24")
	h.hub = &machine{Host: h.world.Host("hub", h.lan)}
	h.router = &machine{Host: h.world.Host("router", h.lan)}
	h.hub.Run(h.binary, "network", "create", "home", "10.42.0.0/16", "--endpoint", h.hub.Addr().String()+":51820")
	if err := h.hub.Do(func() error { return fill(peers) }); err != nil {
		t.Fatal(err)
	}
	h.start(h.hub)
	var token string
	netlab.Eventually(t, patience, "an invitation", func() (err error) {
		token, err = h.hub.Try(h.binary, "peer", "invite", "router", "--address", "10.42.250.1")
		return err
	})
	h.start(h.router)
	h.router.Run(h.binary, "join", strings.TrimSpace(token))
	for _, m := range []*machine{h.hub, h.router} {
		h.awaitPeers(m, len(peers)+1)
	}
	return h
}

func (h *home) start(m *machine) {
	h.t.Helper()
	m.daemon = m.Start(h.binary, "daemon")
	netlab.Eventually(h.t, patience, m.Name()+"'s daemon answers", func() error {
		_, err := m.Try(h.binary, "status")
		return err
	})
}

// fill adds peers to the book, as if they had joined long ago.
func fill(peers []network.Peer) error {
	s, book, _, err := store.Open(bookPath)
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	snapshot := book.Snapshot()
	snapshot.Peers = append(snapshot.Peers[:1:1], peers...)
	snapshot.Revision += uint64(2 * len(peers)) // each was invited and has redeemed
	if book, err = network.Load(snapshot); err != nil {
		return err
	}
	if err := os.Remove(bookPath); err != nil {
		return err
	}
	return store.Create(bookPath, book, network.Change{})
}

// strangers are peers whose keys nobody has.
func strangers(n int) []network.Peer {
	peers := make([]network.Peer, n)
	for i := range peers {
		k := sha256.Sum256(binary.BigEndian.AppendUint32(nil, uint32(i)))
		k[31] &= 0x7f // RFC 7748, section 5
		peers[i] = network.Peer{Address: address(i), Name: fmt.Sprintf("machine-number-%d", i), Key: k}
	}
	return peers
}

func address(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 42, byte(1 + i/250), byte(1 + i%250)})
}

// awaitPeers waits until the kernel of m has n peers.
func (h *home) awaitPeers(m *machine, n int) {
	h.t.Helper()
	netlab.Eventually(h.t, patience, fmt.Sprintf("%d peers in the kernel of %s", n, m.Name()), func() error {
		s, err := m.tunnel()
		if err == nil && len(s.Peers) != n {
			pause(breath)
			err = fmt.Errorf("it has %d", len(s.Peers))
		}
		return err
	})
}

// tunnel is the interface as m's kernel has it.
func (m *machine) tunnel() (s platform.TunnelState, err error) {
	err = m.Do(func() error {
		tunnel, err := kernel.New().Open("home", 1280)
		if err != nil {
			return err
		}
		defer tunnel.Close()
		return tunnel.Observe(&s)
	})
	return s, err
}

// keyOf is the private key of the i-th of those that a test speaks for.
func keyOf(i int) key.PrivateKey {
	return key.NewPrivate(sha256.Sum256(fmt.Appendf(nil, "a key of the crowd, number %d", i)))
}
