package budget_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"ginnel/daemon/control"
	"ginnel/netlab"
	"ginnel/network"
	"ginnel/platform"
	"ginnel/platform/link"
	"ginnel/platform/wireguard/kernel"
	"ginnel/wire"
)

// coordinatorMemory is the budget with 1,000 peers, in bytes.
const coordinatorMemory = 20_000_000

// TestCoordinatorMemory measures a coordinator after each of 1,000 peers has
// joined the tunnel and fetched its map.
func TestCoordinatorMemory(t *testing.T) {
	count, limit := 20, none
	if long {
		count, limit = 1000, coordinatorMemory
	}
	h := newHome(t, crowd(count))
	host := h.world.Host("crowd", h.lan)
	s, err := h.hub.tunnel()
	if err != nil {
		t.Fatal(err)
	}
	hub := platform.PeerChange{
		PublicKey: s.PrivateKey.Public(), Set: platform.SetEndpoint, Endpoint: netip.AddrPortFrom(h.hub.Addr(), s.ListenPort),
		AllowedIPs: []netip.Prefix{netip.PrefixFrom(hubAddress, 32)},
	}
	for i, p := range crowd(count) {
		if err := host.Do(func() error { return visit(i, p, hub) }); err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
	}
	report(t, fmt.Sprintf("coordinator, when %d peers have fetched their maps", count), usageOf(t, h.hub.daemon).resident, limit, "bytes")
	h.awaitRest()
	report(t, fmt.Sprintf("coordinator with %d peers, at rest", count), usageOf(t, h.hub.daemon).resident, limit, "bytes")
}

var hubAddress = netip.MustParseAddr("10.42.0.1")

// visit makes the host, for a moment, the i-th of the crowd, p, which fetches
// its map of the coordinator.
func visit(i int, p network.Peer, hub platform.PeerChange) (err error) {
	const name = "visitor"
	tunnel, err := kernel.New().Open(name, 1280)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tunnel.Delete()) }()
	err = tunnel.Apply(&platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: keyOf(i), Peers: []platform.PeerChange{hub}})
	if err != nil {
		return err
	}
	l := link.New()
	err = l.Apply(name, &platform.NetChange{
		SetUp: true, AddAddresses: []netip.Prefix{netip.PrefixFrom(p.Address, 32)}, AddRoutes: hub.AllowedIPs,
	})
	if err != nil {
		return err
	}
	token, err := keyOf(i).Token(hub.PublicKey, wire.TokenPurpose)
	if err != nil {
		return err
	}
	api := netip.AddrPortFrom(hubAddress, 51820)
	client := control.New(api, token, func(ctx context.Context) (net.Conn, error) { return l.DialTCP(ctx, name, p.Address, api) })
	ctx, cancel := context.WithTimeout(context.Background(), netlab.Patience(20*time.Second))
	defer cancel()
	u, err := client.Fetch(ctx, wire.Position{})
	if err == nil && len(u.Members) == 0 {
		err = errors.New("its map is empty")
	}
	return err
}
