package store

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"ginnel/key"
	"ginnel/network"
	"ginnel/platform/dbfile"
	"ginnel/wire/json"
)

// The values, as JSON.
type (
	cidrRecord struct {
		Name     string `json:"name"`
		Isolated bool   `json:"isolated,omitempty"`
	}
	peerRecord struct {
		Name     string        `json:"name"`
		Key      key.PublicKey `json:"key,omitzero"`
		Admin    bool          `json:"admin,omitempty"`
		Disabled bool          `json:"disabled,omitempty"`
		// Of the invitation, while it is not redeemed.
		Temporary key.PublicKey `json:"temporary,omitzero"`
		Expires   time.Time     `json:"expires,omitzero"`
	}
	// partRecord is audience, touched.
	partRecord [2]netip.Prefix
)

func peerValue(p *network.Peer) peerRecord {
	return peerRecord{
		Name: p.Name, Key: p.Key, Admin: p.Admin, Disabled: p.Disabled,
		Temporary: p.Invited.Key, Expires: p.Invited.Expires,
	}
}

func (v *peerRecord) peer(a netip.Addr) network.Peer {
	return network.Peer{
		Address: a, Name: v.Name, Key: v.Key, Admin: v.Admin, Disabled: v.Disabled,
		Invited: network.Invitation{Key: v.Temporary, Expires: v.Expires},
	}
}

func prefixKey(p netip.Prefix) []byte {
	return append(p.Addr().AsSlice(), byte(p.Bits()))
}

func associationKey(a network.Association) []byte {
	return append(prefixKey(a.A), prefixKey(a.B)...)
}

func changeKey(revision uint64) []byte { return binary.BigEndian.AppendUint64(nil, revision) }

func parseAddress(k []byte) (netip.Addr, error) {
	a, ok := netip.AddrFromSlice(k)
	if !ok {
		return a, fmt.Errorf("address has %d bytes, want 4 or 16: %w", len(k), dbfile.ErrDamaged)
	}
	return a, nil
}

func parsePrefix(k []byte) (netip.Prefix, error) {
	if len(k) == 0 {
		return netip.Prefix{}, fmt.Errorf("prefix has no bytes: %w", dbfile.ErrDamaged)
	}
	a, err := parseAddress(k[:len(k)-1])
	if err != nil {
		return netip.Prefix{}, err
	}
	p := netip.PrefixFrom(a, int(k[len(k)-1]))
	if !p.IsValid() {
		return p, fmt.Errorf("prefix of %s has %d bits: %w", a, k[len(k)-1], dbfile.ErrDamaged)
	}
	return p, nil
}

func parseAssociation(k []byte) (network.Association, error) {
	a, err := parsePrefix(k[:len(k)/2])
	if err != nil {
		return network.Association{}, err
	}
	b, err := parsePrefix(k[len(k)/2:])
	return network.Association{A: a, B: b}, err
}

// parseValue reads a value. Fields it does not know are lost with the next
// write; a program that adds some raises the schema.
func parseValue(b []byte, v any) error {
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %w", err, dbfile.ErrDamaged)
	}
	return nil
}
