package message

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"ginnel/key"
	"ginnel/platform"
)

// Limit is the largest message of an Encoder, in bytes.
const Limit = 8 << 10

// Sizes of the attribute of one allowed IP, in bytes: nest, family, address and
// length of the prefix.
const (
	allowed4Size = attrSize + 8 + attrSize + 4 + 8
	allowed6Size = attrSize + 8 + attrSize + 16 + 8
)

// Encoder turns a change into messages. Its memory is one buffer of Limit
// bytes, in which a private key may be: see Clear.
type Encoder struct {
	// Scope returns the index of the link that a zone names, 0 when there is
	// none. An endpoint with such a zone is left as it is.
	Scope func(zone string) uint32

	w       writer
	limit   int
	family  uint16
	link    uint32
	change  *platform.TunnelChange
	started bool // the first message was made
	removed int  // how many of change.Remove are done
	peer    int  // the next of change.Peers
	ip      int  // its next allowed IP; not 0: the peer is being continued
}

// Start begins with the change c of the link with that index, to be said to
// the family with that id. The Encoder refers to c until the last message was
// made.
func (e *Encoder) Start(family uint16, link uint32, c *platform.TunnelChange) error {
	for i := range c.Peers {
		for _, a := range c.Peers[i].AllowedIPs {
			if !a.IsValid() {
				return fmt.Errorf("allowed IP %v of peer %v: want an address and the length of a prefix", a, c.Peers[i].PublicKey)
			}
		}
	}
	if e.w.b == nil {
		e.w.b, e.limit = make([]byte, 0, Limit), Limit
	}
	*e = Encoder{Scope: e.Scope, w: e.w, limit: e.limit, family: family, link: link, change: c}
	return nil
}

// Next returns the next message, valid until the one after, and nil after the
// last. There is one at least: of an empty change one that only names the
// link. Each wants an acknowledgement before the next is sent.
func (e *Encoder) Next() []byte {
	if e.started && e.removed == len(e.change.Remove) && e.peer == len(e.change.Peers) {
		return nil
	}
	e.w.beginGeneric(e.family, flagRequest|flagAck, cmdSetDevice, version)
	e.w.uint32(deviceIndex, e.link)
	if !e.started {
		e.appendDevice()
		e.started = true
	}
	e.appendPeers()
	return e.w.end()
}

// Clear overwrites what the messages said.
func (e *Encoder) Clear() {
	clear(e.w.b[:cap(e.w.b)])
	e.change = nil
}

func (e *Encoder) appendDevice() {
	c := e.change
	if c.Set&platform.SetPrivateKey != 0 {
		b := c.PrivateKey.Bytes()
		e.w.bytes(devicePrivateKey, b[:])
		clear(b[:])
	}
	if c.Set&platform.SetListenPort != 0 {
		e.w.uint16(deviceListenPort, c.ListenPort)
	}
	if c.Set&platform.SetFwMark != 0 {
		e.w.uint32(deviceFwMark, c.FwMark)
	}
	if c.ReplacePeers {
		e.w.uint32(deviceFlags, deviceReplacePeers)
	}
}

// appendPeers fills the message with peers, those to remove first.
func (e *Encoder) appendPeers() {
	list := e.w.open(devicePeers | nested)
	first := len(e.w.b)
	room := true
	for room && e.removed < len(e.change.Remove) {
		room = e.appendRemoval(e.change.Remove[e.removed])
	}
	for room && e.peer < len(e.change.Peers) {
		room = e.appendPeer(len(e.w.b) == first)
	}
	if len(e.w.b) == first {
		e.w.b = e.w.b[:list]
		return
	}
	e.w.close(list)
}

// appendRemoval appends the removal of a peer, and tells whether it did.
func (e *Encoder) appendRemoval(k key.PublicKey) bool {
	const size = attrSize + attrSize + key.Size + 8
	if len(e.w.b)+size > e.limit {
		return false
	}
	at := e.w.open(nested)
	e.w.bytes(peerPublicKey, k[:])
	e.w.uint32(peerFlags, peerRemove)
	e.w.close(at)
	e.removed++
	return true
}

