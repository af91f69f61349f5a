package fake_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"ginnel/key"
	"ginnel/platform"
	"ginnel/platform/fake"
)

// side is a machine with one tunnel, wg0, at port 51820.
type side struct {
	*fake.OS
	platform.Tunnel
	private key.PrivateKey
	under   netip.Addr // underlay address
	over    netip.Addr // overlay address
}

// newSide makes the i-th machine of the world: 192.0.2.i outside, 10.0.0.i
// inside.
func newSide(t *testing.T, w *fake.World, name string, i byte) *side {
	t.Helper()
	s := &side{OS: w.NewOS(name), private: key.NewPrivate([32]byte{1: i}),
		under: netip.AddrFrom4([4]byte{192, 0, 2, i}), over: netip.AddrFrom4([4]byte{10, 0, 0, i})}
	s.SetLink("eth0", netip.PrefixFrom(s.under, 24))
	tn, err := s.Open("wg0", 1420)
	if err != nil {
		t.Fatal(err)
	}
	s.Tunnel = tn
	s.change(t, platform.TunnelChange{Set: platform.SetPrivateKey | platform.SetListenPort, PrivateKey: s.private, ListenPort: 51820})
	err = s.OS.Apply("wg0", &platform.NetChange{SetUp: true, AddAddresses: []netip.Prefix{netip.PrefixFrom(s.over, 24)}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *side) change(t *testing.T, c platform.TunnelChange) {
	t.Helper()
	if err := s.Tunnel.Apply(&c); err != nil {
		t.Fatal(err)
	}
}

func (s *side) endpoint() netip.AddrPort { return netip.AddrPortFrom(s.under, 51820) }

// knows makes s accept o, without an endpoint.
func (s *side) knows(t *testing.T, o *side) {
	t.Helper()
	s.change(t, platform.TunnelChange{Peers: []platform.PeerChange{
		{PublicKey: o.private.Public(), AllowedIPs: []netip.Prefix{netip.PrefixFrom(o.over, 32)}}}})
}

// calls makes s send to o at an endpoint every 25 seconds.
func (s *side) calls(t *testing.T, o *side, at netip.AddrPort) {
	t.Helper()
	s.change(t, platform.TunnelChange{Peers: []platform.PeerChange{{PublicKey: o.private.Public(),
		Set: platform.SetEndpoint | platform.SetKeepalive, Endpoint: at, Keepalive: 25,
		AllowedIPs: []netip.Prefix{netip.PrefixFrom(o.over, 32)}}}})
}

// peer returns what s observes of o.
func (s *side) peer(t *testing.T, o *side) platform.Peer {
	t.Helper()
	var st platform.TunnelState
	if err := s.Tunnel.Observe(&st); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(st.Peers, func(p platform.Peer) bool { return p.PublicKey == o.private.Public() })
	if i < 0 {
		t.Fatalf("no such peer in %+v", st.Peers)
	}
	return st.Peers[i]
}

func newPair(t *testing.T) (w *fake.World, a, b *side) {
	t.Helper()
	w = fake.NewWorld(start)
	return w, newSide(t, w, "a", 1), newSide(t, w, "b", 2)
}

func wantHandshake(t *testing.T, s, o *side, want time.Time) {
	t.Helper()
	if got := s.peer(t, o).LastHandshake; !got.Equal(want) {
		t.Errorf("handshake was at %v, want %v", got, want)
	}
}

func TestHandshake(t *testing.T) {
	_, a, b := newPair(t)
	b.knows(t, a)
	a.calls(t, b, b.endpoint())
	wantHandshake(t, a, b, start)
	wantHandshake(t, b, a, start)
	pa, pb := a.peer(t, b), b.peer(t, a)
	if pb.Endpoint != a.endpoint() {
		t.Errorf("b has %v for a's endpoint, want %v", pb.Endpoint, a.endpoint())
	}
	if pa.Rx != pb.Tx || pa.Tx != pb.Rx || pa.Rx == 0 || pa.Tx == 0 {
		t.Errorf("counters are %d/%d and %d/%d", pa.Rx, pa.Tx, pb.Rx, pb.Tx)
	}
}

// TestNoHandshake lists what a handshake lacks; once it is there, the retry
// makes it.
func TestNoHandshake(t *testing.T) {
	other := netip.MustParseAddr("192.0.2.99")
	tests := []struct {
		name        string
		spoil, mend func(t *testing.T, w *fake.World, a, b *side)
	}{
		{"key", func(*testing.T, *fake.World, *side, *side) {},
			func(t *testing.T, _ *fake.World, a, b *side) { b.knows(t, a) }},
		{"way", func(t *testing.T, w *fake.World, a, b *side) { b.knows(t, a); w.Cut(b.under, a.under) },
			func(_ *testing.T, w *fake.World, a, b *side) { w.Mend(a.under, b.under) }},
		{"link", func(t *testing.T, _ *fake.World, a, b *side) { b.knows(t, a); must(t, b.SetUp("wg0", false)) },
			func(t *testing.T, _ *fake.World, a, b *side) { must(t, b.SetUp("wg0", true)) }},
		{"uplink", func(t *testing.T, _ *fake.World, a, b *side) { b.knows(t, a); must(t, b.SetUp("eth0", false)) },
			func(t *testing.T, _ *fake.World, a, b *side) { must(t, b.SetUp("eth0", true)) }},
		{"address", func(t *testing.T, _ *fake.World, a, b *side) {
			b.knows(t, a)
			b.SetLink("eth0", netip.PrefixFrom(other, 24))
		}, func(_ *testing.T, _ *fake.World, a, b *side) { b.SetLink("eth0", netip.PrefixFrom(b.under, 24)) }},
		{"port", func(t *testing.T, _ *fake.World, a, b *side) {
			b.knows(t, a)
			b.change(t, platform.TunnelChange{Set: platform.SetListenPort, ListenPort: 1})
		}, func(t *testing.T, _ *fake.World, a, b *side) {
			b.change(t, platform.TunnelChange{Set: platform.SetListenPort, ListenPort: 51820})
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w, a, b := newPair(t)
			test.spoil(t, w, a, b)
			a.calls(t, b, b.endpoint())
			w.Advance(time.Minute)
			wantHandshake(t, a, b, time.Time{})
			test.mend(t, w, a, b)
			wantHandshake(t, a, b, time.Time{})
			w.Advance(5 * time.Second)
			wantHandshake(t, a, b, start.Add(65*time.Second))
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWrongMachine(t *testing.T) {
	w, a, b := newPair(t)
	c := newSide(t, w, "c", 3)
	c.knows(t, a)
	a.calls(t, b, c.endpoint())
	w.Advance(time.Minute)
	wantHandshake(t, a, b, time.Time{})
	wantHandshake(t, c, a, time.Time{})
}

func TestSessionIsRenewed(t *testing.T) {
	w, a, b := newPair(t)
	b.knows(t, a)
	a.calls(t, b, b.endpoint())
	w.Advance(124 * time.Second)
	wantHandshake(t, a, b, start)
	w.Advance(time.Second) // the keepalive after 120 s
	wantHandshake(t, a, b, start.Add(125*time.Second))
	wantHandshake(t, b, a, start.Add(125*time.Second))
}

// TestRoams checks that the other side follows a machine that moved, with the
// session it has.
func TestRoams(t *testing.T) {
	w, a, b := newPair(t)
	b.knows(t, a)
	a.calls(t, b, b.endpoint())
	moved := netip.MustParseAddrPort("198.51.100.7:51820")
	a.SetLink("eth0", netip.PrefixFrom(moved.Addr(), 24))
	w.Advance(25 * time.Second)
	if got := b.peer(t, a).Endpoint; got != moved {
		t.Errorf("b has %v for a's endpoint, want %v", got, moved)
	}
	wantHandshake(t, b, a, start)
}

// TestNewEndpoint checks that a peer's endpoint can be changed without a new
// handshake, and that one turned to a wrong place is noticed with the next.
func TestNewEndpoint(t *testing.T) {
	w, a, b := newPair(t)
	b.knows(t, a)
	a.calls(t, b, b.endpoint())
	second := netip.MustParseAddr("192.0.2.22")
	b.SetLink("eth1", netip.PrefixFrom(second, 24))
	a.calls(t, b, netip.AddrPortFrom(second, 51820))
	rx := b.peer(t, a).Rx
	w.Advance(25 * time.Second)
	if b.peer(t, a).Rx == rx {
		t.Error("nothing arrived at the new endpoint")
	}
	wantHandshake(t, a, b, start)
	a.calls(t, b, netip.MustParseAddrPort("192.0.2.99:1"))
	w.Advance(10 * time.Minute)
	wantHandshake(t, a, b, start)
}

// TestForgottenSession checks that packets of a session that the receiver lost
// do not arrive until there is a new one.
func TestForgottenSession(t *testing.T) {
	w, a, b := newPair(t)
	b.knows(t, a)
	a.calls(t, b, b.endpoint())
	b.change(t, platform.TunnelChange{Remove: []key.PublicKey{a.private.Public()}})
	b.knows(t, a)
	w.Advance(119 * time.Second)
	if p := b.peer(t, a); p.Rx != 0 || p.Endpoint.IsValid() {
		t.Errorf("b understood a packet of an old session: %+v", p)
	}
	w.Advance(6 * time.Second)
	wantHandshake(t, b, a, start.Add(125*time.Second))
}

// TestGreetings lists what makes a handshake at once.
func TestGreetings(t *testing.T) {
	for name, greet := range map[string]func(t *testing.T, a, b *side){
		"keepalive": func(t *testing.T, a, b *side) {
			a.change(t, platform.TunnelChange{Peers: []platform.PeerChange{
				{PublicKey: b.private.Public(), Update: true, Set: platform.SetKeepalive, Keepalive: 0}}})
			a.calls(t, b, b.endpoint())
		},
		"added again": func(t *testing.T, a, b *side) {
			a.change(t, platform.TunnelChange{Remove: []key.PublicKey{b.private.Public()}})
			a.calls(t, b, b.endpoint())
		},
		"link comes up": func(t *testing.T, a, b *side) {
			must(t, a.SetUp("wg0", false))
			a.calls(t, b, b.endpoint())
			must(t, a.SetUp("wg0", true))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, a, b := newPair(t)
			b.knows(t, a)
			a.calls(t, b, netip.MustParseAddrPort("192.0.2.99:1"))
			w.Advance(7 * time.Second)
			a.calls(t, b, b.endpoint())
			wantHandshake(t, a, b, time.Time{})
			greet(t, a, b)
			wantHandshake(t, a, b, start.Add(7*time.Second))
		})
	}
}

func TestNewKeyEndsSessions(t *testing.T) {
	w, a, b := newPair(t)
	b.knows(t, a)
	a.calls(t, b, b.endpoint())
	a.private = key.NewPrivate([32]byte{77})
	a.change(t, platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: a.private})
	b.knows(t, a)
	w.Advance(25 * time.Second)
	wantHandshake(t, a, b, start.Add(25*time.Second))
	wantHandshake(t, b, a, start.Add(25*time.Second))
}
