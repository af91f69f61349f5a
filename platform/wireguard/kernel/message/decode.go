package message

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sort"
	"time"

	"ginnel/key"
	"ginnel/platform"
)

// Decoder fills a TunnelState with a dump, in the state's own memory. It is a
// Sink.
type Decoder struct {
	// Zone names the link with that index, as the zone of an address; empty
	// when there is none.
	Zone func(scope uint32) string

	s          *platform.TunnelState
	identified bool           // the interface has a private key
	allowed    []netip.Prefix // of all peers, as they came
	sorter     sorter         // of the last dump's peers
}

// Start begins a dump into s, which keeps none of what it said.
func (d *Decoder) Start(s *platform.TunnelState) {
	d.s, d.identified, d.allowed = s, false, nil
	if all := s.Peers[:cap(s.Peers)]; len(all) > 0 {
		d.allowed = all[len(all)-1].AllowedIPs[:0]
	}
	// The key stays for the time being: one that is the same is not made anew.
	*s = platform.TunnelState{Backend: platform.Kernel, PrivateKey: s.PrivateKey, Peers: s.Peers[:0]}
}

// Add implements Sink, with a message of the dump.
func (d *Decoder) Add(payload []byte) error {
	if len(payload) < genericSize {
		return fmt.Errorf("netlink: %d bytes where a message of generic netlink must be", len(payload))
	}
	return each(payload[genericSize:], d.device)
}

// Finish completes the state after the last message, or after those that
// came. A peer that was named twice, which is possible when peers were removed
// and added meanwhile, stays once.
func (d *Decoder) Finish() {
	s, allowed := d.s, d.allowed
	if !d.identified {
		s.PrivateKey = key.PrivateKey{}
	}
	d.share()
	d.sorter.sort(s.Peers)
	s.Peers = compact(s.Peers)
	if len(s.Peers) > 0 {
		s.Peers = append(s.Peers, platform.Peer{})[:len(s.Peers)]
	}
	if all := s.Peers[:cap(s.Peers)]; len(all) > 0 {
		clear(all[len(s.Peers):]) // nothing there keeps an older array alive
		all[len(all)-1].AllowedIPs = allowed
	}
	d.s, d.allowed = nil, nil
}

// share gives each peer its piece of the array, which may have moved while it
// grew.
func (d *Decoder) share() {
	for i, from := 0, 0; i < len(d.s.Peers); i++ {
		p := &d.s.Peers[i]
		to := from + len(p.AllowedIPs)
		p.AllowedIPs = d.allowed[from:to:to]
		if by := (*byPrefix)(&p.AllowedIPs); !by.sorted() {
			sort.Sort(by)
		}
		from = to
	}
}

func (d *Decoder) device(a attribute) error {
	switch a.typ {
	case devicePrivateKey:
		return d.privateKey(a)
	case deviceListenPort:
		return a.uint16(&d.s.ListenPort)
	case deviceFwMark:
		return a.uint32(&d.s.FwMark)
	case devicePeers:
		return each(a.value, d.peer)
	}
	return nil
}

func (d *Decoder) privateKey(a attribute) error {
	if err := a.want(key.Size); err != nil {
		return err
	}
	b := [key.Size]byte(a.value)
	if d.s.PrivateKey.IsZero() || d.s.PrivateKey.Bytes() != b {
		d.s.PrivateKey = key.NewPrivate(b)
	}
	clear(b[:])
	d.identified = true
	return nil
}

// peer reads a peer, or more of the one before.
func (d *Decoder) peer(nest attribute) error {
	c := cursor{b: nest.value}
	var p *platform.Peer
	for c.next() {
		var err error
		switch {
		case c.typ == peerPublicKey:
			p, err = d.named(&c.attribute)
		case p != nil:
			err = d.peerAttribute(p, &c.attribute)
		case c.typ != 0:
			err = errors.New("netlink: a peer whose key does not come first")
		}
		if err != nil {
			return err
		}
	}
	return c.err()
}

// named returns the peer that an attribute names: the last one, or a new one.
// It is valid until the next call.
func (d *Decoder) named(a *attribute) (*platform.Peer, error) {
	if err := a.want(key.Size); err != nil {
		return nil, err
	}
	k := key.PublicKey(a.value)
	if n := len(d.s.Peers); n == 0 || d.s.Peers[n-1].PublicKey != k {
		d.s.Peers = append(d.s.Peers, platform.Peer{PublicKey: k})
	}
	return &d.s.Peers[len(d.s.Peers)-1], nil
}

func (d *Decoder) peerAttribute(p *platform.Peer, a *attribute) error {
	switch a.typ {
	case peerEndpoint:
		p.Endpoint = d.endpoint(a.value)
	case peerKeepalive:
		return a.uint16(&p.Keepalive)
	case peerLastHandshake:
		return handshake(&p.LastHandshake, a)
	case peerRx:
		return a.uint64(&p.Rx)
	case peerTx:
		return a.uint64(&p.Tx)
	case peerAllowedIPs:
		return d.allowedIPs(p, a.value)
	}
	return nil
}

// handshake reads seconds and nanoseconds since 1970; zeros say never.
func handshake(t *time.Time, a *attribute) error {
	if err := a.want(16); err != nil {
		return err
	}
	*t = time.Time{}
	sec, nsec := int64(binary.NativeEndian.Uint64(a.value)), int64(binary.NativeEndian.Uint64(a.value[8:]))
	if sec != 0 || nsec != 0 {
		*t = time.Unix(sec, nsec)
	}
	return nil
}

// endpoint reads a socket address; of a kind that it does not know, none.
func (d *Decoder) endpoint(b []byte) netip.AddrPort {
	if len(b) < 4 {
		return netip.AddrPort{}
	}
	port := binary.BigEndian.Uint16(b[2:])
	switch family := binary.NativeEndian.Uint16(b); {
	case family == afINET && len(b) == sockaddr4Size:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:])), port)
	case family == afINET6 && len(b) == sockaddr6Size:
		addr := netip.AddrFrom16([16]byte(b[8:])).Unmap()
		if scope := binary.NativeEndian.Uint32(b[24:]); scope != 0 {
			addr = addr.WithZone(d.Zone(scope))
		}
		return netip.AddrPortFrom(addr, port)
	}
	return netip.AddrPort{}
}

// allowedIPs appends allowed IPs to p, the last peer.
func (d *Decoder) allowedIPs(p *platform.Peer, list []byte) error {
	from := len(d.allowed) - len(p.AllowedIPs)
	c := cursor{b: list}
	for c.next() {
		prefix, err := prefix(c.value)
		if err != nil {
			return err
		}
		d.allowed = append(d.allowed, prefix)
	}
	p.AllowedIPs = d.allowed[from:]
	return c.err()
}

func prefix(nest []byte) (netip.Prefix, error) {
	var bits uint8
	var addr netip.Addr
	c := cursor{b: nest}
	for c.next() {
		switch c.typ {
		case allowedBits:
			if err := c.uint8(&bits); err != nil {
				return netip.Prefix{}, err
			}
		case allowedAddress:
			addr, _ = netip.AddrFromSlice(c.value)
		}
	}
	p := netip.PrefixFrom(addr, int(bits)).Masked()
	if err := c.err(); err != nil {
		return p, err
	}
	if !p.IsValid() {
		return p, fmt.Errorf("netlink: an allowed IP of %v and %d bits", addr, bits)
	}
	return p, nil
}