// appendPeer appends the next peer, or what is left of it, and tells whether
// there may be room for another. One that does not fit is taken back, unless
// it is alone: then it is continued in the next message. An allowed IP at
// least goes into each, so that it ends.
func (e *Encoder) appendPeer(alone bool) bool {
	p := &e.change.Peers[e.peer]
	from := e.ip
	at := e.w.open(nested)
	e.appendHead(p)
	e.appendAllowed(p.AllowedIPs, alone)
	e.w.close(at)
	whole := e.ip == len(p.AllowedIPs)
	switch {
	case !alone && (!whole || len(e.w.b) > e.limit):
		e.w.b = e.w.b[:at]
		e.ip = from
		return false
	case whole:
		e.peer++
		e.ip = 0
	}
	return whole
}

// appendHead appends what of a peer is no allowed IP; of a continued one, its
// key.
func (e *Encoder) appendHead(p *platform.PeerChange) {
	e.w.bytes(peerPublicKey, p.PublicKey[:])
	if e.ip > 0 {
		e.w.uint32(peerFlags, peerUpdateOnly)
		return
	}
	var flags uint32
	if p.Update {
		flags |= peerUpdateOnly
	}
	if p.ReplaceAllowedIPs {
		flags |= peerReplaceAllowedIPs
	}
	if flags != 0 {
		e.w.uint32(peerFlags, flags)
	}
	if p.Set&platform.SetEndpoint != 0 {
		e.appendEndpoint(p.Endpoint)
	}
	if p.Set&platform.SetKeepalive != 0 {
		e.w.uint16(peerKeepalive, p.Keepalive)
	}
}

// appendEndpoint appends an address and a port; of a zero one, and of one in a
// zone that is not here, nothing.
func (e *Encoder) appendEndpoint(a netip.AddrPort) {
	addr := a.Addr().Unmap()
	var scope uint32
	if addr.Zone() != "" {
		scope = e.Scope(addr.Zone())
	}
	if !addr.IsValid() || addr.Zone() != "" && scope == 0 {
		return
	}
	at := e.w.open(peerEndpoint)
	if addr.Is4() {
		e.w.b = binary.NativeEndian.AppendUint16(e.w.b, afINET)
		e.w.b = binary.BigEndian.AppendUint16(e.w.b, a.Port())
		b := addr.As4()
		e.w.b = append(e.w.b, b[:]...)
		e.w.b = append(e.w.b, make([]byte, sockaddr4Size-8)...)
	} else {
		e.w.b = binary.NativeEndian.AppendUint16(e.w.b, afINET6)
		e.w.b = binary.BigEndian.AppendUint16(e.w.b, a.Port())
		b := addr.As16()
		e.w.b = append(e.w.b, zeros[:4]...) // flow
		e.w.b = append(e.w.b, b[:]...)
		e.w.b = binary.NativeEndian.AppendUint32(e.w.b, scope)
	}
	e.w.close(at)
}

// appendAllowed appends those of a peer's allowed IPs that are left, as many
// as fit; with atLeastOne, one whether it fits or not.
func (e *Encoder) appendAllowed(ips []netip.Prefix, atLeastOne bool) {
	if e.ip == len(ips) {
		return
	}
	list := e.w.open(peerAllowedIPs | nested)
	for ; e.ip < len(ips); e.ip++ {
		size := allowed6Size
		if ips[e.ip].Addr().Is4() {
			size = allowed4Size
		}
		if len(e.w.b)+size > e.limit && !atLeastOne {
			break
		}
		atLeastOne = false
		e.appendPrefix(ips[e.ip])
	}
	e.w.close(list)
}

func (e *Encoder) appendPrefix(p netip.Prefix) {
	at := e.w.open(nested)
	if p.Addr().Is4() {
		b := p.Addr().As4()
		e.w.uint16(allowedFamily, afINET)
		e.w.bytes(allowedAddress, b[:])
	} else {
		b := p.Addr().As16()
		e.w.uint16(allowedFamily, afINET6)
		e.w.bytes(allowedAddress, b[:])
	}
	e.w.uint8(allowedBits, uint8(p.Bits()))
	e.w.close(at)
}
