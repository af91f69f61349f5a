package main

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ginnel/coordinator/coordinatortest"
	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/key"
	"ginnel/platform"
	"ginnel/platform/fake"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// newJoiner returns a machine that can reach a coordinator, and an invitation
// of that coordinator's. What answer returns stands for the API; nil: the
// role's own answer.
func newJoiner(t *testing.T, answer http1.Handler) (m *machine, token string) {
	t.Helper()
	network := coordinatortest.New(t)
	issued, err := network.Role.Invite(wire.InvitationRequest{Name: "fay", CIDR: "servers"})
	must(t, err)
	inv, err := wire.ParseInvitation(issued.Token)
	must(t, err)
	inv.Coordinator.Endpoints = []string{"192.0.2.1:51820"}
	if answer == nil {
		answer = func(_ context.Context, r *http1.Request) *http1.Response { return network.Handle(r) }
	}
	world := fake.NewWorld(testTime)
	serveHub(t, world.NewOS("hub"), network, inv, answer)
	m = newMachine(t)
	m.os = world.NewOS("here")
	m.os.SetLink("eth0", netip.MustParsePrefix("192.0.2.2/24"))
	return m, inv.Token()
}

// serveHub makes o the coordinator's machine, whose tunnel knows the invitee.
func serveHub(t *testing.T, o *fake.OS, network *coordinatortest.Network, inv *wire.Invitation, answer http1.Handler) {
	t.Helper()
	o.SetLink("eth0", netip.MustParsePrefix("192.0.2.1/24"))
	tunnel, err := o.Open("home", 1280)
	must(t, err)
	must(t, tunnel.Apply(&platform.TunnelChange{
		Set: platform.SetPrivateKey | platform.SetListenPort, PrivateKey: network.Keys["hub"], ListenPort: 51820,
		Peers: []platform.PeerChange{{PublicKey: inv.Key.Public(), AllowedIPs: []netip.Prefix{netip.PrefixFrom(inv.Address, 32)}}},
	}))
	own := inv.Coordinator.Address
	must(t, o.Apply("home", &platform.NetChange{SetUp: true, AddAddresses: []netip.Prefix{netip.PrefixFrom(own, 16)}}))
	l, err := o.ListenTCP("home", netip.AddrPortFrom(own, inv.Coordinator.APIPort))
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		s := http1.Server{Handler: answer}
		if err := s.Serve(ctx, l); err != nil {
			t.Errorf("serve the API: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		serving.Wait()
	})
}

func TestJoin(t *testing.T) {
	m, token := newJoiner(t, nil)
	file := filepath.Join(t.TempDir(), "fay.invitation")
	must(t, os.WriteFile(file, []byte(token+"\n"), 0o600))
	before := m.os.String()
	r := m.run("join", file, "--delete", "--mtu", "1400", "--no-routing", "--hosts", "none", "--listen-port", "4711",
		"--exclude", "192.168.0.1/16", "--exclude", "all")
	if r.status != exitOK || r.out != "joined home as fay, 10.42.1.4\n" || !strings.HasPrefix(r.err, "not in effect yet: the daemon is not running") {
		t.Fatalf("%+v", r)
	}
	if exists(file) {
		t.Error("the invitation is still there")
	}
	want := []string{"drwxr-xr-x etc", "-rw------- etc/ginnel.conf", "drwxr-xr-x lib", "drwx------ lib/ginnel", "-rw------- lib/ginnel/home.state"}
	if got := m.tree(); !slices.Equal(got, want) {
		t.Errorf("files are %q, want %q", got, want)
	}
	n, err := m.env.configured("")
	must(t, err)
	section := config.New("home", config.Peer)
	section.ListenPort, section.MTU, section.Routes, section.Hosts, section.Endpoints = 4711, 1400, false, config.NoHosts, []string{"192.0.2.1:51820"}
	section.Exclude = []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	if !n.Equal(&section) {
		t.Errorf("section is %+v, want %+v", *n, section)
	}
	if after := m.os.String(); after != before {
		t.Errorf("the machine is %s, was %s", after, before)
	}
	m.does("this machine is in home already, as fay: by this invitation\n", "join", token)
	must(t, os.WriteFile(file, []byte(otherThan(t, token)), 0o600))
	m.refuses(exitFailed, []string{"this machine is in a network home already", "`ginnel leave home`"}, "join", "--delete", file)
	if !exists(file) {
		t.Error("an invitation that was not redeemed is deleted")
	}
}

