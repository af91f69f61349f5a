package key

import (
	"crypto/ecdh"
	"encoding/hex"
	"math/rand/v2"
	"testing"
)

// scalar clamps b.
func scalar(b [Size]byte) *[Size]byte {
	k := NewPrivate(b).Bytes()
	return &k
}

// TestX25519 runs the test of RFC 7748, section 5.2, that feeds results back.
func TestX25519(t *testing.T) {
	k, u := [Size]byte{9}, [Size]byte{9}
	for i := 1; i <= 1000; i++ {
		k, u = x25519(scalar(k), &u), k
		want, known := map[int]string{
			1:    "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
			1000: "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
		}[i]
		if got := hex.EncodeToString(k[:]); known && got != want {
			t.Errorf("after %d times it is %s, want %s", i, got, want)
		}
	}
}

// TestX25519AsGoDoesIt compares with crypto/ecdh, for random points and for
// those at the edges of the field.
func TestX25519AsGoDoesIt(t *testing.T) {
	seed := [Size]byte{'x'}
	rnd := rand.NewChaCha8(seed)
	points := make([][Size]byte, 500)
	for i := range points {
		rnd.Read(points[i][:])
	}
	for low := range 20 { // around 2^255-19, and around zero
		edge := [Size]byte{byte(0xed - 10 + low)}
		for i := 1; i < Size; i++ {
			edge[i] = 0xff
		}
		last := edge
		last[31] = 0x7f
		points = append(points, edge, last, [Size]byte{byte(low)})
	}
	for _, u := range points {
		var b [Size]byte
		rnd.Read(b[:])
		private, err := ecdh.X25519().NewPrivateKey(b[:])
		if err != nil {
			t.Fatal(err)
		}
		peer, err := ecdh.X25519().NewPublicKey(u[:])
		if err != nil {
			t.Fatal(err)
		}
		want, err := private.ECDH(peer)
		got := x25519(scalar(b), &u)
		if err != nil && got != [Size]byte{} || err == nil && string(got[:]) != string(want) {
			t.Errorf("of %x by %x it is %x, want %x, %v", u, b, got, want, err)
		}
		if public := NewPrivate(b).Public(); string(public[:]) != string(private.PublicKey().Bytes()) {
			t.Errorf("public half of %x is %x", b, public)
		}
	}
}
