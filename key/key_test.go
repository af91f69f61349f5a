package key_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"ginnel/key"
)

// private returns a fixed private key made of b.
func private(b byte) key.PrivateKey {
	return key.NewPrivate([key.Size]byte(bytes.Repeat([]byte{b}, key.Size)))
}

// TestPublic uses the first vector of RFC 7748, section 6.1: its scalar is
// unclamped, which the public half does not depend on.
func TestPublic(t *testing.T) {
	alice := [key.Size]byte{0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
		0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a}
	const want = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
	if got := fmt.Sprintf("%x", [key.Size]byte(key.NewPrivate(alice).Public())); got != want {
		t.Errorf("public half is %s, want %s", got, want)
	}
	if !(key.PrivateKey{}).Public().IsZero() {
		t.Error("the zero private key has a public half")
	}
}

func TestPrivateKeysAreClamped(t *testing.T) {
	got := private(0xff).Bytes()
	if got[0] != 0xf8 || got[31] != 0x7f {
		t.Errorf("clamped key starts %x and ends %x, want f8 and 7f", got[0], got[31])
	}
	if again := key.NewPrivate(got); !again.Equal(private(0xff)) {
		t.Error("clamping twice changes the key")
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	k := private(7)
	token, err := k.Token(private(9).Public(), "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		if s := fmt.Sprintf(verb, k); s != "key.PrivateKey(redacted)" {
			t.Errorf("%s prints a private key as %s", verb, s)
		}
		if s := fmt.Sprintf(verb, token); s != "key.Token(redacted)" {
			t.Errorf("%s prints a token as %s", verb, s)
		}
	}
	// fmt calls no methods of what lies in unexported fields.
	hidden := struct {
		k    key.PrivateKey
		t    key.Token
		deep *struct{ k key.PrivateKey }
	}{k, token, &struct{ k key.PrivateKey }{k}}
	secret, revealed := k.Bytes(), token.Reveal()
	raw, _ := base64.RawURLEncoding.DecodeString(revealed)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		s := fmt.Sprintf(verb, hidden) + fmt.Sprintf(verb, *hidden.deep) + fmt.Sprintf(verb, &hidden)
		for _, b := range [][]byte{secret[:], raw} {
			inner := fmt.Sprintf(verb, b)
			if strings.Contains(s, inner[len(inner)/3:len(inner)*2/3]) {
				t.Errorf("%s prints a secret: %s", verb, s)
			}
		}
	}
	if _, err := json.Marshal(struct{ K key.PrivateKey }{k}); err == nil {
		t.Error("a private key can be marshalled")
	}
}

func TestParsePublic(t *testing.T) {
	good := private(3).Public()
	if got, err := key.ParsePublic(good.String()); err != nil || got != good {
		t.Errorf("a printed key reads as %v, %v", got, err)
	}
	for name, s := range map[string]string{
		"empty":         "",
		"short":         good.String()[1:],
		"not base64":    strings.Repeat("!", 44),
		"trailing bits": good.String()[:42] + "9=",
		"url alphabet":  strings.Repeat("-_", 21) + "A=",
		"zero":          key.PublicKey{}.String(),
		"order 1":       key.PublicKey{1}.String(),
		"order 8":       "4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=",
	} {
		if k, err := key.ParsePublic(s); err == nil {
			t.Errorf("%s: %q is accepted as %v", name, s, k)
		}
	}
	if _, err := key.ParsePublic(key.PublicKey{1}.String()); !errors.Is(err, key.ErrWeak) {
		t.Errorf("a point of low order: %v, want ErrWeak", err)
	}
}

func TestPublicKeyAsText(t *testing.T) {
	for _, k := range []key.PublicKey{{}, private(5).Public()} {
		b, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		got := key.PublicKey{1, 2, 3}
		if err := json.Unmarshal(b, &got); err != nil || got != k {
			t.Errorf("%s reads as %v, %v; want %v", b, got, err, k)
		}
	}
}

func TestToken(t *testing.T) {
	a, b, c := private(1), private(2), private(3)
	mine, err := a.Token(b.Public(), "x")
	if err != nil {
		t.Fatal(err)
	}
	yours, err := b.Token(a.Public(), "x")
	if err != nil || !mine.Equal(yours) {
		t.Errorf("both ends derive different tokens (%v)", err)
	}
	if other, _ := c.Token(b.Public(), "x"); other.Equal(yours) {
		t.Error("another peer derives the same token")
	}
	if other, _ := a.Token(b.Public(), "y"); other.Equal(mine) {
		t.Error("another purpose gives the same token")
	}
	if got, err := key.ParseToken(mine.Reveal()); err != nil || !got.Equal(mine) {
		t.Errorf("a revealed token does not read back: %v", err)
	}
	for _, s := range []string{"", "AAAA", mine.Reveal() + "A", strings.Repeat("!", 43)} {
		if _, err := key.ParseToken(s); err == nil {
			t.Errorf("%q is accepted as a token", s)
		}
	}
	if _, err := a.Token(key.PublicKey{}, "x"); !errors.Is(err, key.ErrWeak) {
		t.Errorf("a token with the zero key: %v, want ErrWeak", err)
	}
}

func TestGenerate(t *testing.T) {
	k, err := key.Generate(rand.Reader)
	if err != nil || k.IsZero() || k.Public().Check() != nil {
		t.Errorf("a generated key is not usable: %v", err)
	}
	if _, err := key.Generate(bytes.NewReader(make([]byte, key.Size-1))); err == nil {
		t.Error("31 bytes of randomness are enough")
	}
}

func TestCompare(t *testing.T) {
	if (key.PublicKey{1}).Compare(key.PublicKey{2}) >= 0 || (key.PublicKey{0, 2}).Compare(key.PublicKey{0, 1}) <= 0 || (key.PublicKey{9}).Compare(key.PublicKey{9}) != 0 {
		t.Error("keys are not ordered by their bytes")
	}
}
