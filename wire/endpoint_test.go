package wire_test

import (
	"net/netip"
	"strings"
	"testing"

	"ginnel/wire"
)

func TestCheckLabel(t *testing.T) {
	for _, s := range []string{"a", "7", "ci-servers", "a-b-c", strings.Repeat("x", 63)} {
		if err := wire.CheckLabel(s, wire.MaxName); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []string{"", "-", "-a", "a-", "a--b", "A", "a_b", "a.b", "ä", "a b", "a\n", strings.Repeat("x", 64)} {
		if wire.CheckLabel(s, wire.MaxName) == nil {
			t.Errorf("label %q is accepted", s)
		}
	}
}

func TestSplitEndpoint(t *testing.T) {
	long := strings.Repeat(strings.Repeat("a", 62)+".", 4)
	for s, want := range map[string]string{
		"vpn.example.net:51820": "vpn.example.net",
		"Host:1":                "Host",
		"host.:65535":           "host.",
		"xn--bcher-kva.de:80":   "xn--bcher-kva.de",
		"203.0.113.5:443":       "203.0.113.5",
		"[2001:db8::1]:443":     "2001:db8::1",
		"1.2.3.4.example:1":     "1.2.3.4.example",
		long + "a:1":            long + "a",
	} {
		if host, port, err := wire.SplitEndpoint(s); err != nil || host != want || port == 0 {
			t.Errorf("%s: got %s, %d, %v", s, host, port, err)
		}
	}
	for _, s := range []string{
		"", ":", ":1", "host", "host:", "host:0", "host:65536", "host:01", "host:+1", "host:-1", "host:1 ", "host:http",
		" host:1", "ho st:1", "host..:1", ".:1", ".host:1", "a..b:1", "-a:1", "a-:1", "a_b:1", "user@host:1", "http://host:1",
		"1.2.3:1", "1.2.3.4.:1", "300.1.1.1:1", "1.2.3.04:1", "12:1",
		"::1:1", "[::1]", "[::1:1", "::1]:1", "[fe80::1%eth0]:1", "[1.2.3.4]:1", "[host]:1", "[]:1", "[[::1]]:1",
		strings.Repeat("a", 64) + ":1", long + "aaa:1", "h\x00st:1", "höst:1",
	} {
		if host, port, err := wire.SplitEndpoint(s); err == nil {
			t.Errorf("endpoint %q is accepted as %q, %d", s, host, port)
		}
	}
}

// TestBehaviour63AnnouncedForms: a peer announces a name, an address, or only a
// port, which has three spellings; what no other machine can use is refused.
func TestBehaviour63AnnouncedForms(t *testing.T) {
	for s, want := range map[string]string{
		"vpn.example.net:51820": "vpn.example.net", "203.0.113.5:443": "203.0.113.5", "192.168.1.4:1": "192.168.1.4",
		"[2001:db8::1]:443": "2001:db8::1", ":51820": "", "0.0.0.0:51820": "", "[::]:51820": "",
	} {
		if host, port, err := wire.SplitAnnounced(s); err != nil || host != want || port == 0 {
			t.Errorf("%s: got %s, %d, %v", s, host, port, err)
		}
	}
	for _, s := range []string{
		"", ":", ":0", ":65536", ":01", ":a", "51820", "host", "127.0.0.1:1", "[::1]:1", "224.0.0.1:1", "169.254.1.1:1",
		"[fe80::1]:1", "[ff02::1]:1", "255.255.255.255:1", "0.0.0.0:0", "a_b:1",
	} {
		if host, port, err := wire.SplitAnnounced(s); err == nil {
			t.Errorf("announced endpoint %q is accepted as %q, %d", s, host, port)
		}
	}
}

func TestCheckEndpoints(t *testing.T) {
	nine := make([]string, 9)
	for i := range nine {
		nine[i] = "vpn.example.net:" + string(rune('1'+i))
	}
	for _, good := range [][]string{nine[:1], nine[:8]} {
		if err := wire.CheckEndpoints(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range [][]string{nil, {}, nine, {"x:1", "x:1"}, {"x:1", "x"}, {":1"},
		{"127.0.0.1:1"}, {"0.0.0.0:1"}, {"169.254.0.7:1"}, {"224.0.0.1:1"}, {"255.255.255.255:1"}, {"x:1", "[::1]:1"}, {"[::]:1"}, {"[fe80::1]:1"}, {"[ff02::1]:1"},
		{"[::ffff:127.0.0.1]:1"}} {
		if wire.CheckEndpoints(bad) == nil {
			t.Errorf("endpoints %q are accepted", bad)
		}
	}
}

func TestCheckUnderlay(t *testing.T) {
	for _, s := range []string{"192.0.2.1:1", "127.0.0.1:51820", "[fe80::1]:2", "[2001:db8::1]:65535"} {
		if err := wire.CheckUnderlay(netip.MustParseAddrPort(s)); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []string{"192.0.2.1:0", "0.0.0.0:1", "[::]:1", "224.0.0.1:1", "[ff02::1]:1", "255.255.255.255:1", "[::ffff:192.0.2.1]:1", "[fe80::1%2]:1"} {
		if wire.CheckUnderlay(netip.MustParseAddrPort(s)) == nil {
			t.Errorf("underlay endpoint %s is accepted", s)
		}
	}
	if wire.CheckUnderlay(netip.AddrPort{}) == nil {
		t.Error("the zero endpoint is accepted")
	}
}
