package netlab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// soon is how long things may take that take milliseconds on an idle machine;
// never is how long a test waits for what must not happen.
const (
	soon  = 20 * time.Second
	never = 300 * time.Millisecond
)

func mustPing(t *testing.T, from *Host, to netip.Addr) {
	t.Helper()
	if err := from.Ping(to.String(), soon); err != nil {
		t.Fatal(err)
	}
}

func mustNotPing(t *testing.T, from *Host, to netip.Addr) {
	t.Helper()
	if from.Ping(to.String(), never) == nil {
		t.Fatalf("%s reaches %s", from.Name(), to)
	}
}

func TestHostsOnASwitch(t *testing.T) {
	w := New(t)
	inet := w.Internet()
	a, b := w.Host("a", inet), w.Host("b", inet, "198.51.100.7", "2001:db8::77")
	if got := a.Addr().String(); got != "203.0.113.2" {
		t.Errorf("automatic address %s, want 203.0.113.2", got)
	}
	mustPing(t, a, b.Addr()) // another subnet: through the provider
	mustPing(t, b, a.Addr())
	mustPing(t, a, b.Addr6())
}

func TestAddressesOnASwitch(t *testing.T) {
	sw := &Switch{name: "lan", used: map[netip.Addr]bool{}, prefixes: []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/30"), netip.MustParsePrefix("10.1.0.0/24"), netip.MustParsePrefix("fd00:1::/64"),
	}}
	for _, tc := range []struct {
		args []string
		want string // or what the error says
	}{
		{nil, "[10.0.0.2/30 fd00:1::2/64]"},
		{[]string{"10.1.0.9"}, "[10.1.0.9/24]"},
		{[]string{"10.9.0.1/8", "fd00:1::9"}, "[10.9.0.1/8 fd00:1::9/64]"},
		{nil, "[10.0.0.3/30 fd00:1::3/64]"},
		{nil, "no free address in 10.0.0.0/30"},
		{[]string{"10.9.0.1"}, "give it a prefix length"},
		{[]string{"router"}, `address "router"`},
	} {
		got, err := sw.places(tc.args)
		if !strings.Contains(fmt.Sprint(got, err), tc.want) {
			t.Errorf("%q: %v, %v, want %s", tc.args, got, err, tc.want)
		}
	}
}

func TestPingCountsEveryPacket(t *testing.T) {
	w := New(t)
	inet := w.Internet()
	a, b := w.Host("a", inet), w.Host("b", inet)
	mustPing(t, a, b.Addr())

	p := a.StartPing(b.Addr().String(), 5*time.Millisecond)
	atLeast := func(what string, want int, count func(Pings) int) {
		t.Helper()
		Eventually(t, soon, what, func() error {
			if c := p.Counts(); count(c) < want {
				return fmt.Errorf("%+v", c)
			}
			return nil
		})
	}
	sent := func(c Pings) int { return c.Sent }
	received := func(c Pings) int { return c.Received }

	atLeast("20 replies", 20, received)
	if c := p.Stop(); len(c.Lost) > 0 || c.Received != c.Sent {
		t.Errorf("an undisturbed path lost packets: %+v", c)
	}
	p = a.StartPing(b.Addr().String(), 5*time.Millisecond)
	b.Link(0).Down()
	atLeast("10 requests that nobody hears", p.Counts().Sent+10, sent)
	b.Link(0).Up()
	atLeast("replies after the cable is mended", p.Counts().Received+3, received)
	if c := p.Counts(); c.LongestGap() < 10 {
		t.Errorf("a cut cable lost too few packets: %+v", c)
	}
}

func TestMoveAndAddressChange(t *testing.T) {
	w := New(t)
	inet := w.Internet()
	server := w.Host("server", inet)
	home := w.Router("home", PortRestricted, inet, "192.168.1.0/24")
	office := w.Router("office", PortRestricted, inet, "10.1.0.0/16")
	laptop := w.Host("laptop", home.LAN)
	mustPing(t, laptop, server.Addr())

	laptop.MoveTo(office.LAN)
	if got := laptop.Addr().String(); got != "10.1.0.2" {
		t.Errorf("address after the move is %s", got)
	}
	mustPing(t, laptop, server.Addr())
	laptop.MoveTo(inet, "192.0.2.44")
	mustPing(t, server, laptop.Addr())

	server.SetAddress("198.51.100.9", "2001:db8::9")
	mustPing(t, laptop, server.Addr())
	mustNotPing(t, laptop, netip.MustParseAddr("203.0.113.2"))
	if out := server.Run("ip", "-6", "route", "show", "default"); strings.Count(out, "default") != 1 {
		t.Errorf("default routes: %s", out)
	}
}

