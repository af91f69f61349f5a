package platformtest

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"ginnel/key"
	"ginnel/platform"
)

// Tunnel checks an implementation of platform.Tunnels. Open returns one on a
// machine, or in a namespace, without tunnels, whose UDP ports 40000 to 40099
// are free. Where it is a platform.Network too, tunnels are brought up through
// it; an implementation that binds its port only then, as the kernel's, must be.
func Tunnel(t *testing.T, open func(t *testing.T) platform.Tunnels) {
	t.Helper()
	for _, test := range slices.Concat(lifeTests, deviceTests, peerTests, stateTests) {
		t.Run(test.name, func(t *testing.T) { test.run(t, &tunnels{Tunnels: open(t)}) })
	}
}

// Others are the tunnels of others on a machine, and what the others do.
type Others struct {
	platform.Tunnels
	// Make makes an interface that is empty, and up unless Tunnels is a
	// platform.Network. Remove deletes it.
	Make, Remove func(t *testing.T, name string)
}

// TunnelOfOthers checks an implementation of platform.Tunnels that finds what
// others make, like Tunnel.
func TunnelOfOthers(t *testing.T, open func(t *testing.T) *Others) {
	t.Helper()
	for _, test := range slices.Concat(lifeTests, deviceTests, peerTests, stateTests, othersTests) {
		t.Run(test.name, func(t *testing.T) {
			o := open(t)
			test.run(t, &tunnels{Tunnels: o.Tunnels, others: o, made: map[string]bool{}})
		})
	}
}

// tunnelTest is one test of the suite.
type tunnelTest struct {
	name string
	run  func(t *testing.T, ts *tunnels)
}

// tunnels opens tunnels for a test.
type tunnels struct {
	platform.Tunnels
	others *Others         // nil: Open makes them
	made   map[string]bool // by the others
}

// mtu is that of every tunnel of the suite, in bytes.
const mtu = 1380

// up opens the tunnel called name and brings it up.
func (ts *tunnels) up(t *testing.T, name string) *tunnel {
	t.Helper()
	if ts.others != nil && !ts.made[name] {
		ts.others.Make(t, name)
		ts.made[name] = true
	}
	opened, err := ts.Open(name, mtu)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { opened.Delete() })
	if n, ok := ts.Tunnels.(platform.Network); ok {
		if err := n.Apply(name, &platform.NetChange{SetUp: true}); err != nil {
			t.Fatalf("bring it up: %v", err)
		}
	}
	return &tunnel{opened}
}

// tunnel is an open tunnel with the calls that a test repeats.
type tunnel struct{ platform.Tunnel }

func (tn *tunnel) apply(t *testing.T, c platform.TunnelChange) {
	t.Helper()
	if err := tn.Apply(&c); err != nil {
		t.Fatalf("apply: %v", err)
	}
}

func (tn *tunnel) observe(t *testing.T) *platform.TunnelState {
	t.Helper()
	var s platform.TunnelState
	if err := tn.Observe(&s); err != nil {
		t.Fatalf("observe: %v", err)
	}
	return &s
}

// setPeers applies changes of peers and returns the peers there are then.
func (tn *tunnel) setPeers(t *testing.T, peers ...platform.PeerChange) []platform.Peer {
	t.Helper()
	tn.apply(t, platform.TunnelChange{Peers: peers})
	return tn.observe(t).Peers
}

// wantPeers compares the configuration of peers, sorted by key.
func wantPeers(t *testing.T, got []platform.Peer, want ...platform.Peer) {
	t.Helper()
	slices.SortFunc(want, func(a, b platform.Peer) int { return a.PublicKey.Compare(b.PublicKey) })
	if !slices.EqualFunc(got, want, samePeer) {
		t.Errorf("peers are\n%v\nwant\n%v", got, want)
	}
}

// samePeer compares what is configured, not what is observed only.
func samePeer(a, b platform.Peer) bool {
	return a.PublicKey == b.PublicKey && a.Endpoint == b.Endpoint && a.Keepalive == b.Keepalive &&
		slices.Equal(a.AllowedIPs, b.AllowedIPs)
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want %v", err, want)
	}
}

// private returns the i-th private key of the suite.
func private(i int) key.PrivateKey {
	return key.NewPrivate([key.Size]byte{1: byte(i), 2: byte(i >> 8), 3: 1})
}

// public returns the public half of the i-th private key.
func public(i int) key.PublicKey { return private(i).Public() }

func prefixes(texts ...string) []netip.Prefix {
	ps := make([]netip.Prefix, len(texts))
	for i, s := range texts {
		ps[i] = netip.MustParsePrefix(s)
	}
	return ps
}

func endpoint(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
