package message

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"ginnel/key"
	"ginnel/platform"
)

// device is the kernel's side, as plainly as possible: it does what messages
// say, and tells what it has become.
type device struct {
	platform.TunnelState
	messages int
}

// set does a message of SET_DEVICE.
func (d *device) set(t *testing.T, m []byte) {
	t.Helper()
	h, payload, rest, err := cutMessage(m)
	if err != nil || len(rest) != 0 || h.flags != flagRequest|flagAck {
		t.Fatalf("not one request: %v, flags %#x, %d bytes left", err, h.flags, len(rest))
	}
	c := parseSet(t, payload)
	if d.messages > 0 && (c.Set != 0 || c.ReplacePeers) {
		t.Errorf("message %d is about the interface again", d.messages)
	}
	if d.messages > 0 && len(c.Remove)+len(c.Peers) == 0 {
		t.Errorf("message %d says nothing", d.messages)
	}
	d.Apply(&c)
	d.messages++
}

// parseSet reads a message back into the change it says.
func parseSet(t *testing.T, payload []byte) (c platform.TunnelChange) {
	t.Helper()
	err := each(payload[genericSize:], func(a attribute) (err error) {
		switch a.typ {
		case deviceIndex:
		case devicePrivateKey:
			c.Set |= platform.SetPrivateKey
			c.PrivateKey = key.NewPrivate([key.Size]byte(a.value))
		case deviceListenPort:
			c.Set |= platform.SetListenPort
			err = a.uint16(&c.ListenPort)
		case deviceFwMark:
			c.Set |= platform.SetFwMark
			err = a.uint32(&c.FwMark)
		case deviceFlags:
			c.ReplacePeers = true
		case devicePeers:
			err = each(a.value, func(nest attribute) error { return parseSetPeer(&c, nest) })
		default:
			t.Errorf("attribute %d of the interface", a.typ)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func parseSetPeer(c *platform.TunnelChange, nest attribute) error {
	var p platform.PeerChange
	var flags uint32
	err := each(nest.value, func(a attribute) (err error) {
		switch a.typ {
		case peerPublicKey:
			p.PublicKey = key.PublicKey(a.value)
		case peerFlags:
			err = a.uint32(&flags)
		case peerEndpoint:
			p.Set |= platform.SetEndpoint
			p.Endpoint = (&Decoder{Zone: zone}).endpoint(a.value)
		case peerKeepalive:
			p.Set |= platform.SetKeepalive
			err = a.uint16(&p.Keepalive)
		case peerAllowedIPs:
			err = each(a.value, func(ip attribute) error {
				prefix, err := prefix(ip.value)
				p.AllowedIPs = append(p.AllowedIPs, prefix)
				return err
			})
		}
		return err
	})
	if flags&peerRemove != 0 {
		c.Remove = append(c.Remove, p.PublicKey)
		return err
	}
	p.Update, p.ReplaceAllowedIPs = flags&peerUpdateOnly != 0, flags&peerReplaceAllowedIPs != 0
	c.Peers = append(c.Peers, p)
	return err
}

// dump tells what d is as a kernel does, cut wherever r says: with what the
// interface is in some pieces, padding, and attributes of the future.
func (d *device) dump(r *rand.Rand, sequence uint32) (datagrams [][]byte) {
	u := &dumper{r: r, sequence: sequence}
	u.begin(d)
	for i := range d.Peers {
		u.peer(d, &d.Peers[i])
	}
	u.end()
	u.w.begin(typeDone, 2)
	u.w.b = append(u.w.b, zeros[:]...)
	Number(u.w.end(), sequence)
	return append(u.datagrams, append([]byte{}, u.w.b...))
}

type dumper struct {
	r         *rand.Rand
	sequence  uint32
	w         writer
	list      int
	datagrams [][]byte
}

func (u *dumper) begin(d *device) {
	u.w.beginGeneric(0x20, 2, cmdGetDevice, version)
	if len(u.datagrams) == 0 || u.r.IntN(2) == 0 {
		u.w.uint16(deviceListenPort, d.ListenPort)
		u.w.uint32(deviceFwMark, d.FwMark)
		u.w.text(2, "wg0")
		if b := d.PrivateKey.Bytes(); !d.PrivateKey.IsZero() {
			u.w.bytes(devicePrivateKey, b[:])
		}
		u.w.bytes(999, []byte{1, 2, 3})
	}
	u.list = u.w.open(devicePeers | nested)
}

func (u *dumper) end() {
	u.w.close(u.list)
	Number(u.w.end(), u.sequence)
	u.datagrams = append(u.datagrams, append([]byte{}, u.w.b...))
}

func (u *dumper) peer(d *device, p *platform.Peer) {
	at := u.w.open(nested)
	u.w.bytes(0, nil)
	u.w.bytes(peerPublicKey, p.PublicKey[:])
	if p.Endpoint.IsValid() {
		e := Encoder{w: u.w, Scope: zoned().Scope}
		e.appendEndpoint(p.Endpoint)
		u.w = e.w
	}
	u.w.uint16(peerKeepalive, p.Keepalive)
	u.w.bytes(peerLastHandshake, make([]byte, 16))
	u.w.bytes(0, nil)
	u.w.bytes(peerRx, binary.NativeEndian.AppendUint64(nil, p.Rx))
	u.w.bytes(peerTx, binary.NativeEndian.AppendUint64(nil, p.Tx))
	u.w.uint32(10, 1)
	ips := u.w.open(peerAllowedIPs | nested)
	for _, a := range p.AllowedIPs {
		if u.r.IntN(20) == 0 {
			u.w.close(ips)
			u.w.close(at)
			u.end()
			u.begin(d)
			at = u.w.open(nested)
			u.w.bytes(peerPublicKey, p.PublicKey[:])
			ips = u.w.open(peerAllowedIPs | nested)
		}
		e := Encoder{w: u.w}
		e.appendPrefix(a)
		u.w = e.w
	}
	u.w.close(ips)
	u.w.close(at)
}

// prefixesOf makes n different prefixes, every third one IPv6.
func prefixesOf(n int) (ps []netip.Prefix) {
	for i := range n {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if i%3 == 0 {
			a = netip.AddrFrom16([16]byte{0: 0xfd, 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)})
		}
		ps = append(ps, netip.PrefixFrom(a, a.BitLen()))
	}
	return ps
}
