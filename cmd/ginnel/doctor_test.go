package main

import (
	"context"
	"net/netip"
	"os"
	"strings"
	"testing"

	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/doctor"
	"ginnel/journal"
	"ginnel/platform"
)

// inspector is a machine's surroundings as a test wants them.
type inspector struct {
	echo   platform.Echo
	tables []platform.FilterTable
}

// RouteTo implements platform.Inspector.
func (inspector) RouteTo(netip.Addr) (platform.Route, error) {
	return platform.Route{Link: "eth0", MTU: 1500}, nil
}

// Knock implements platform.Inspector.
func (i inspector) Knock(context.Context, netip.AddrPort) (platform.Echo, error) { return i.echo, nil }

// Filters implements platform.Inspector.
func (i inspector) Filters() ([]platform.FilterTable, error) { return i.tables, nil }

// Machine implements platform.Inspector.
func (inspector) Machine(string) platform.Machine {
	return platform.Machine{WireGuard: platform.ModuleLoaded, TUN: true, Free: 1 << 30, Total: 1 << 40}
}

// newPatient is an admin's machine for the doctor.
func newPatient(t *testing.T) *machine {
	m := newAdmin(t)
	m.env.inspect = inspector{echo: platform.EchoSilence}
	m.env.system = func(*journal.Logger) daemon.System {
		s := systemOf(m.os)
		s.Resolve = func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
		}
		return s
	}
	if err := os.MkdirAll(m.env.paths.state, 0o700); err != nil {
		t.Fatal(err)
	}
	n := &m.status.Networks[0]
	m.status.Version, n.ListenPort, n.Backend = version, 51820, "kernel"
	n.Root, n.Self.Address, n.Self.Name = netip.MustParsePrefix("10.42.0.0/16"), netip.MustParseAddr("10.42.0.1"), "hub"
	m.os.SetLink("home", netip.MustParsePrefix("10.42.0.1/32"))
	return m
}

// plain replaces what differs from run to run.
func (m *machine) plain(page string) string {
	return strings.NewReplacer(m.env.paths.config, "CONFIG", m.env.paths.state, "STATE").Replace(page)
}

// TestBehaviour130Page: the page is for a screen of 80 columns, and the exit
// status and the JSON say the same.
func TestBehaviour130Page(t *testing.T) {
	m := newPatient(t)
	var r doctor.Report
	m.json(&r, "doctor")
	for _, f := range r.Findings {
		if f.Verdict != doctor.OK {
			t.Errorf("%s is %s: %s", f.Check, f.Verdict, f.Seen)
		}
	}
	m.env.inspect = inspector{tables: []platform.FilterTable{{Family: platform.AnyFamily, Name: "fw",
		Chains: []platform.FilterChain{{Name: "input", Hook: platform.HookInput, Drops: true}}}}}
	m.os.SetLink("eth0", netip.MustParsePrefix("192.0.2.1/24"))
	got := m.run("doctor", "home")
	if got.status != exitFailed || !strings.Contains(got.err, "something is wrong") {
		t.Errorf("status %d, %q", got.status, got.err)
	}
	for _, line := range strings.Split(got.out, "\n") {
		if len(line) > 80 && strings.Contains(strings.TrimSpace(line[seenAt:]), " ") {
			t.Errorf("%d characters: %s", len(line), line)
		}
	}
	if want := "Something is wrong with the firewall of network home: table inet fw, chain\n  input, drops UDP to port 51820 that comes by eth0: nobody reaches the\n  coordinator there.\n"; !strings.HasPrefix(got.out, want) {
		t.Errorf("it begins %.200q", got.out)
	}
	for _, line := range []string{"\nthis machine\n  ok      configuration", "\nnetwork home\n", "\n  FAILED  firewall      table inet fw", "\n                      > nft insert rule inet fw input udp dport 51820 accept\n"} {
		if !strings.Contains(m.plain(got.out), line) {
			t.Errorf("%q is not in\n%s", line, m.plain(got.out))
		}
	}
	m.refuses(exitFailed, []string{"there is no network work"}, "doctor", "work")
}

// TestBehaviour130WithoutDaemon: what can be seen without it is seen.
func TestBehaviour130WithoutDaemon(t *testing.T) {
	m := newMachine(t)
	m.env.inspect = inspector{echo: platform.EchoRefused}
	m.configure("home", config.Peer)
	got := m.run("doctor")
	if got.status != exitFailed || !strings.HasPrefix(got.out, "Something is wrong with the files:") {
		t.Errorf("status %d: %s", got.status, got.out)
	}
	if err := os.MkdirAll(m.env.paths.state, 0o700); err != nil {
		t.Fatal(err)
	}
	got = m.run("doctor")
	for _, s := range []string{"Something is wrong with the daemon: the daemon is not running", "  ok      configuration", "FAILED  udp           nothing listens on UDP port 51820 of 192.0.2.1\n"} {
		if !strings.Contains(got.out, s) {
			t.Errorf("%q is not in\n%s", s, got.out)
		}
	}
}

// TestBehaviour130Book: a coordinator's book that no daemon serves is looked at,
// and one that is served is not.
func TestBehaviour130Book(t *testing.T) {
	for _, m := range []*machine{newPatient(t), newMachine(t)} {
		m.env.inspect = inspector{echo: platform.EchoSilence}
		served := m.net != nil
		if !served {
			m.run("network", "create", "home", "10.42.0.0/16", "--endpoint", "hub.example:51820")
		}
		if err := os.WriteFile(m.env.paths.book("home"), []byte("garbage"), 0o600); err != nil {
			t.Fatal(err)
		}
		got := m.run("doctor")
		if strings.Contains(got.out, "FAILED  book ") == served || strings.Contains(got.out, "ginnel network remove home;") == served {
			t.Errorf("served %t: %s", served, got.out)
		}
	}
}

// TestLongWords: the longest name there is fits into 80 columns, with what is
// around it, be it the first word or another.
func TestLongWords(t *testing.T) {
	name := strings.Repeat("n", 63)
	for text, want := range map[string]string{
		"it is " + name + ", away": "  ok      handshake     it is\n                " + name + ",\n                        away\n",
		name + " is away":          "  ok      handshake\n                 " + name + "\n                        is away\n",
	} {
		p := &page{columns: 80}
		p.hang("  ok      handshake     ", text)
		if p.String() != want {
			t.Errorf("%q, want %q", p.String(), want)
		}
	}
}