// TestJoinWaits: with a daemon, join ends when the network is there.
func TestJoinWaits(t *testing.T) {
	m, token := newJoiner(t, nil)
	m.startDaemon()
	m.status.Networks = []local.Network{{Name: "home", State: local.Up, LastContact: time.Now(), Peers: []local.Peer{{}}}}
	m.does("joined home as fay, 10.42.1.4\n1 peer is visible\n", "join", token)
}

// TestDoesNotComeUp: the daemon's trouble is told.
func TestDoesNotComeUp(t *testing.T) {
	m := newMachine(t)
	m.startDaemon()
	m.status.Networks = []local.Network{{Name: "home", State: local.Failed, Error: "no tunnel", Peers: []local.Peer{}}}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := m.env.takeUp(ctx, "home", isUp); err == nil || !strings.Contains(err.Error(), "network home does not come up: no tunnel") {
		t.Errorf("error is %v", err)
	}
}

// TestBehaviour39JoinRefused: nothing is left, and the invitation's file stays.
func TestBehaviour39JoinRefused(t *testing.T) {
	m, token := newJoiner(t, func(context.Context, *http1.Request) *http1.Response {
		return http1.Fail(wire.Errorf(wire.StatusGone, "the invitation has expired"))
	})
	file := filepath.Join(t.TempDir(), "fay.invitation")
	must(t, os.WriteFile(file, []byte(token), 0o600))
	before := m.os.String()
	m.refuses(exitFailed, []string{"the invitation has expired"}, "join", file, "--delete")
	if after := m.os.String(); after != before || len(withoutDirectories(m)) > 0 || !exists(file) {
		t.Errorf("left are %q and %s", m.tree(), after)
	}
	for _, option := range [][2]string{{"--mtu", "20"}, {"--hosts", "relative"}, {"--listen-port", "51819"}} {
		m.refuses(exitUsage, []string{option[0] + ": "}, "join", token, option[0], option[1])
	}
	m.refuses(exitUsage, []string{"--delete"}, "join", token, "--delete")
	m.refuses(exitUsage, []string{`"lan" is no range of addresses`, "or all"}, "join", token, "--exclude", "lan")
	m.failed(m.runWith("nonsense", false, "join", "-"), exitFailed, []string{"not a whole invitation"}, nil)
	if len(withoutDirectories(m)) > 0 {
		t.Errorf("left are %q", m.tree())
	}
}

// TestJoinNotConfigured: a join whose section cannot be written is finished by
// the same command.
func TestJoinNotConfigured(t *testing.T) {
	m, token := newJoiner(t, func(context.Context, *http1.Request) *http1.Response {
		return http1.JSON(wire.StatusOK, wire.Redeemed{})
	})
	good := m.env.paths.config
	m.env.paths.config = "/proc/no/ginnel.conf"
	m.refuses(exitFailed, []string{"the invitation is redeemed, but this machine is not configured", "run the same join again"}, "join", token)
	m.env.paths.config = good
	m.does("joined home as fay, 10.42.1.4\n", "join", token)
}

// peerOf returns a machine that is in home, with an interface and names.
func peerOf(t *testing.T) *machine {
	t.Helper()
	m := newMachine(t)
	m.configure("home", config.Peer)
	must(t, os.MkdirAll(m.env.paths.state, 0o700))
	private := key.NewPrivate([32]byte{1: 1})
	must(t, state.Create(state.Path(m.env.paths.state, "home"), state.Identity{
		Network: "home", Root: netip.MustParsePrefix("10.42.0.0/16"), Name: "fay", Address: netip.MustParseAddr("10.42.1.4"), PrivateKey: private,
		Coordinator: state.Coordinator{Address: netip.MustParseAddr("10.42.0.1"), PublicKey: key.NewPrivate([32]byte{1: 2}).Public(), APIPort: 1},
	}))
	_, err := m.os.Open("home", 1280)
	must(t, err)
	must(t, m.os.Set("home", []platform.HostEntry{{Address: netip.MustParseAddr("10.42.0.1"), Names: []string{"hub.home.wg"}}}))
	return m
}

