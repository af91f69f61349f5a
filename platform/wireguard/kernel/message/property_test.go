package message

import (
	"flag"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"ginnel/platform"
	"ginnel/platform/platformtest"
)

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the random tests")

func random(t *testing.T) *rand.Rand {
	t.Logf("-seed %d", *seed)
	return rand.New(rand.NewPCG(*seed, 1))
}

// smallest is the least limit that holds a peer with all there is to say of
// it, and an allowed IP, behind all there is to say of the interface.
const smallest = 272

// limited is an Encoder of smaller messages.
func limited(limit int) *Encoder {
	e := zoned()
	e.w.b, e.limit = make([]byte, 0, limit), limit
	return e
}

// TestConverges takes a device from one random state to another, through
// messages and dumps of any size: what is read is what the change makes of the
// model, and what was wanted.
func TestConverges(t *testing.T) {
	r := random(t)
	var d device
	var observed, model platform.TunnelState
	sequence := uint32(1)
	decode(t, &observed, sequence, d.dump(r, sequence))
	decode(t, &model, sequence, d.dump(r, sequence))
	for range 300 {
		want := platformtest.RandomTunnel(r)
		decorate(r, &want)
		var c platform.TunnelChange
		platform.DiffTunnel(&c, &observed, &want)
		c.ReplacePeers = r.IntN(10) == 0
		e := limited(smallest + r.IntN(600))
		if err := e.Start(0x20, 7, &c); err != nil {
			t.Fatal(err)
		}
		d.messages = 0
		for m := e.Next(); m != nil; m = e.Next() {
			if len(m) > e.limit {
				t.Errorf("a message has %d bytes, more than %d", len(m), e.limit)
			}
			d.set(t, m)
		}
		model.Apply(&c)
		sequence++
		decode(t, &observed, sequence, d.dump(r, sequence))
		compare(t, "read", &observed, &d.TunnelState)
		compare(t, "model", &model, &d.TunnelState)
		if t.Failed() {
			t.FailNow()
		}
	}
}

// decorate gives peers endpoints of all kinds, and some many prefixes.
func decorate(r *rand.Rand, s *platform.TunnelState) {
	endpoints := []string{"[2001:db8::7]:9", "[fe80::7%3]:9", "[fe80::7]:9", "[fe80::7%4294967295]:65535"}
	for i := range s.Peers {
		p := &s.Peers[i]
		if r.IntN(3) == 0 {
			p.Endpoint = netip.MustParseAddrPort(endpoints[r.IntN(len(endpoints))])
		}
	}
	if len(s.Peers) > 0 {
		p := &s.Peers[r.IntN(len(s.Peers))]
		for i, a := range prefixesOf(r.IntN(60)) {
			if !a.Addr().Is4() || i > 30 { // the others belong to somebody
				p.AllowedIPs = append(p.AllowedIPs, a)
			}
		}
		slices.SortFunc(p.AllowedIPs, netip.Prefix.Compare)
	}
}

// compare compares two states, taking nil and empty for the same.
func compare(t *testing.T, what string, got, want *platform.TunnelState) {
	t.Helper()
	if !got.PrivateKey.Equal(want.PrivateKey) || got.ListenPort != want.ListenPort || got.FwMark != want.FwMark {
		t.Errorf("%s: the interface differs", what)
	}
	if len(got.Peers) != len(want.Peers) {
		t.Errorf("%s: %d peers, want %d", what, len(got.Peers), len(want.Peers))
		return
	}
	for i, a := range got.Peers {
		b := want.Peers[i]
		ips := slices.Equal(a.AllowedIPs, b.AllowedIPs)
		a.AllowedIPs, b.AllowedIPs = nil, nil
		if !ips || !reflect.DeepEqual(a, b) {
			t.Errorf("%s: peer %d is\n%+v\nwant\n%+v", what, i, got.Peers[i], want.Peers[i])
			return
		}
	}
}

// TestContinued cuts the allowed IPs of one peer into many messages: each has
// some, none is said twice, and only the first says more than the key.
func TestContinued(t *testing.T) {
	ips := prefixesOf(1000)
	for _, update := range []bool{true, false} {
		c := platform.TunnelChange{Set: 7, ReplacePeers: true, Peers: []platform.PeerChange{
			{PublicKey: repeated(1), Update: update, Set: platform.SetEndpoint | platform.SetKeepalive, ReplaceAllowedIPs: true, AllowedIPs: ips,
				Endpoint: netip.MustParseAddrPort("[fe80::1%3]:1")},
			{PublicKey: repeated(2), Update: update},
		}}
		// Even where nothing fits, there is an end.
		for _, limit := range []int{1, smallest, 1000, Limit} {
			e := limited(limit)
			if err := e.Start(1, 1, &c); err != nil {
				t.Fatal(err)
			}
			first, got := continued(t, e)
			want := c.Peers[0]
			want.AllowedIPs = nil
			if !reflect.DeepEqual(first, want) {
				t.Errorf("limit %d: the first part says %+v", limit, first)
			}
			if !slices.Equal(got, ips) {
				t.Errorf("limit %d: of %d allowed IPs %d are said", limit, len(ips), len(got))
			}
		}
	}
}

// continued returns what the first message says of peer 1, without its allowed
// IPs, and these of all messages.
func continued(t *testing.T, e *Encoder) (first platform.PeerChange, ips []netip.Prefix) {
	t.Helper()
	messages := 0
	for m := e.Next(); m != nil; m = e.Next() {
		if messages++; messages > 1002 {
			t.Fatal("there is no end to it")
		}
		for _, p := range parseSet(t, m[headerSize:]).Peers {
			switch {
			case p.PublicKey == repeated(2):
				if len(ips) != 1000 {
					t.Error("the next peer comes before this one's end")
				}
				continue
			case messages > 1 && (!p.Update || p.Set != 0 || p.ReplaceAllowedIPs || len(p.AllowedIPs) == 0):
				t.Errorf("message %d says %+v", messages, p)
			}
			ips = append(ips, p.AllowedIPs...)
			if messages == 1 {
				first = p
				first.AllowedIPs = nil
			}
		}
	}
	return first, ips
}

// TestPacked checks that no message ends while there was room for what comes
// next, and none is too long.
func TestPacked(t *testing.T) {
	c := manyPeers(1000)
	for i := range c.Peers {
		c.Remove = append(c.Remove, c.Peers[i].PublicKey)
	}
	e := zoned()
	if err := e.Start(1, 1, c); err != nil {
		t.Fatal(err)
	}
	const peer = 4 + 36 + 8 + 20 + 4 + 28 + 40
	var removed, peers, last int
	for m := e.Next(); m != nil; m = e.Next() {
		part := parseSet(t, m[headerSize:])
		if len(m) > Limit || last > 0 && last+peer <= Limit {
			t.Errorf("a message of %d bytes follows one of %d", len(m), last)
		}
		last = len(m)
		removed += len(part.Remove)
		peers += len(part.Peers)
		if len(part.Peers) > 0 && removed < 1000 {
			t.Error("a peer is changed before all are removed")
		}
	}
	if removed != 1000 || peers != 1000 {
		t.Errorf("%d removed, %d changed", removed, peers)
	}
}