func TestHostIsIsolated(t *testing.T) {
	hosts, err := os.ReadFile("/etc/hosts")
	if err != nil {
		t.Fatal(err)
	}
	w := New(t)
	inet := w.Internet()
	a, b := w.Host("a", inet), w.Host("b", inet)
	if got := a.Run("hostname"); got != "a\n" {
		t.Errorf("host name %q", got)
	}
	if err := a.WriteFile("/etc/hosts", []byte("10.0.0.1 peer.ginnel\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(a.Run("getent", "hosts", "peer.ginnel")); len(got) != 2 || got[0] != "10.0.0.1" {
		t.Errorf("getent says %q", got)
	}
	if got, err := a.Resolve("peer.ginnel"); got != netip.MustParseAddr("10.0.0.1") {
		t.Errorf("the name is resolved to %v, %v", got, err)
	}
	if got, err := b.Resolve("peer.ginnel"); err == nil {
		t.Errorf("another host resolves the name to %v", got)
	}
	var exit *exec.ExitError
	if _, err := b.Try("getent", "hosts", "peer.ginnel"); !errors.As(err, &exit) {
		t.Errorf("another host knows the name: %v", err)
	}
	for _, path := range []string{"/etc/ginnel/x", "/var/lib/ginnel/x", "/run/ginnel/x"} {
		if err := a.WriteFile(path, []byte("a"), 0o600); err != nil {
			t.Error(err)
		}
		if got, err := a.ReadFile(path); string(got) != "a" {
			t.Errorf("%s: %q, %v", path, got, err)
		}
		if _, err := b.ReadFile(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is seen by another host: %v", path, err)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is seen outside: %v", path, err)
		}
	}
	if got := a.Run(a.Install("hello", "/bin/echo"), "hello"); got != "hello\n" {
		t.Errorf("an installed program prints %q", got)
	}
	if _, err := os.Lstat(Programs + "/hello"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a host installed is seen outside: %v", err)
	}
	if now, err := os.ReadFile("/etc/hosts"); string(now) != string(hosts) {
		t.Errorf("the machine's /etc/hosts has changed: %v", err)
	}
	if links, err := net.Interfaces(); err != nil || len(links) != 1 {
		t.Errorf("the world itself should have its loopback only: %v, %v", links, err)
	}
	if out := a.Run("ls", "/sys/class/net"); !strings.Contains(out, "eth0") {
		t.Errorf("/sys shows %q", out)
	}
}

func TestProcesses(t *testing.T) {
	w := New(t)
	a := w.Host("a", w.Internet())
	p := a.Start("sh", "-c", "echo hello; echo oops >&2; cat /etc/hostname; exec sleep 1000")
	Eventually(t, soon, "output", func() error {
		if got := p.Log(); got != "hello\noops\na\n" {
			return fmt.Errorf("log is %q", got)
		}
		return nil
	})
	if p.Wait(time.Millisecond) == nil {
		t.Error("a running process counts as ended")
	}
	p.Kill()
	if p.Wait(soon) == nil {
		t.Error("a killed process counts as successful")
	}
	if err := a.Start("true").Wait(soon); err != nil {
		t.Error(err)
	}
	if _, err := a.Try("sh", "-c", "echo why >&2; exit 3"); err == nil || !strings.Contains(err.Error(), "why") {
		t.Errorf("error does not say why: %v", err)
	}
	secret := strings.Repeat("s", 100)
	if _, err := a.Try("false", secret); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a long argument, which may be an invitation, is in the message: %v", err)
	}
}

// What a program leaves behind in a host ends with the world.
func TestWorldEndsOrphans(t *testing.T) {
	var pid string
	t.Run("world", func(t *testing.T) {
		w := New(t)
		a := w.Host("a", w.Internet())
		pid = strings.TrimSpace(a.Run("sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!"))
		if _, err := os.Stat(filepath.Join("/proc", pid)); err != nil {
			t.Fatal(err)
		}
	})
	Eventually(t, soon, "orphan is gone", func() error {
		if _, err := os.Stat(filepath.Join("/proc", pid)); err == nil {
			return errors.New("it is there")
		}
		return nil
	})
}

func TestCount(t *testing.T) {
	w := New(t)
	inet := w.Internet()
	a, b, c := w.Host("a", inet), w.Host("b", inet), w.Host("c", inet)
	between := func(x, y *Host) func(Packet) bool {
		return func(p Packet) bool { return p.Src.Addr() == x.Addr() && p.Dst.Addr() == y.Addr() }
	}
	toB, toC := inet.Count(between(a, b)), inet.Count(between(a, c))
	p := a.StartPing(b.Addr().String(), 10*time.Millisecond)
	Eventually(t, soon, "10 replies", func() error {
		if n := p.Counts().Received; n < 10 {
			return fmt.Errorf("%d", n)
		}
		return nil
	})
	sent := p.Stop().Sent
	if got := toB.Packets(); got != sent {
		t.Errorf("%d packets counted, %d sent", got, sent)
	}
	if got := toB.Bytes(); got != sent*(20+echoLen) {
		t.Errorf("%d bytes counted", got)
	}
	if got := toC.Packets(); got != 0 {
		t.Errorf("%d packets counted where none went", got)
	}
}
