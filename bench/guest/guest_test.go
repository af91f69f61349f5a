package main

import (
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ginnel/bench/table"
	"ginnel/platform"
)

var seed = flag.Uint64("random", rand.Uint64(), "seed of the random peers")

func draw(t *testing.T) *rand.Rand {
	t.Logf("-random %d", *seed)
	return rand.New(rand.NewPCG(*seed, 0))
}

// TestDisjoint looks whether an allowed IP could move from one peer to another
// by itself.
func TestDisjoint(t *testing.T) {
	for name, peers := range map[string][]platform.Peer{
		"population": population(draw(t), 300),
		"variety":    variety(draw(t), 300),
	} {
		var all []netip.Prefix
		for _, p := range peers {
			all = append(all, p.AllowedIPs...)
		}
		for i, a := range all {
			if j := slices.IndexFunc(all[:i], a.Overlaps); j >= 0 {
				t.Errorf("%s: %s and %s overlap", name, a, all[j])
			}
		}
	}
}

// TestIntent follows every verb there and back.
func TestIntent(t *testing.T) {
	r := draw(t)
	peers := population(r, 51)
	in := &populated{"wg0", peers[:50], peers[50]}
	for verb, want := range map[table.Verb]int{table.SetEndpoint: 50, table.Update: 50, table.Replace: 50, table.Add: 51, table.Remove: 40} {
		there, back := in.writes(table.Operation{Size: 50, Verb: verb, Count: 10}, r)
		before, after := intend(in.peers), intend(in.peers)
		after.do(there)
		var got []platform.Peer
		for _, p := range after {
			got = append(got, p)
		}
		if len(got) != want {
			t.Errorf("verb %d: %d peers, want %d", verb, len(got), want)
		}
		if err := before.check(got); err == nil {
			t.Errorf("verb %d: what it leads to is taken for what was before", verb)
		}
		after.do(back)
		if err := after.check(in.peers); err != nil {
			t.Errorf("verb %d and back: %v", verb, err)
		}
	}
}

// TestSame changes a peer in every way, which must be seen each time.
func TestSame(t *testing.T) {
	p := variety(draw(t), 1)[0]
	p.Endpoint, p.AllowedIPs = netip.MustParseAddrPort("[2001:db8::1]:1"), []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("fd00::/64")}
	turned := p
	turned.AllowedIPs = []netip.Prefix{netip.MustParsePrefix("fd00::/64"), netip.MustParsePrefix("10.0.0.0/24")}
	if err := same(turned, p); err != nil {
		t.Errorf("in another order, masked: %v", err)
	}
	for name, change := range map[string]func(*platform.Peer){
		"endpoint":  func(p *platform.Peer) { p.Endpoint = netip.AddrPort{} },
		"port":      func(p *platform.Peer) { p.Endpoint = netip.AddrPortFrom(p.Endpoint.Addr(), 2) },
		"keepalive": func(p *platform.Peer) { p.Keepalive++ },
		"length": func(p *platform.Peer) {
			p.AllowedIPs = []netip.Prefix{p.AllowedIPs[0], netip.MustParsePrefix("fd00::/65")}
		},
		"fewer":      func(p *platform.Peer) { p.AllowedIPs = p.AllowedIPs[:1] },
		"handshake":  func(p *platform.Peer) { p.LastHandshake = time.Unix(1, 0) },
		"received":   func(p *platform.Peer) { p.Rx++ },
		"sent":       func(p *platform.Peer) { p.Tx++ },
		"everything": func(p *platform.Peer) { *p = platform.Peer{} },
	} {
		q := p
		change(&q)
		if same(q, p) == nil {
			t.Errorf("%s: no difference is seen", name)
		}
	}
}

// TestMessages counts a packet of two requests, and one of an acknowledgement
// that is cut short.
func TestMessages(t *testing.T) {
	message := func(size int, flags uint16) []byte {
		b := make([]byte, (size+3)&^3)
		binary.NativeEndian.PutUint32(b, uint32(size))
		binary.NativeEndian.PutUint16(b[6:], flags)
		return b
	}
	for _, c := range []struct {
		packet         []byte
		sent, received int
	}{
		{nil, 0, 0},
		{append(message(17, unix.NLM_F_REQUEST|unix.NLM_F_ACK), message(20, unix.NLM_F_REQUEST)...), 2, 0},
		{append(message(20, unix.NLM_F_MULTI), message(100, 0)[:30]...), 0, 2},
		{make([]byte, 40), 0, 0}, // a length of zero must end it
	} {
		if sent, received := messages(c.packet); sent != c.sent || received != c.received {
			t.Errorf("%x: %d sent, %d received, want %d and %d", c.packet, sent, received, c.sent, c.received)
		}
	}
}

func TestMedian(t *testing.T) {
	for want, samples := range map[time.Duration][]time.Duration{0: nil, 1: {1}, 2: {9, 1, 2}, 3: {4, 3, 1, 9}} {
		if got := median(samples); got != want {
			t.Errorf("%v: %v, want %v", samples, got, want)
		}
	}
}
