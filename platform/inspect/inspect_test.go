package inspect

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ginnel/platform"
	"ginnel/platform/platformtest"
)

func TestRouteTo(t *testing.T) {
	platformtest.Namespace(t)
	for _, a := range []string{"127.0.0.1", "::1"} {
		r, err := New().RouteTo(netip.MustParseAddr(a))
		if err != nil || r.Link != "lo" || r.MTU < 65535 || r.Source != netip.MustParseAddr(a) {
			t.Errorf("to %s: %+v, %v", a, r, err)
		}
	}
	for _, a := range []string{"192.0.2.1", "2001:db8::1"} {
		if r, err := New().RouteTo(netip.MustParseAddr(a)); !errors.Is(err, platform.ErrNotExist) {
			t.Errorf("to %s: %+v, %v", a, r, err)
		}
	}
}

func TestKnock(t *testing.T) {
	platformtest.Namespace(t)
	l, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for at, want := range map[string]platform.Echo{
		l.LocalAddr().String(): platform.EchoSilence,
		"127.0.0.1:9":          platform.EchoRefused,
		"[::1]:9":              platform.EchoRefused,
		"192.0.2.1:9":          platform.EchoUnreachable,
		"[2001:db8::1]:9":      platform.EchoUnreachable,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if got, err := New().Knock(ctx, netip.MustParseAddrPort(at)); got != want || err != nil {
			t.Errorf("at %s: %q, %v; want %q", at, got, err, want)
		}
		cancel()
		if got, err := New().Knock(ctx, netip.MustParseAddrPort(at)); got != "" || err == nil {
			t.Errorf("without time: %q, %v", got, err)
		}
	}
	if err := l.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Read(make([]byte, 9)); n == 0 {
		t.Errorf("nothing arrived: %v", err)
	}
}

func TestMachine(t *testing.T) {
	m := New().Machine(filepath.Join(t.TempDir(), "not/there"))
	if m.Total == 0 || m.Free > m.Total || m.WireGuard == platform.ModuleUnknown {
		t.Errorf("%+v", m)
	}
}

// TestForwarding: each family has a setting of its own.
func TestForwarding(t *testing.T) {
	platformtest.Namespace(t)
	for _, test := range []struct {
		v4, v6                 string
		noForward4, noForward6 bool
	}{
		{"0", "0", true, true},
		{"1", "0", false, true},
		{"0", "1", true, false},
		{"1", "1", false, false},
	} {
		if err := errors.Join(os.WriteFile(settings+"/ipv4/ip_forward", []byte(test.v4), 0o644), os.WriteFile(settings+"/ipv6/conf/all/forwarding", []byte(test.v6), 0o644)); err != nil {
			t.Fatal(err)
		}
		if m := New().Machine("/"); m.NoForward4 != test.noForward4 || m.NoForward6 != test.noForward6 {
			t.Errorf("%+v: %+v", test, m)
		}
	}
}

// TestLegacyFilter: the old iptables is in use where it has tables; where the
// kernel knows it and nobody has used it the lists are empty.
func TestLegacyFilter(t *testing.T) {
	for _, test := range []struct {
		v4, v6 string
		want   bool
	}{{"", "", false}, {"filter\n", "", true}, {"", "mangle\nfilter\n", true}} {
		dir := t.TempDir()
		if legacyFilter(dir) {
			t.Error("in use in a kernel that does not know it")
		}
		if err := errors.Join(os.WriteFile(dir+"/ip_tables_names", []byte(test.v4), 0o440), os.WriteFile(dir+"/ip6_tables_names", []byte(test.v6), 0o440)); err != nil {
			t.Fatal(err)
		}
		if got := legacyFilter(dir); got != test.want {
			t.Errorf("%+v: %t", test, got)
		}
	}
}

// TestStrict: the higher of a link's own setting and that for all counts, and 2
// is less strict than 1.
func TestStrict(t *testing.T) {
	for _, test := range []struct {
		all, eth0, wg0 string
		want           []string
	}{
		{"0", "0", "0", nil},
		{"0", "1", "0", []string{"eth0"}},
		{"1", "0", "2", []string{"eth0"}},
		{"2", "1", "0", nil},
		{"1", "1", "1", []string{"eth0", "wg0"}},
	} {
		dir := t.TempDir()
		for link, setting := range map[string]string{"all": test.all, "default": "1", "lo": "1", "eth0": test.eth0, "wg0": test.wg0} {
			if err := errors.Join(os.Mkdir(filepath.Join(dir, link), 0o755), os.WriteFile(filepath.Join(dir, link, "rp_filter"), []byte(setting+"\n"), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		if got := strict(dir); !slices.Equal(got, test.want) {
			t.Errorf("%+v: %v", test, got)
		}
	}
}
