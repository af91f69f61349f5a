package uapi

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"sort"
	"strconv"
	"time"

	"ginnel/key"
	"ginnel/platform"
)

// parseState fills s, whose memory it reuses, with the text of a "get"
// operation: lines of name=value, first the interface's, then those of each
// peer after its public_key. Names it does not know are skipped.
func parseState(s *platform.TunnelState, text []byte) error {
	*s = platform.TunnelState{Backend: platform.Userspace, Peers: s.Peers[:0]}
	var peer *platform.Peer
	for len(text) > 0 {
		var line []byte
		line, text, _ = bytes.Cut(text, []byte{'\n'})
		name, value, _ := bytes.Cut(line, []byte{'='})
		var err error
		switch {
		case string(name) == "public_key":
			peer = addPeer(s)
			err = parseKey((*[key.Size]byte)(&peer.PublicKey), value)
		case peer == nil:
			err = parseDevice(s, string(name), value)
		default:
			err = parsePeer(peer, string(name), value)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	sortState(s)
	return nil
}

// addPeer appends an empty peer, in the memory of an earlier one if there is.
func addPeer(s *platform.TunnelState) *platform.Peer {
	n := len(s.Peers)
	var ips []netip.Prefix
	if n < cap(s.Peers) {
		ips = s.Peers[:n+1][n].AllowedIPs[:0]
	}
	s.Peers = append(s.Peers, platform.Peer{AllowedIPs: ips})
	return &s.Peers[n]
}

func sortState(s *platform.TunnelState) {
	sort.Slice(s.Peers, func(i, j int) bool { return s.Peers[i].PublicKey.Compare(s.Peers[j].PublicKey) < 0 })
	for i := range s.Peers {
		ips := s.Peers[i].AllowedIPs
		sort.Slice(ips, func(a, b int) bool { return ips[a].Compare(ips[b]) < 0 })
	}
}

func parseDevice(s *platform.TunnelState, name string, value []byte) (err error) {
	switch name {
	case "private_key":
		var b [key.Size]byte
		err = parseKey(&b, value)
		s.PrivateKey = key.NewPrivate(b)
		clear(b[:])
	case "listen_port":
		err = parseUint(&s.ListenPort, value, 16)
	case "fwmark":
		err = parseUint(&s.FwMark, value, 32)
	}
	return err
}

func parsePeer(p *platform.Peer, name string, value []byte) (err error) {
	switch name {
	case "endpoint":
		err = p.Endpoint.UnmarshalText(value)
	case "persistent_keepalive_interval":
		err = parseUint(&p.Keepalive, value, 16)
	case "allowed_ip":
		var a netip.Prefix
		err = a.UnmarshalText(value)
		p.AllowedIPs = append(p.AllowedIPs, a)
	case "last_handshake_time_sec":
		var sec uint64
		if err = parseUint(&sec, value, 63); sec != 0 {
			p.LastHandshake = time.Unix(int64(sec), 0)
		}
	case "last_handshake_time_nsec": // follows the seconds
		var nsec uint64
		if err = parseUint(&nsec, value, 30); nsec != 0 {
			p.LastHandshake = time.Unix(p.LastHandshake.Unix(), int64(nsec))
		}
	case "rx_bytes":
		err = parseUint(&p.Rx, value, 64)
	case "tx_bytes":
		err = parseUint(&p.Tx, value, 64)
	}
	return err
}

func parseKey(k *[key.Size]byte, value []byte) error {
	if len(value) != hex.EncodedLen(key.Size) {
		return fmt.Errorf("%d characters, want %d of hexadecimal", len(value), hex.EncodedLen(key.Size))
	}
	if _, err := hex.Decode(k[:], value); err != nil {
		return fmt.Errorf("not hexadecimal") // the cause would show a part of the key
	}
	return nil
}

func parseUint[T uint16 | uint32 | uint64](n *T, value []byte, bits int) error {
	u, err := strconv.ParseUint(string(value), 10, bits)
	*n = T(u)
	return err
}
