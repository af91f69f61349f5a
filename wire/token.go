package wire

import (
	"bytes"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"ginnel/key"
)

const (
	tokenVersion = 1
	tokenSumSize = 4
	// maxToken is more characters than the largest invitation's token has.
	maxToken = 8 << 10
)

// tokenAlphabet is that of RFC 4648, section 6, in lower case.
var tokenAlphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Token returns the invitation as [TokenPrefix] and unpadded lower-case
// base32: letters and digits only, so that a double click selects all of it
// and, in upper case, a QR code holds it in its alphanumeric mode. i must pass
// Check; otherwise ParseInvitation refuses the result.
//
// The bytes, big-endian; a text is its length in one byte and itself:
//
//	1   version, 1
//	8   expiry in seconds since 1970
//	32  temporary private key
//	32  coordinator's public key
//	2   coordinator's API port
//	1   prefix length of the root
//	1   length n of an address, 4 or 16
//	3n  address of the root, of the invitee, of the coordinator
//	    texts: network's name, invitee's name
//	1   number of endpoints; of each the host as a text, then
//	2   its port
//	4   the start of the SHA-256 of all before it
//
// The first and the last of these stay in every version.
func (i *Invitation) Token() string {
	private := i.Key.Bytes()
	b := binary.BigEndian.AppendUint64([]byte{tokenVersion}, uint64(i.Expires.Unix()))
	b = append(append(b, private[:]...), i.Coordinator.PublicKey[:]...)
	b = binary.BigEndian.AppendUint16(b, i.Coordinator.APIPort)
	b = append(b, byte(i.Root.Bits()), byte(i.Address.BitLen()/8))
	for _, a := range []netip.Addr{i.Root.Addr(), i.Address, i.Coordinator.Address} {
		b = append(b, a.AsSlice()...)
	}
	b = appendText(appendText(b, i.Network), i.Name)
	b = append(b, byte(len(i.Coordinator.Endpoints)))
	for _, e := range i.Coordinator.Endpoints {
		host, port, _ := SplitEndpoint(e) // Check has seen it
		b = binary.BigEndian.AppendUint16(appendText(b, host), port)
	}
	return TokenPrefix + tokenAlphabet.EncodeToString(append(b, tokenSum(b)...))
}

func appendText(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }

func tokenSum(b []byte) []byte {
	sum := key.SHA256(b)
	return sum[:tokenSumSize]
}

// ParseInvitation reads a token. White space is ignored wherever it is, since
// mail programs wrap lines, and so is the case of letters. Only what Token
// writes is accepted, and only when it passes Check. Every error wraps
// ErrToken but those that copying again would not help: a token of another
// version, and one whose contents break a rule. No error tells the contents'
// keys.
func ParseInvitation(s string) (*Invitation, error) {
	b, err := decodeToken(s)
	if err != nil {
		return nil, err
	}
	if b[0] != tokenVersion {
		return nil, fmt.Errorf("invitation of version %d was made by a newer ginnel: install that one here too", b[0])
	}
	r := tokenReader{b: b[1:]}
	i := r.invitation()
	if r.failed || len(r.b) > 0 {
		return nil, fmt.Errorf("%w (its parts do not add up)", ErrToken)
	}
	if err := i.Check(); err != nil {
		return nil, fmt.Errorf("invitation: %w", err)
	}
	return i, nil
}

// decodeToken returns the bytes before the checksum, at least one.
func decodeToken(s string) ([]byte, error) {
	if len(s) > maxToken {
		return nil, fmt.Errorf("%w (it has %d bytes, which no invitation has)", ErrToken, len(s))
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return -1
		case 'A' <= r && r <= 'Z': // of ASCII only: elsewhere are letters that become ours
			return r - 'A' + 'a'
		}
		return r
	}, s)
	text, ok := strings.CutPrefix(s, TokenPrefix)
	if !ok {
		return nil, fmt.Errorf("%w (it does not start so)", ErrToken)
	}
	b, err := tokenAlphabet.DecodeString(text)
	if err != nil || len(b) <= tokenSumSize || tokenAlphabet.EncodeToString(b) != text {
		return nil, fmt.Errorf("%w (a character is missing, added or changed)", ErrToken)
	}
	b, sum := b[:len(b)-tokenSumSize], b[len(b)-tokenSumSize:]
	if !bytes.Equal(sum, tokenSum(b)) {
		return nil, fmt.Errorf("%w (its checksum does not match)", ErrToken)
	}
	return b, nil
}

// tokenReader takes a token's bytes apart. After a failure it gives zeros.
type tokenReader struct {
	b      []byte
	failed bool
}

func (r *tokenReader) invitation() *Invitation {
	var i Invitation
	i.Expires = time.Unix(int64(binary.BigEndian.Uint64(r.take(8))), 0).UTC()
	i.Key = r.privateKey()
	i.Coordinator.PublicKey = key.PublicKey(r.take(key.Size))
	i.Coordinator.APIPort = r.uint16()
	bits, size := int(r.take(1)[0]), int(r.take(1)[0])
	if size != 4 && size != 16 {
		r.failed = true
		return &i
	}
	i.Root = netip.PrefixFrom(r.addr(size), bits)
	i.Address = r.addr(size)
	i.Coordinator.Address = r.addr(size)
	i.Network, i.Name = r.text(), r.text()
	for range r.take(1)[0] {
		host := r.text()
		i.Coordinator.Endpoints = append(i.Coordinator.Endpoints, joinEndpoint(host, r.uint16()))
	}
	return &i
}

// take returns the next n bytes; zeros when there are fewer.
func (r *tokenReader) take(n int) []byte {
	if r.failed || len(r.b) < n {
		r.failed = true
		return make([]byte, n)
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *tokenReader) uint16() uint16 { return binary.BigEndian.Uint16(r.take(2)) }

func (r *tokenReader) text() string { return string(r.take(int(r.take(1)[0]))) }

// addr returns an address of 4 or 16 bytes.
func (r *tokenReader) addr(size int) netip.Addr {
	a, _ := netip.AddrFromSlice(r.take(size)) // 4 and 16 never fail
	return a
}

// privateKey refuses a key that is not clamped: Token writes none.
func (r *tokenReader) privateKey() key.PrivateKey {
	b := [key.Size]byte(r.take(key.Size))
	k := key.NewPrivate(b)
	if k.Bytes() != b {
		r.failed = true
	}
	return k
}
