package stun

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// The sample responses of RFC 5769, sections 2.2 and 2.3, without what follows
// the address.
var (
	sampleID = ID{0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae}
	software = "8022000b" + hex.EncodeToString([]byte("test vector")) + "20"
)

const (
	sampleV4 = "002000080001a147e112a643"
	sampleV6 = "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
)

// message makes one from the hexadecimal text of its attributes.
func message(t testing.TB, kind string, attributes ...string) []byte {
	t.Helper()
	body, err := hex.DecodeString(strings.Join(attributes, ""))
	if err != nil {
		t.Fatal(err)
	}
	head, err := hex.DecodeString(kind)
	if err != nil {
		t.Fatal(err)
	}
	head = append(head, byte(len(body)>>8), byte(len(body)), 0x21, 0x12, 0xa4, 0x42)
	return append(append(head, sampleID[:]...), body...)
}

func TestRequest(t *testing.T) {
	want, err := hex.DecodeString("000100002112a442b7e7a701bc34d686fa87dfae")
	if err != nil {
		t.Fatal(err)
	}
	if got := Request(sampleID); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestParse(t *testing.T) {
	for _, test := range []struct{ what, attributes, want string }{
		{"IPv4 of RFC 5769", software + sampleV4, "192.0.2.1:32853"},
		{"IPv6 of RFC 5769", software + sampleV6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"},
		{"an old server's", "0004000800010d96c0000205" + "0001000800018055c0000201", "192.0.2.1:32853"},
		{"both", "00010008000180550a000001" + sampleV4, "192.0.2.1:32853"},
	} {
		got, err := Parse(message(t, "0101", test.attributes), sampleID)
		if err != nil || got != netip.MustParseAddrPort(test.want) {
			t.Errorf("%s: %v, %v, want %s", test.what, got, err, test.want)
		}
	}
}

func TestRefuse(t *testing.T) {
	good := message(t, "0101", sampleV4)
	changed := func(i int, to byte) []byte {
		b := bytes.Clone(good)
		b[i] = to
		return b
	}
	for _, test := range []struct {
		what string
		b    []byte
		says string // empty: ErrForeign
	}{
		{"nothing", nil, ""},
		{"a request", Request(sampleID), ""},
		{"another's", changed(19, 0), ""},
		{"another protocol's", changed(4, 0), ""},
		{"cut off", good[:len(good)-1], "cut off"},
		{"another length", changed(3, 8), "cut off"},
		{"no attribute", message(t, "0101"), "no address"},
		{"another family", changed(25, 3), "no address"},
		{"a length of another family", changed(25, 2), "no address"},
		{"an attribute past the end", changed(23, 12), "no address"},
		{"a refusal", message(t, "0111", "0009000400000414"), "error 420"},
		{"a refusal without a reason", message(t, "0111"), "refused"},
	} {
		_, err := Parse(test.b, sampleID)
		if err == nil || errors.Is(err, ErrForeign) != (test.says == "") || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", test.what, err, test.says)
		}
	}
}

// FuzzParse: whatever comes, there is an answer or an error.
func FuzzParse(f *testing.F) {
	f.Add(message(f, "0101", software, sampleV4))
	f.Add(message(f, "0101", sampleV6))
	f.Add(message(f, "0111", "0009000400000414"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := Parse(b, sampleID)
		if (err == nil) != a.IsValid() {
			t.Errorf("%v with error %v", a, err)
		}
	})
}
