package message

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"ginnel/platform"
)

// said makes a message with that payload.
func said(typ, flags uint16, sequence uint32, payload ...byte) []byte {
	var w writer
	w.begin(typ, flags)
	w.b = append(w.b, payload...)
	Number(w.end(), sequence)
	return append(w.b, zeros[:-len(w.b)&3]...)
}

// count is a Sink.
type count int

func (c *count) Add([]byte) error {
	*c++
	return nil
}

func TestAnswer(t *testing.T) {
	ours, others := said(0x20, 0, 5, 0, 1, 0, 0), said(0x20, 0, 4, 0, 1, 0, 0)
	ack, done := said(typeError, 0, 5, make([]byte, 20)...), said(typeDone, 0, 5, 0, 0, 0, 0)
	noop := said(1, 0, 5)
	for name, test := range map[string]struct {
		datagram []byte
		want     Answer
		messages count
	}{
		"acknowledged":          {ack, Answer{Done: true}, 0},
		"data, then verdict":    {concat(ours, noop, ours, ack), Answer{Done: true}, 2},
		"not at its end":        {concat(ours, ours), Answer{}, 2},
		"of an earlier request": {concat(others, said(typeDone, 0, 4, 0, 0, 0, 0), ours), Answer{}, 1},
		"after the end":         {concat(done, ours), Answer{Done: true}, 0},
		"torn":                  {concat(ours, said(0x20, flagInterrupted, 5), done), Answer{Done: true, Torn: true}, 2},
		"torn at the end":       {said(typeDone, flagInterrupted, 5, 0, 0, 0, 0), Answer{Done: true, Torn: true}, 0},
		"another's was torn":    {said(0x20, flagInterrupted, 4), Answer{}, 0},
		"empty":                 {nil, Answer{}, 0},
	} {
		a, n := Answer{Sequence: 5}, count(0)
		err := a.Take(test.datagram, &n)
		test.want.Sequence = 5
		if err != nil || a != test.want || n != test.messages {
			t.Errorf("%s: %+v, %d messages, %v; want %+v, %d", name, a, n, err, test.want, test.messages)
		}
	}
}

func concat(all ...[]byte) (b []byte) {
	for _, m := range all {
		b = append(b, m...)
	}
	return b
}

// TestAnswerFails: what is no netlink is an error, and no end.
func TestAnswerFails(t *testing.T) {
	long := said(0x20, 0, 5)
	for _, b := range [][]byte{{1}, make([]byte, headerSize), long[:len(long)-1], said(typeError, 0, 5, 1, 2), said(typeDone, 0, 5)} {
		a := Answer{Sequence: 5}
		if err := a.Take(b, nil); err == nil || errors.As(err, new(*Refusal)) {
			t.Errorf("%x: %v", b, err)
		}
	}
	a := Answer{Sequence: 5}
	err := a.Take(said(typeDone, flagAckTLVs, 5, 0xff, 0xff, 0xff, 0xff), nil)
	if r := (*Refusal)(nil); !errors.As(err, &r) || r.Errno != 1 || !a.Done {
		t.Errorf("an errno at the end of a dump: %v, done %v", err, a.Done)
	}
}

