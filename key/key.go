// Package key holds WireGuard's key types.
//
// A [PrivateKey] is clamped when it is made (RFC 7748, section 5), because the
// kernel clamps what it stores: an unclamped key would never compare equal to
// what is read back, and setting it again would expire every session. It can
// be neither compared with == nor printed. A [PublicKey] is a plain comparable
// value that prints as base64, as wg(8) does.
package key

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// Size is the length of every key in bytes.
const Size = 32

// ErrWeak is returned for a public key with which no secret can be agreed: the
// points of low order, of which zero is one (RFC 7748, section 6.1).
var ErrWeak = errors.New("public key is a point of low order: generate a new key pair")

// PublicKey is a Curve25519 public key. The zero value means "none".
type PublicKey [Size]byte

// ParsePublic reads the 44 characters of standard base64 that wg(8) prints.
// It refuses everything else, and points of low order with ErrWeak.
func ParsePublic(s string) (PublicKey, error) {
	var k PublicKey
	if len(s) != base64.StdEncoding.EncodedLen(Size) {
		return k, fmt.Errorf("public key has %d characters, want %d of base64", len(s), base64.StdEncoding.EncodedLen(Size))
	}
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return k, fmt.Errorf("public key is not base64: %w", err)
	}
	if len(b) != Size {
		return k, fmt.Errorf("public key has %d bytes, want %d", len(b), Size)
	}
	k = PublicKey(b)
	return k, k.Check()
}

// IsZero tells whether k is the zero value, "none".
func (k PublicKey) IsZero() bool { return k == PublicKey{} }

// Check returns ErrWeak when k is a point of low order.
func (k PublicKey) Check() error {
	if _, err := probe.shared(k); err != nil {
		return ErrWeak
	}
	return nil
}

// Compare orders keys by their bytes, for slices.SortFunc and merges.
func (k PublicKey) Compare(o PublicKey) int {
	for i := range k {
		if k[i] != o[i] {
			return int(k[i]) - int(o[i])
		}
	}
	return 0
}

// String returns standard base64.
func (k PublicKey) String() string { return base64.StdEncoding.EncodeToString(k[:]) }

// MarshalText writes base64; the zero key is the empty text.
func (k PublicKey) MarshalText() ([]byte, error) {
	if k.IsZero() {
		return []byte{}, nil
	}
	return []byte(k.String()), nil
}

// UnmarshalText reads what MarshalText wrote, with the checks of ParsePublic.
func (k *PublicKey) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*k = PublicKey{}
		return nil
	}
	p, err := ParsePublic(string(b))
	if err != nil {
		return err
	}
	*k = p
	return nil
}

// PrivateKey is a clamped Curve25519 private key. The zero value means "none".
// It prints as "key.PrivateKey(redacted)" with every verb.
type PrivateKey struct {
	_ [0]func() // forbids ==
	k [Size]byte
}

// probe is a fixed, public scalar that Check multiplies with.
var probe = NewPrivate([Size]byte{1})

// NewPrivate clamps b into a private key.
func NewPrivate(b [Size]byte) PrivateKey {
	b[0] &= 248
	b[31] = b[31]&127 | 64
	return PrivateKey{k: b}
}

// Generate draws a private key from rnd, usually crypto/rand.Reader. It reads
// exactly 32 bytes.
func Generate(rnd io.Reader) (PrivateKey, error) {
	var b [Size]byte
	if _, err := io.ReadFull(rnd, b[:]); err != nil {
		return PrivateKey{}, fmt.Errorf("draw a private key: %w", err)
	}
	return NewPrivate(b), nil
}

// IsZero tells whether k is the zero value, "none".
func (k PrivateKey) IsZero() bool { return k.k == [Size]byte{} }

// Equal compares in constant time.
func (k PrivateKey) Equal(o PrivateKey) bool {
	return subtle.ConstantTimeCompare(k.k[:], o.k[:]) == 1
}

// Bytes reveals the key, for storing it and for handing it to WireGuard.
func (k PrivateKey) Bytes() [Size]byte { return k.k }

// Public returns the public half; of the zero key, the zero key.
func (k PrivateKey) Public() PublicKey {
	if k.IsZero() {
		return PublicKey{}
	}
	return PublicKey(k.ecdh().PublicKey().Bytes())
}

// Format keeps the key out of every message.
func (PrivateKey) Format(f fmt.State, _ rune) { io.WriteString(f, "key.PrivateKey(redacted)") }

// MarshalText refuses: a private key leaves only through Bytes.
func (PrivateKey) MarshalText() ([]byte, error) {
	return nil, errors.New("a private key is not marshalled: store its Bytes")
}

// Token derives the secret that only the holders of k and of peer's private
// half can make: HKDF-SHA256 (RFC 5869) of their X25519 shared secret, with
// purpose as its info, so that tokens for different purposes are unrelated.
// It returns ErrWeak for a peer of low order.
func (k PrivateKey) Token(peer PublicKey, purpose string) (Token, error) {
	secret, err := k.shared(peer)
	if err != nil {
		return Token{}, ErrWeak
	}
	b, err := hkdf.Key(sha256.New, secret, nil, purpose, Size)
	if err != nil {
		return Token{}, fmt.Errorf("derive a token: %w", err)
	}
	return Token{k: [Size]byte(b)}, nil
}

func (k PrivateKey) ecdh() *ecdh.PrivateKey {
	p, err := ecdh.X25519().NewPrivateKey(k.k[:])
	if err != nil {
		panic("key: 32 bytes refused as an X25519 scalar: " + err.Error())
	}
	return p
}

func (k PrivateKey) shared(peer PublicKey) ([]byte, error) {
	p, err := ecdh.X25519().NewPublicKey(peer[:])
	if err != nil {
		return nil, err
	}
	return k.ecdh().ECDH(p)
}

// Token is a secret shared by two peers; see [PrivateKey.Token]. It prints as
// "key.Token(redacted)".
type Token struct {
	_ [0]func() // forbids ==
	k [Size]byte
}

// Equal compares in constant time.
func (t Token) Equal(o Token) bool { return subtle.ConstantTimeCompare(t.k[:], o.k[:]) == 1 }

// Reveal returns the token as unpadded URL-safe base64, for a request's header.
func (t Token) Reveal() string { return base64.RawURLEncoding.EncodeToString(t.k[:]) }

// ParseToken reads what Reveal wrote.
func ParseToken(s string) (Token, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != Size {
		return Token{}, errors.New("token is not 32 bytes of base64")
	}
	return Token{k: [Size]byte(b)}, nil
}

// Format keeps the token out of every message.
func (Token) Format(f fmt.State, _ rune) { io.WriteString(f, "key.Token(redacted)") }
