package uapi

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"

	"ginnel/key"
	"ginnel/platform"
)

// appendChange appends c as the text of a "set" operation. Removals precede
// everything else about peers. The text does not outgrow its memory while it
// is written: that would leave a copy of the private key behind.
func appendChange(b []byte, c *platform.TunnelChange) []byte {
	b = slices.Grow(b, maxText(c))
	if c.Set&platform.SetPrivateKey != 0 {
		b = appendKey(b, "private_key=", c.PrivateKey.Bytes())
	}
	if c.Set&platform.SetListenPort != 0 {
		b = appendUint(b, "listen_port=", uint64(c.ListenPort))
	}
	if c.Set&platform.SetFwMark != 0 {
		b = appendUint(b, "fwmark=", uint64(c.FwMark))
	}
	if c.ReplacePeers {
		b = append(b, "replace_peers=true\n"...)
	}
	for _, k := range c.Remove {
		b = appendPublic(b, k)
		b = append(b, "remove=true\n"...)
	}
	for i := range c.Peers {
		b = appendPeer(b, &c.Peers[i])
	}
	return b
}

// appendPeer puts update_only first: what follows is then ignored where the
// peer is gone.
func appendPeer(b []byte, c *platform.PeerChange) []byte {
	b = appendPublic(b, c.PublicKey)
	if c.Update {
		b = append(b, "update_only=true\n"...)
	}
	if c.Set&platform.SetEndpoint != 0 && c.Endpoint.IsValid() {
		b = append(b, "endpoint="...)
		b = netip.AddrPortFrom(c.Endpoint.Addr().Unmap(), c.Endpoint.Port()).AppendTo(b)
		b = append(b, '\n')
	}
	if c.Set&platform.SetKeepalive != 0 {
		b = appendUint(b, "persistent_keepalive_interval=", uint64(c.Keepalive))
	}
	if c.ReplaceAllowedIPs {
		b = append(b, "replace_allowed_ips=true\n"...)
	}
	for _, p := range c.AllowedIPs {
		b = append(b, "allowed_ip="...)
		b = p.Masked().AppendTo(b)
		b = append(b, '\n')
	}
	return b
}

// maxText returns how many bytes the text of c has at most.
func maxText(c *platform.TunnelChange) int {
	const (
		interfacePart = 192 // a key, two numbers, replace_peers
		removal       = 96  // a key, remove
		peer          = 288 // a key, an endpoint with a zone, a number, two flags
		allowedIP     = 64
	)
	n := interfacePart + removal*len(c.Remove) + peer*len(c.Peers)
	for i := range c.Peers {
		n += allowedIP * len(c.Peers[i].AllowedIPs)
	}
	return n
}

func appendPublic(b []byte, k key.PublicKey) []byte { return appendKey(b, "public_key=", k) }

func appendKey(b []byte, name string, k [key.Size]byte) []byte {
	b = append(b, name...)
	b = hex.AppendEncode(b, k[:])
	return append(b, '\n')
}

func appendUint(b []byte, name string, n uint64) []byte {
	b = append(b, name...)
	b = strconv.AppendUint(b, n, 10)
	return append(b, '\n')
}