// TestDecodeRefuses: numbers, keys and prefixes of other sizes are no dump.
func TestDecodeRefuses(t *testing.T) {
	peer := func(f func(*writer)) func(*writer) {
		return func(w *writer) {
			list, nest := w.open(devicePeers), 0
			nest = w.open(0)
			f(w)
			w.close(nest)
			w.close(list)
		}
	}
	named := func(typ uint16, n int) func(*writer) {
		return peer(func(w *writer) {
			w.bytes(peerPublicKey, make([]byte, 32))
			w.bytes(typ, make([]byte, n))
		})
	}
	allowed := func(size int, bits byte) func(*writer) {
		return peer(func(w *writer) {
			w.bytes(peerPublicKey, make([]byte, 32))
			list, nest := w.open(peerAllowedIPs), 0
			nest = w.open(0)
			w.bytes(allowedAddress, make([]byte, size))
			w.uint8(allowedBits, bits)
			w.close(nest)
			w.close(list)
		})
	}
	for name, f := range map[string]func(*writer){
		"private key":     func(w *writer) { w.bytes(devicePrivateKey, make([]byte, 31)) },
		"port":            func(w *writer) { w.uint32(deviceListenPort, 1) },
		"mark":            func(w *writer) { w.uint16(deviceFwMark, 1) },
		"public key":      peer(func(w *writer) { w.bytes(peerPublicKey, make([]byte, 33)) }),
		"nameless peer":   peer(func(w *writer) { w.uint16(peerKeepalive, 1) }),
		"keepalive":       named(peerKeepalive, 4),
		"handshake":       named(peerLastHandshake, 8),
		"received":        named(peerRx, 4),
		"sent":            named(peerTx, 12),
		"33 bits of IPv4": allowed(4, 33),
		"129 of IPv6":     allowed(16, 129),
		"address":         allowed(5, 8),
		"nest":            named(peerAllowedIPs, 3),
	} {
		var w writer
		w.beginGeneric(0x20, 0, 0, 1)
		f(&w)
		d := Decoder{Zone: zone}
		d.Start(new(platform.TunnelState))
		if err := d.Add(w.end()[headerSize:]); err == nil {
			t.Errorf("%s: no error", name)
		}
		d.Finish()
	}
}

// TestUnknownEndpoint: an endpoint of another kind is none, and no error.
func TestUnknownEndpoint(t *testing.T) {
	d := Decoder{Zone: zone}
	for _, b := range [][]byte{nil, make([]byte, 3), make([]byte, sockaddr4Size), make([]byte, sockaddr6Size), make([]byte, 110)} {
		if e := d.endpoint(b); e.IsValid() {
			t.Errorf("%d bytes are %v", len(b), e)
		}
	}
}

// TestMasks: a kernel that kept host bits would be told of them for ever.
func TestMasks(t *testing.T) {
	w := new(writer)
	w.bytes(allowedAddress, []byte{10, 9, 9, 9})
	w.uint8(allowedBits, 24)
	if p, err := prefix(w.b); err != nil || p != netip.MustParsePrefix("10.9.9.0/24") {
		t.Errorf("10.9.9.9/24 reads as %v, %v", p, err)
	}
}

// TestPeerTwice: a peer that was removed and added while the dump was made is
// told of twice, and is one.
func TestPeerTwice(t *testing.T) {
	dev := deviceOf(3)
	dev.Peers = append(dev.Peers, dev.Peers[0])
	var s platform.TunnelState
	decode(t, &s, 1, dev.dump(rand.New(rand.NewPCG(1, 1)), 1))
	dev.Peers = dev.Peers[:3]
	compare(t, "peers", &s, &dev.TunnelState)
}

// TestStartRefuses: an allowed IP that is none never reaches the kernel.
func TestStartRefuses(t *testing.T) {
	c := platform.TunnelChange{Peers: []platform.PeerChange{{}, {PublicKey: repeated(3), AllowedIPs: []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 33)}}}}
	if err := zoned().Start(1, 1, &c); err == nil || !strings.Contains(err.Error(), repeated(3).String()) {
		t.Errorf("error is %v, want one that names the peer", err)
	}
}

func TestLinkAndFamily(t *testing.T) {
	w := linkRequest(newLink, 0, 0x01020304)
	w.uint32(linkMTU, 1420)
	w.bytes(999, make([]byte, 5))
	info := w.open(linkInfo)
	w.text(linkInfoKind, Kind)
	w.bytes(2, make([]byte, 9))
	w.close(info)
	var l Link
	if err := l.Add(w.end()[headerSize:]); err != nil || l != (Link{0x01020304, 1420, "wireguard"}) {
		t.Errorf("link is %+v, %v", l, err)
	}
	var f Family
	w = new(writer)
	w.beginGeneric(familyControl, 0, 1, 2)
	w.text(attrFamilyName, Kind)
	w.uint16(attrFamilyID, 0x1234)
	if err := f.Add(w.end()[headerSize:]); err != nil || f.ID != 0x1234 {
		t.Errorf("family is %+v, %v", f, err)
	}
	for _, sink := range []Sink{new(Link), new(Family), &Decoder{}} {
		if err := sink.Add([]byte{1, 2, 3}); err == nil {
			t.Errorf("three bytes are a %T", sink)
		}
	}
}
