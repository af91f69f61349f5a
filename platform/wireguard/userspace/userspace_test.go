package userspace

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"ginnel/journal"
	"ginnel/key"
	"ginnel/platform"
	"ginnel/platform/platformtest"
)

// quiet is a log that nobody reads.
var quiet *journal.Logger

func TestBehaviour57Tunnel(t *testing.T) {
	platformtest.Tunnel(t, func(t *testing.T) platform.Tunnels {
		platformtest.Namespace(t)
		return New(quiet)
	})
}

// ip runs a command of iproute2 in the namespace of the test.
func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

func TestOpenExisting(t *testing.T) {
	platformtest.Namespace(t)
	ip(t, "tuntap", "add", "tun7", "mode", "tun")
	ip(t, "tuntap", "add", "tap7", "mode", "tap")
	for _, name := range []string{"lo", "tun7", "tap7"} {
		_, err := New(quiet).Open(name, 1380)
		if !errors.Is(err, platform.ErrExist) {
			t.Errorf("%s: error is %v, want one that exists", name, err)
		}
	}
}

// TestOpenUnprivileged takes CAP_NET_ADMIN from its thread, which ends with it.
func TestOpenUnprivileged(t *testing.T) {
	platformtest.Namespace(t)
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&header, &caps[0]); err != nil {
		t.Fatal(err)
	}
	caps[0].Effective &^= 1 << unix.CAP_NET_ADMIN
	if err := unix.Capset(&header, &caps[0]); err != nil {
		t.Fatal(err)
	}
	_, err := New(quiet).Open("wg0", 1380)
	if !errors.Is(err, platform.ErrPermission) {
		t.Errorf("error is %v, want that it is not permitted", err)
	}
}

// TestPortOfStranger checks the conflict with a socket that is no tunnel's.
func TestPortOfStranger(t *testing.T) {
	platformtest.Namespace(t)
	p, n := newProbe(t), newNode(t, "wg0", 40001)
	err := n.Apply(&platform.TunnelChange{Set: platform.SetListenPort, ListenPort: p.addr().Port()})
	if !errors.Is(err, platform.ErrInUse) {
		t.Errorf("error is %v, want that the port is in use", err)
	}
	var s platform.TunnelState
	if err := n.Observe(&s); err != nil || s.ListenPort != 40001 {
		t.Errorf("port is %d (%v), want 40001 again", s.ListenPort, err)
	}
}

// TestDeletedByStranger checks that a link that vanished is told of.
func TestDeletedByStranger(t *testing.T) {
	platformtest.Namespace(t)
	n := newNode(t, "wg0", 40001)
	ip(t, "link", "delete", "wg0")
	if err := n.Observe(new(platform.TunnelState)); !errors.Is(err, platform.ErrNotExist) {
		t.Errorf("observe: %v, want that it does not exist", err)
	}
	if err := n.Apply(&platform.TunnelChange{}); !errors.Is(err, platform.ErrNotExist) {
		t.Errorf("apply: %v, want that it does not exist", err)
	}
	if err := n.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	newNode(t, "wg0", 40001)
}

// TestRenamed checks that a tunnel is followed through a change of its name,
// and not taken for another link that got its old one.
func TestRenamed(t *testing.T) {
	platformtest.Namespace(t)
	n := newNode(t, "wg0", 40001)
	ip(t, "link", "set", "wg0", "name", "wg9")
	if err := n.Observe(new(platform.TunnelState)); err != nil {
		t.Errorf("observe: %v", err)
	}
	ip(t, "link", "delete", "wg9")
	newNode(t, "wg0", 40002)
	if err := n.Observe(new(platform.TunnelState)); !errors.Is(err, platform.ErrNotExist) {
		t.Errorf("observe: %v, want that it does not exist", err)
	}
}

// TestCloseEndsAll checks that link and goroutines are gone after Close.
func TestCloseEndsAll(t *testing.T) {
	platformtest.Namespace(t)
	before := runtime.NumGoroutine()
	a, b := pair(t)
	for _, n := range []*node{a, b, a} {
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"wg0", "wg1"} {
		if _, err := net.InterfaceByName(name); err == nil {
			t.Errorf("link %s is still there", name)
		}
	}
	await(t, "the end of all goroutines", func() bool { return runtime.NumGoroutine() <= before })
}

// logged is a log's text.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestLog checks that the device's lines arrive, at the level of debugging,
// and that no key is in them. It sees the device follow the link's MTU by them.
func TestLog(t *testing.T) {
	platformtest.Namespace(t)
	var text logged
	tn, err := New(journal.New(&text, journal.Debug)).Open("wg0", 1380)
	if err != nil {
		t.Fatal(err)
	}
	defer tn.Close()
	private := key.NewPrivate([32]byte{5: 9, 9: 7})
	change := platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: private,
		Peers: []platform.PeerChange{{PublicKey: key.NewPrivate([32]byte{7}).Public()}}}
	if err := tn.Apply(&change); err != nil {
		t.Fatal(err)
	}
	ip(t, "link", "set", "wg0", "mtu", "1300")
	if err := tn.Observe(new(platform.TunnelState)); err != nil {
		t.Fatal(err)
	}
	await(t, "word of the MTU", func() bool { return strings.Contains(text.String(), "MTU updated: 1300") })
	b := private.Bytes()
	for _, secret := range []string{hex.EncodeToString(b[:]), base64.StdEncoding.EncodeToString(b[:]), change.Peers[0].PublicKey.String()} {
		if strings.Contains(text.String(), secret) {
			t.Error("a key was logged")
		}
	}
	if strings.Contains(text.String(), "level=INFO") || !strings.Contains(text.String(), "link=wg0") {
		t.Errorf("log is\n%s", text.String())
	}
}

// TestOpenForbidden: a device file of the wrong mode is not a missing
// capability.
func TestOpenForbidden(t *testing.T) {
	if err := openError(unix.EACCES); errors.Is(err, platform.ErrPermission) || !strings.Contains(err.Error(), tunPath) || !strings.Contains(err.Error(), "read and write") {
		t.Errorf("EACCES is %v", err)
	}
	if err := openError(unix.ENOENT); !errors.Is(err, platform.ErrUnsupported) || !strings.Contains(err.Error(), "kmod-tun") {
		t.Errorf("ENOENT is %v, which does not say what to do", err)
	}
	if err := openError(unix.EPERM); !errors.Is(err, platform.ErrPermission) {
		t.Errorf("EPERM is %v", err)
	}
}
