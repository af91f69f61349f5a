package key

import (
	"errors"
	"math/big"
	"testing"
)

// number writes n as a key, little-endian.
func number(n *big.Int) (k PublicKey) {
	n.FillBytes(k[:])
	for i := range Size / 2 {
		k[i], k[Size-1-i] = k[Size-1-i], k[i]
	}
	return k
}

// hasNoSecret asks X25519 itself, which refuses points of low order, for it is
// the expensive and certain answer.
func hasNoSecret(k PublicKey) bool {
	_, err := NewPrivate([Size]byte{1}).shared(k)
	return err != nil
}

// TestWeakAsX25519Says compares the table with multiplication: each of its
// points, their neighbours, and both ways to write bit 255.
func TestWeakAsX25519Says(t *testing.T) {
	weak := 0
	for _, point := range lowOrder {
		for step := range 5 {
			k := point
			k[0] += byte(step - 2)
			for range 2 {
				k[Size-1] ^= 0x80
				if got, want := errors.Is(k.Check(), ErrWeak), hasNoSecret(k); got != want {
					t.Errorf("%x: weak %v, want %v", k, got, want)
				} else if got {
					weak++
				}
			}
		}
	}
	if weak < 2*len(lowOrder) {
		t.Errorf("%d weak keys were found", weak)
	}
}

// TestAliases checks that of all numbers that mean a key one only is accepted.
func TestAliases(t *testing.T) {
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	token := func(k PublicKey) Token {
		secret, err := NewPrivate([Size]byte{1}).Token(k, "x")
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	for n := int64(2); n < 19; n++ {
		k, alias := number(big.NewInt(n)), number(new(big.Int).Add(p, big.NewInt(n)))
		if !token(k).Equal(token(alias)) {
			t.Fatalf("%d and p+%d are different keys", n, n)
		}
		if k.Check() != nil || !errors.Is(alias.Check(), ErrAlias) {
			t.Errorf("%d: %v; p+%d: %v", n, k.Check(), n, alias.Check())
		}
	}
	k := NewPrivate([Size]byte{7}).Public()
	high := k
	high[Size-1] |= 0x80
	if !token(k).Equal(token(high)) {
		t.Fatal("bit 255 makes another key")
	}
	if k.Check() != nil || !errors.Is(high.Check(), ErrAlias) {
		t.Errorf("a key: %v; with bit 255: %v", k.Check(), high.Check())
	}
	if below := number(new(big.Int).Sub(p, big.NewInt(2))); below.Check() != nil {
		t.Errorf("p-2: %v", below.Check())
	}
}

// TestCheckIsCheap keeps multiplication out of the check: it allocates.
func TestCheckIsCheap(t *testing.T) {
	k := NewPrivate([Size]byte{7}).Public()
	if n := testing.AllocsPerRun(100, func() { k.Check() }); n != 0 {
		t.Errorf("a check allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { hasNoSecret(k) }); n == 0 {
		t.Error("multiplication allocates nothing any more: find another sign of it")
	}
}
