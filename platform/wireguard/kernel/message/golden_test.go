package message

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ginnel/key"
	"ginnel/platform"
)

// order is the byte order of the machine that runs the test, as the files of
// testdata name it.
func order() string {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return "le"
	}
	return "be"
}

var comment = regexp.MustCompile(`(?m)#.*$|[ \n]`)

// golden reads a file of hexadecimal paragraphs.
func golden(t testing.TB, path string) (paragraphs [][]byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range strings.Split(string(text), "\n\n") {
		b, err := hex.DecodeString(comment.ReplaceAllString(p, ""))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if len(b) > 0 {
			paragraphs = append(paragraphs, b)
		}
	}
	return paragraphs
}

// captured returns what kernels of this machine's byte order said.
func captured(t testing.TB, what string) map[string][][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/" + what + ".*." + order() + ".hex")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no testdata of %s: %v", what, err)
	}
	all := map[string][][]byte{}
	for _, p := range paths {
		all[strings.Split(filepath.Base(p), ".")[1]] = golden(t, p)
	}
	return all
}

// repeated is a key of one byte again and again.
func repeated(b byte) (k key.PublicKey) {
	for i := range k {
		k[i] = b
	}
	return k
}

func prefixes(texts ...string) (ps []netip.Prefix) {
	for _, s := range texts {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}

// zoned is an Encoder for whom zones are numbers.
func zoned() *Encoder {
	return &Encoder{Scope: func(zone string) (n uint32) {
		fmt.Sscan(zone, &n)
		return n
	}}
}

func zone(scope uint32) string { return fmt.Sprint(scope) }

func TestEncodeGolden(t *testing.T) {
	ones := [key.Size]byte{0: 8, 31: 0x41}
	for i := 1; i < 31; i++ {
		ones[i] = 1
	}
	const both = platform.SetEndpoint | platform.SetKeepalive
	full := platform.TunnelChange{
		Set:        platform.SetPrivateKey | platform.SetListenPort | platform.SetFwMark,
		PrivateKey: key.NewPrivate(ones), ListenPort: 51820, FwMark: 0xfe000001, ReplacePeers: true,
		Remove: []key.PublicKey{repeated(0x11)},
		Peers: []platform.PeerChange{
			{PublicKey: repeated(0x22), Set: both, Endpoint: netip.MustParseAddrPort("192.0.2.1:51821"), Keepalive: 25,
				AllowedIPs: prefixes("10.1.2.0/24", "fd00:1::/64"), ReplaceAllowedIPs: true},
			{PublicKey: repeated(0x33), Update: true, Set: platform.SetEndpoint, Endpoint: netip.MustParseAddrPort("[fe80::1%7]:258"), Keepalive: 9},
			{PublicKey: repeated(0x44), Set: both, Endpoint: netip.MustParseAddrPort("[::ffff:192.0.2.2]:1")},
			// A zone that is not here, and no endpoint at all, leave the endpoint.
			{PublicKey: repeated(0x55), Set: platform.SetEndpoint, Endpoint: netip.MustParseAddrPort("[fe80::1%nowhere]:1")},
		},
	}
	for i, want := range golden(t, "testdata/set."+order()+".hex") {
		e := zoned()
		change := []*platform.TunnelChange{&full, {PrivateKey: full.PrivateKey, ListenPort: 1, FwMark: 2}}[i]
		if err := e.Start(0x1234, 0x01020304, change); err != nil {
			t.Fatal(err)
		}
		if got := e.Next(); hex.EncodeToString(got) != hex.EncodeToString(want) {
			t.Errorf("message %d is\n%x\nwant\n%x", i, got, want)
		}
		if more := e.Next(); more != nil {
			t.Errorf("message %d is followed by %x", i, more)
		}
	}
}

// capturedHandshakes are of the one session in each of the captured dumps.
var capturedHandshakes = map[string]time.Time{
	"amd64":  time.Unix(1795274386, 35387099),
	"mipsle": time.Unix(1795274403, 693361762),
	"mips":   time.Unix(1795274858, 180873926),
}

// capturedState is what the captured dumps tell.
func capturedState(arch string) platform.TunnelState {
	s := platform.TunnelState{Backend: platform.Kernel, ListenPort: 40001, FwMark: 0xfe000001,
		PrivateKey: key.NewPrivate([key.Size]byte{8, 1, 2, 3, 31: 0x41}),
		Peers: []platform.Peer{
			{PublicKey: repeated(0x11), Endpoint: netip.MustParseAddrPort("[2001:db8::1]:65535"), Keepalive: 65535, AllowedIPs: prefixes("0.0.0.0/0")},
			{PublicKey: repeated(0x22), Endpoint: netip.MustParseAddrPort("[fe80::1%1]:258"), AllowedIPs: []netip.Prefix{}},
			{PublicKey: repeated(0x33)},
			{PublicKey: repeated(0x44), Endpoint: netip.MustParseAddrPort("127.0.0.1:9"), Keepalive: 25, AllowedIPs: prefixes("10.1.2.0/24", "fd00:1::/64"), Tx: 148},
			{PublicKey: key.NewPrivate([key.Size]byte{1: 5, 3: 9}).Public(), Endpoint: netip.MustParseAddrPort("127.0.0.1:40002"), Keepalive: 1,
				AllowedIPs: []netip.Prefix{}, LastHandshake: capturedHandshakes[arch], Rx: 92, Tx: 180},
		}}
	many := &s.Peers[2].AllowedIPs
	for i := range 150 {
		if i%3 == 0 {
			*many = append(*many, netip.PrefixFrom(netip.AddrFrom16([16]byte{0: 0xfd, 15: byte(i)}), 128))
		} else {
			*many = append(*many, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 2, 0, byte(i)}), 32))
		}
	}
	slices.SortFunc(*many, netip.Prefix.Compare)
	return s
}

