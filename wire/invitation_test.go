package wire_test

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"ginnel/key"
	"ginnel/wire"
)

// publicKey returns the n-th of a row of good keys.
func publicKey(n byte) key.PublicKey { return key.NewPrivate([key.Size]byte{n, 1: 1}).Public() }

func invitation() *wire.Invitation {
	return &wire.Invitation{
		Network: "home",
		Root:    netip.MustParsePrefix("10.42.0.0/16"),
		Address: netip.MustParseAddr("10.42.1.7"),
		Name:    "laptop-7",
		Key:     key.NewPrivate([key.Size]byte{1, 2, 3}),
		Coordinator: wire.InvitingPeer{
			Address:   netip.MustParseAddr("10.42.0.1"),
			PublicKey: publicKey(8),
			APIPort:   51820,
			Endpoints: []string{"vpn.example.net:51820", "203.0.113.5:51820", "[2001:db8::1]:443"},
		},
		Expires: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

func invitation6() *wire.Invitation {
	i := invitation()
	i.Root = netip.MustParsePrefix("fd00:42::/48")
	i.Address = netip.MustParseAddr("fd00:42::7")
	i.Coordinator.Address = netip.MustParseAddr("fd00:42::1")
	i.Coordinator.Endpoints = i.Coordinator.Endpoints[:1]
	return i
}

func TestTokenRoundTrip(t *testing.T) {
	for _, want := range []*wire.Invitation{invitation(), invitation6()} {
		token := want.Token()
		if strings.Trim(token, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			t.Errorf("token %s has other characters than lower-case letters and digits", token)
		}
		got, err := wire.ParseInvitation(token)
		if err != nil {
			t.Fatal(err)
		}
		if !sameInvitation(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

// sameInvitation compares with the key's own comparison; reflection would call
// every key different.
func sameInvitation(a, b *wire.Invitation) bool {
	x, y := *a, *b
	x.Key, y.Key = key.PrivateKey{}, key.PrivateKey{}
	return a.Key.Equal(b.Key) && reflect.DeepEqual(x, y)
}

// TestTokenGolden keeps the format: tokens of older coordinators stay valid.
func TestTokenGolden(t *testing.T) {
	b, err := os.ReadFile("testdata/invitation1.token")
	if err != nil {
		t.Fatal(err)
	}
	golden := strings.TrimSpace(string(b))
	if got := invitation().Token(); got != golden {
		t.Errorf("the format has changed: got %s, want %s", got, golden)
	}
	got, err := wire.ParseInvitation(golden)
	if err != nil || !sameInvitation(got, invitation()) {
		t.Errorf("golden token reads as %+v, %v", got, err)
	}
}

func TestTokenAsPeoplePasteIt(t *testing.T) {
	token := invitation().Token()
	for name, s := range map[string]string{
		"upper case":      strings.ToUpper(token),
		"surrounded":      "\r\n\t " + token + " \n",
		"wrapped":         token[:70] + "\r\n" + token[70:140] + "\n  " + token[140:],
		"non-break space": token[:9] + "\u00a0" + token[9:],
	} {
		if got, err := wire.ParseInvitation(s); err != nil || !sameInvitation(got, invitation()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTokenDamaged(t *testing.T) {
	token := invitation().Token()
	bad := map[string]string{
		"empty":       "",
		"prefix":      wire.TokenPrefix,
		"other":       "hello",
		"cut":         token[:len(token)-1],
		"half":        token[:len(token)/2],
		"twice":       token + token,
		"padded":      token + "=",
		"letter more": token + "a",
		"kelvin sign": strings.Replace(token, "k", "\u212a", 1),
		"huge":        wire.TokenPrefix + strings.Repeat("a", 1<<20),
	}
	for i := range token { // every single letter changed
		c := byte('a')
		if token[i] == c {
			c = 'b'
		}
		bad[fmt.Sprint("letter ", i)] = token[:i] + string(c) + token[i+1:]
	}
	for name, s := range bad {
		if _, err := wire.ParseInvitation(s); !errors.Is(err, wire.ErrToken) {
			t.Errorf("%s: got %v, want ErrToken", name, err)
		}
	}
}

// reseal returns the token of other bytes with a right checksum; of what is
// not base32, what it was given.
func reseal(token string, change func([]byte) []byte) string {
	enc := base32.StdEncoding.WithPadding(base32.NoPadding)
	b, err := enc.DecodeString(strings.ToUpper(strings.TrimPrefix(token, wire.TokenPrefix)))
	if err != nil || len(b) < 4 {
		return token
	}
	b = change(b[:len(b)-4])
	sum := sha256.Sum256(b)
	return wire.TokenPrefix + strings.ToLower(enc.EncodeToString(append(b, sum[:4]...)))
}

func TestTokenSealedNonsense(t *testing.T) {
	for name, test := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"newer version":  {func(b []byte) []byte { b[0] = 2; return b }, "newer ginnel"},
		"version alone":  {func(b []byte) []byte { return []byte{9} }, "newer ginnel"},
		"byte more":      {func(b []byte) []byte { return append(b, 0) }, "add up"},
		"byte less":      {func(b []byte) []byte { return b[:len(b)-1] }, "add up"},
		"empty":          {func(b []byte) []byte { return b[:1] }, "add up"},
		"not clamped":    {func(b []byte) []byte { b[9] |= 1; return b }, "add up"},
		"address size":   {func(b []byte) []byte { b[76] = 5; return b }, "add up"},
		"weak key":       {func(b []byte) []byte { clear(b[41:73]); return b }, "low order"},
		"root too small": {func(b []byte) []byte { b[75] = 33; return b }, "root"},
		"far expiry": {func(b []byte) []byte {
			binary.BigEndian.PutUint64(b[1:], 1<<62)
			return b
		}, "expiry"},
	} {
		_, err := wire.ParseInvitation(reseal(invitation().Token(), test.change))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, test.want)
		}
	}
}

func TestInvitationCheck(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*wire.Invitation)
		want  string
	}{
		"network's name":   {func(i *wire.Invitation) { i.Network = "Home" }, "network: name"},
		"long network":     {func(i *wire.Invitation) { i.Network = "abcdefghijklmnop" }, "want 1 to 15"},
		"name":             {func(i *wire.Invitation) { i.Name = "a--b" }, "invitee: name"},
		"no root":          {func(i *wire.Invitation) { i.Root = netip.Prefix{} }, "root CIDR is missing"},
		"host bits":        {func(i *wire.Invitation) { i.Root = netip.MustParsePrefix("10.42.0.1/16") }, "want 10.42.0.0/16"},
		"outside":          {func(i *wire.Invitation) { i.Address = netip.MustParseAddr("10.43.0.1") }, "inside the root"},
		"other family":     {func(i *wire.Invitation) { i.Address = netip.MustParseAddr("fd00::1") }, "inside the root"},
		"coordinator":      {func(i *wire.Invitation) { i.Coordinator.Address = netip.MustParseAddr("1.2.3.4") }, "inside the root"},
		"one for both":     {func(i *wire.Invitation) { i.Coordinator.Address = i.Address }, "same address"},
		"no key":           {func(i *wire.Invitation) { i.Key = key.PrivateKey{} }, "temporary key"},
		"no public key":    {func(i *wire.Invitation) { i.Coordinator.PublicKey = key.PublicKey{} }, "low order"},
		"no port":          {func(i *wire.Invitation) { i.Coordinator.APIPort = 0 }, "port is 0"},
		"no endpoint":      {func(i *wire.Invitation) { i.Coordinator.Endpoints = nil }, "0 endpoints"},
		"many endpoints":   {func(i *wire.Invitation) { i.Coordinator.Endpoints = make([]string, 9) }, "9 endpoints"},
		"bad endpoint":     {func(i *wire.Invitation) { i.Coordinator.Endpoints = []string{"a b:1"} }, "endpoint \"a b:1\""},
		"no expiry":        {func(i *wire.Invitation) { i.Expires = time.Time{} }, "expiry"},
		"split second":     {func(i *wire.Invitation) { i.Expires = i.Expires.Add(1) }, "whole seconds"},
		"beyond all years": {func(i *wire.Invitation) { i.Expires = time.Unix(1<<40, 0) }, "expiry"},
	} {
		i := invitation()
		test.spoil(i)
		if err := i.Check(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, test.want)
		}
		if _, err := wire.ParseInvitation(i.Token()); err == nil && name != "split second" {
			t.Errorf("%s: its token is accepted", name)
		}
	}
}

func FuzzParseInvitation(f *testing.F) {
	f.Add(invitation().Token(), false)
	f.Add(invitation6().Token(), true)
	f.Add("ginnel1", true)
	f.Fuzz(func(t *testing.T, s string, seal bool) {
		if seal && strings.HasPrefix(s, wire.TokenPrefix) { // get past the checksum
			s = reseal(s, func(b []byte) []byte { return b })
		}
		i, err := wire.ParseInvitation(s)
		if err != nil {
			return
		}
		again, err := wire.ParseInvitation(i.Token())
		if err != nil || !sameInvitation(i, again) {
			t.Errorf("%q reads as %+v, whose token reads as %+v, %v", s, i, again, err)
		}
	})
}
