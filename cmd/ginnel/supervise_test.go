package main

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ginnel/daemon"
	"ginnel/journal"
	"ginnel/platform"
	"ginnel/platform/fake"
)

// notes is where a supervisor hears of the daemon.
type notes struct {
	t *testing.T
	*net.UnixConn
}

// listen makes the daemons that the test starts tell their notes.
func listen(t *testing.T) *notes {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	must(t, err)
	t.Cleanup(func() { c.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return &notes{t, c}
}

// next returns the next note; empty: there was none for d.
func (n *notes) next(d time.Duration) string {
	n.t.Helper()
	must(n.t, n.SetReadDeadline(time.Now().Add(d)))
	b := make([]byte, 256)
	read, err := n.Read(b)
	if err != nil && !os.IsTimeout(err) {
		n.t.Fatal(err)
	}
	return string(b[:read])
}

// expects waits for a note that begins like that; pings may come before.
func (n *notes) expects(want string) {
	n.t.Helper()
	got := n.next(10 * time.Second)
	for want != ping && got == ping {
		got = n.next(10 * time.Second)
	}
	if !strings.HasPrefix(got, want) {
		n.t.Fatalf("the supervisor hears %q, want %q", got, want)
	}
}

const ping = "WATCHDOG=1"

// slow is a system whose network hangs when it is looked at, from hang on.
type slow struct {
	platform.Network
	hang, hangs, end chan struct{}
}

// Underlay implements platform.Network.
func (s *slow) Underlay() ([]platform.UnderlayAddress, error) {
	select {
	case <-s.hang:
		select {
		case s.hangs <- struct{}{}:
		default:
		}
		<-s.end
	default:
	}
	return s.Network.Underlay()
}

// supervised is a coordinator's machine whose daemon a supervisor starts.
func supervised(t *testing.T) (*machine, *slow, *notes) {
	t.Helper()
	m := newMachine(t)
	m.os = fake.NewWorld(time.Now()).NewOS("hub")
	m.os.SetLink("eth0", netip.MustParsePrefix("192.0.2.1/24"))
	s := &slow{Network: m.os, hang: make(chan struct{}), hangs: make(chan struct{}, 1), end: make(chan struct{})}
	m.env.system = func(*journal.Logger) daemon.System {
		sys := systemOf(m.os)
		sys.Network = s
		return sys
	}
	m.succeeds("network", "create", "home", "10.42.0.0/16", "--endpoint", "192.0.2.1:51820", "--name", "hub")
	return m, s, listen(t)
}

// TestSupervised: the supervisor hears that the daemon is ready once the network
// is there, of reloads, and of its end, and nothing that it has not asked for.
func TestSupervised(t *testing.T) {
	m, _, n := supervised(t)
	stop := m.start()
	n.expects("READY=1")
	if state := m.os.String(); !strings.Contains(state, "tunnel home") || !strings.Contains(state, "10.42.0.1") {
		t.Errorf("ready is\n%s", state)
	}
	for _, config := range []string{"", "config nonsense\n"} {
		text, err := os.ReadFile(m.env.paths.config)
		must(t, err)
		must(t, os.WriteFile(m.env.paths.config, append(text, config...), 0o600))
		must(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
		n.expects("RELOADING=1\nMONOTONIC_USEC=")
		n.expects("READY=1")
	}
	stop()
	n.expects("STOPPING=1")
	if got := n.next(time.Millisecond); got != "" {
		t.Errorf("after its end the supervisor hears %q", got)
	}
}

// TestWatchdog: a network that hangs is not pinged for.
func TestWatchdog(t *testing.T) {
	m, s, n := supervised(t)
	t.Setenv("WATCHDOG_USEC", "100000")
	stop := m.start()
	release := sync.OnceFunc(func() { close(s.end) })
	t.Cleanup(release)
	n.expects("READY=1")
	for range 3 {
		n.expects(ping)
	}
	close(s.hang)
	m.os.SetLink("eth1", netip.MustParsePrefix("198.51.100.1/24"))
	<-s.hangs
	for more := 0; n.next(time.Second) != ""; more++ { // what was under way may still come
		if more > 20 {
			t.Fatal("the daemon pings on while its network hangs")
		}
	}
	release()
	n.expects(ping)
	stop()
	n.expects("STOPPING=1")
}

// TestReadyWithoutConfiguration: a daemon that cannot read its configuration is
// ready to be told another one, and is not started again and again.
func TestReadyWithoutConfiguration(t *testing.T) {
	m, _, n := supervised(t)
	must(t, os.WriteFile(m.env.paths.config, []byte("nonsense\n"), 0o600))
	stop := m.start()
	n.expects("READY=1")
	stop()
	n.expects("STOPPING=1")
}