// TestDecodeGolden reads what kernels said: a dump in two pieces, in the midst
// of a peer.
func TestDecodeGolden(t *testing.T) {
	for arch, datagrams := range captured(t, "dump") {
		if len(datagrams) < 2 {
			t.Fatalf("%s: the dump is in one piece", arch)
		}
		var s platform.TunnelState
		for range 2 {
			decode(t, &s, 7, datagrams)
			if want := capturedState(arch); !reflect.DeepEqual(s, want) {
				t.Errorf("%s: the state is\n%+v\nwant\n%+v", arch, s, want)
			}
		}
	}
}

// decode reads a whole dump.
func decode(t testing.TB, s *platform.TunnelState, sequence uint32, datagrams [][]byte) {
	t.Helper()
	d := Decoder{Zone: zone}
	d.Start(s)
	a := Answer{Sequence: sequence}
	for _, b := range datagrams {
		if a.Done {
			t.Fatal("the dump ended too soon")
		}
		if err := a.Take(b, &d); err != nil {
			t.Fatal(err)
		}
	}
	if !a.Done || a.Torn {
		t.Fatalf("done %v, torn %v", a.Done, a.Torn)
	}
	d.Finish()
}

// TestRefusalsGolden reads refusals of kernels, with and without explanation.
func TestRefusalsGolden(t *testing.T) {
	const enodev, einval = 19, 22
	want := []Refusal{{Errno: enodev}, {Errno: einval}, {einval, "invalid attribute length"}, {einval, "invalid attribute length"}}
	for arch, datagrams := range captured(t, "refusals") {
		for i, b := range datagrams {
			a := Answer{}
			err := a.Take(b, nil)
			if r, ok := err.(*Refusal); !ok || *r != want[i] || !a.Done {
				t.Errorf("%s: %v, done %v; want %v", arch, err, a.Done, want[i])
			}
		}
		if len(datagrams) != len(want) {
			t.Errorf("%s: %d refusals", arch, len(datagrams))
		}
	}
}
