package key

import (
	"bytes"
	gohkdf "crypto/hkdf"
	gohmac "crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"testing"
)

// TestSHA256 has the examples of FIPS 180-4.
func TestSHA256(t *testing.T) {
	for text, want := range map[string]string{
		"":    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
	} {
		if sum := SHA256([]byte(text)); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%q: %x, want %s", text, sum, want)
		}
	}
}

// TestSHA256AsGoDoesIt compares with crypto/sha256, for every length around the
// edges of blocks, and that of HMAC and HKDF with theirs.
func TestSHA256AsGoDoesIt(t *testing.T) {
	rnd := rand.NewChaCha8([32]byte{'h'})
	for n := range 5 * block {
		b, secret := make([]byte, n), make([]byte, n%(block+1))
		rnd.Read(b)
		rnd.Read(secret)
		before := bytes.Clone(b)
		if got, want := SHA256(b), sha256.Sum256(b); got != want {
			t.Fatalf("%d bytes: %x, want %x", n, got, want)
		}
		m := gohmac.New(sha256.New, secret)
		m.Write(b)
		if got, want := hmac(secret, b), m.Sum(nil); !bytes.Equal(got[:], want) {
			t.Fatalf("HMAC of %d bytes: %x, want %x", n, got, want)
		}
		want, err := gohkdf.Key(sha256.New, b, nil, string(secret), Size)
		if err != nil {
			t.Fatal(err)
		}
		if got := hkdf(b[:min(n, block)], string(secret)); n <= block && !bytes.Equal(got[:], want) {
			t.Fatalf("HKDF of %d bytes: %x, want %x", n, got, want)
		}
		if !bytes.Equal(b, before) {
			t.Fatalf("%d bytes were changed", n)
		}
	}
}

// FuzzSHA256 compares with crypto/sha256.
func FuzzSHA256(f *testing.F) {
	f.Add([]byte("abc"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, want := SHA256(b), sha256.Sum256(b); got != want {
			t.Fatalf("%x, want %x", got, want)
		}
	})
}
