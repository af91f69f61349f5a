package budget_test

import (
	"errors"
	"fmt"
	"net/netip"

	"ginnel/netlab"
	"ginnel/network"
	"ginnel/platform"
	"ginnel/platform/link"
	"ginnel/platform/wireguard/kernel"
)

// crowd are peers that this test has the keys of.
func crowd(n int) []network.Peer {
	peers := make([]network.Peer, n)
	for i := range peers {
		peers[i] = network.Peer{Address: address(i), Name: fmt.Sprintf("machine-number-%d", i), Key: keyOf(i).Public()}
	}
	return peers
}

// gather makes an interface of the kernel's for each of n peers of the crowd,
// which has a session with m and keeps it alive, without a daemon.
func (h *home) gather(n int, m *machine) {
	h.t.Helper()
	s, err := m.tunnel()
	if err != nil {
		h.t.Fatal(err)
	}
	self := platform.PeerChange{
		PublicKey: s.PrivateKey.Public(), Set: platform.SetEndpoint | platform.SetKeepalive,
		Endpoint: netip.AddrPortFrom(m.Addr(), s.ListenPort), Keepalive: 25,
		AllowedIPs: []netip.Prefix{netip.MustParsePrefix("10.42.250.1/32")},
	}
	host := h.world.Host("crowd", h.lan)
	for i := range n {
		if err := host.Do(func() error { return attend(i, self) }); err != nil {
			h.t.Fatal(err)
		}
	}
	netlab.Eventually(h.t, patience, "sessions with the crowd", func() error {
		s, err := m.tunnel()
		if err != nil {
			return err
		}
		met := 0
		for _, p := range s.Peers {
			if !p.LastHandshake.IsZero() {
				met++
			}
		}
		if met <= n {
			pause(breath)
			err = fmt.Errorf("%d of %d, and the coordinator's", met, n)
		}
		return err
	})
}

// attend makes the interface of the i-th.
func attend(i int, peer platform.PeerChange) error {
	name := fmt.Sprintf("p%d", i)
	tunnel, err := kernel.New().Open(name, 1280)
	if err != nil {
		return err
	}
	err = tunnel.Apply(&platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: keyOf(i), Peers: []platform.PeerChange{peer}})
	return errors.Join(err, tunnel.Close(), link.New().Apply(name, &platform.NetChange{SetUp: true}))
}
