// Package key holds WireGuard's key types.
//
// A [PrivateKey] is clamped when it is made (RFC 7748, section 5), because the
// kernel clamps what it stores: an unclamped key would never compare equal to
// what is read back, and setting it again would expire every session. It can
// be neither compared with == nor printed. A [PublicKey] is a plain comparable
// value that prints as base64, as wg(8) does.
package key

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// Size is the length of every key in bytes.
const Size = 32

// What is wrong with 32 bytes that are no usable public key.
var (
	// ErrWeak is returned for a key with which no secret can be agreed: the
	// points of low order, of which zero is one (RFC 7748, section 6.1).
	ErrWeak = errors.New("public key is a point of low order: generate a new key pair")
	// ErrAlias is returned for another way to write a key: X25519 ignores the
	// last bit and reduces modulo 2^255-19, so one key could be two peers'.
	ErrAlias = errors.New("public key is not written as WireGuard writes it: copy it again, from \"wg pubkey\"")
)

// PublicKey is a Curve25519 public key. The zero value means "none".
type PublicKey [Size]byte

// ParsePublic reads the 44 characters of standard base64 that wg(8) prints.
// It refuses everything else, and what [PublicKey.Check] refuses.
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

// Check returns ErrWeak when k is a point of low order, and ErrAlias when it is
// another way to write a key. It costs a few comparisons: every key that comes
// over the wire is checked.
func (k PublicKey) Check() error {
	switch {
	case k.isWeak():
		return ErrWeak
	case k.isAlias():
		return ErrAlias
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
// It prints as "key.PrivateKey(redacted)" with every verb; inside another
// type's unexported fields, where fmt calls no methods, as an address. Copies
// share the key's memory, which never changes.
type PrivateKey struct {
	_ [0]func()   // forbids ==
	k *[Size]byte // nil: none; behind a pointer, which fmt does not follow
}

// NewPrivate clamps b into a private key.
func NewPrivate(b [Size]byte) PrivateKey {
	b[0] &= 248
	b[31] = b[31]&127 | 64
	return PrivateKey{k: &b}
}

// Generate draws a private key from rnd, which is of cryptographic quality. It
// reads exactly 32 bytes.
func Generate(rnd io.Reader) (PrivateKey, error) {
	var b [Size]byte
	if _, err := io.ReadFull(rnd, b[:]); err != nil {
		return PrivateKey{}, fmt.Errorf("draw a private key: %w", err)
	}
	return NewPrivate(b), nil
}

// IsZero tells whether k is the zero value, "none".
func (k PrivateKey) IsZero() bool { return k.k == nil }

// Equal compares in constant time.
func (k PrivateKey) Equal(o PrivateKey) bool {
	return equal(k.k, o.k)
}

// Bytes reveals the key, for storing it and for handing it to WireGuard; of
// the zero key zeros.
func (k PrivateKey) Bytes() [Size]byte { return reveal(k.k) }

// Public returns the public half; of the zero key, the zero key.
func (k PrivateKey) Public() PublicKey {
	if k.IsZero() {
		return PublicKey{}
	}
	secret := k.Bytes()
	return x25519(&secret, &[Size]byte{9})
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
	b := hkdf(secret, purpose)
	return Token{k: &b}, nil
}

func (k PrivateKey) shared(peer PublicKey) ([]byte, error) {
	secret, public := k.Bytes(), [Size]byte(peer)
	shared := x25519(&secret, &public)
	if shared == [Size]byte{} {
		return nil, ErrWeak
	}
	return shared[:], nil
}

// Token is a secret shared by two peers; see [PrivateKey.Token]. The zero value
// is 32 zero bytes, which nobody derives. It prints as "key.Token(redacted)",
// and is kept out of sight as a [PrivateKey] is.
type Token struct {
	_ [0]func()   // forbids ==
	k *[Size]byte // nil: zeros
}

// Equal compares in constant time.
func (t Token) Equal(o Token) bool { return equal(t.k, o.k) }

// Reveal returns the token as unpadded URL-safe base64, for a request's header.
func (t Token) Reveal() string {
	b := reveal(t.k)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// ParseToken reads what Reveal wrote.
func ParseToken(s string) (Token, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != Size {
		return Token{}, errors.New("token is not 32 bytes of base64")
	}
	return Token{k: (*[Size]byte)(b)}, nil
}

// Format keeps the token out of every message.
func (Token) Format(f fmt.State, _ rune) { io.WriteString(f, "key.Token(redacted)") }

// reveal returns the secret behind k; nil: zeros.
func reveal(k *[Size]byte) (b [Size]byte) {
	if k != nil {
		b = *k
	}
	return b
}

// equal compares two secrets in constant time.
func equal(a, b *[Size]byte) bool {
	x, y := reveal(a), reveal(b)
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