// hasNothing tells whether the machine's system has nothing of ours.
func (m *machine) hasNothing() bool { return m.os.String() == "machine here\n" }

func TestLeave(t *testing.T) {
	for _, line := range []string{"leave home --yes", "leave -y"} {
		m := peerOf(t)
		m.does("left network home\n", strings.Fields(line)...)
		if files := withoutDirectories(m); !m.hasNothing() || !slices.Equal(files, []string{"-rw------- etc/ginnel.conf"}) {
			t.Errorf("%s: left are %q and\n%s", line, files, m.os)
		}
		m.refuses(exitFailed, []string{"this machine is in no network"}, "leave")
		m.refuses(exitFailed, []string{"there is no network home"}, "leave", "home", "--yes")
	}
}

// TestLeaveAsks: without a yes everything stays.
func TestLeaveAsks(t *testing.T) {
	m := peerOf(t)
	before, files := m.os.String(), m.tree()
	m.refuses(exitUsage, []string{"Leave network home and delete this machine's key for it?", "--yes"}, "leave")
	m.failed(m.runWith("n\n", true, "leave"), exitFailed, []string{"nothing was changed"}, nil)
	m.refuses(exitFailed, []string{"`ginnel leave home`"}, "network", "remove", "home", "--yes")
	if m.os.String() != before || !slices.Equal(m.tree(), files) {
		t.Errorf("files are %q, the machine is %s", m.tree(), m.os)
	}
	if r := m.runWith("y\n", true, "leave"); r.status != exitOK {
		t.Errorf("%+v", r)
	}
}

// TestLeaveHalfDone: when the system refuses, running leave again finishes it.
func TestLeaveHalfDone(t *testing.T) {
	m := peerOf(t)
	m.os.Fail(fake.OpenTunnel, 1, errors.New("broken"))
	m.refuses(exitFailed, []string{"broken"}, "leave", "--yes")
	m.does("left network home\n", "leave", "home", "--yes")
	if !m.hasNothing() || len(withoutDirectories(m)) != 1 {
		t.Errorf("left are %q and\n%s", m.tree(), m.os)
	}
}

// TestUpDown: the configuration remembers; without a daemon, down takes the
// interface away itself.
func TestUpDown(t *testing.T) {
	m := peerOf(t)
	enabled := func() bool {
		t.Helper()
		n, err := m.env.configured("home")
		must(t, err)
		return n.Enabled
	}
	m.does("switched home off\n", "down")
	if enabled() || !m.hasNothing() || !exists(state.Path(m.env.paths.state, "home")) {
		t.Errorf("down: enabled %v, files %q, the machine is\n%s", enabled(), m.tree(), m.os)
	}
	m.does("switched home off\n", "down", "home")
	r := m.run("up")
	if r.status != exitOK || r.out != "switched home on\n" || !strings.HasPrefix(r.err, "not in effect yet: the daemon is not running") || !enabled() {
		t.Errorf("up: %+v, enabled %v", r, enabled())
	}
	m.refuses(exitFailed, []string{"there is no network work"}, "up", "work")
	m.refuses(exitFailed, []string{"there is no network work"}, "down", "work")
}

// TestUpDownWithDaemon: with a daemon the system is the daemon's alone.
func TestUpDownWithDaemon(t *testing.T) {
	m := peerOf(t)
	m.startDaemon()
	m.status.Networks = []local.Network{{Name: "home", State: local.Up}}
	before := m.os.String()
	m.does("switched home off\n", "down")
	m.does("switched home on\n", "up", "home")
	m.does("left network home\n", "leave", "--yes")
	if n := m.reloads(); n != 4 || m.os.String() != before {
		t.Errorf("%d reloads, the machine is\n%s", n, m.os)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
