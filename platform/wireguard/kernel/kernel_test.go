package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/platformtest"
	"ginnel/platform/wireguard/kernel/message"
)

// These tests need no WireGuard: they talk to the rest of the kernel. Those
// that do are in qemu-tests/kernel.

func connect(t *testing.T, protocol int) *socket {
	t.Helper()
	s, err := dial(protocol)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// TestMissing: a family that the kernel has not, even after it looked for a
// module, is not supported, and the error says what to do.
func TestMissing(t *testing.T) {
	s := connect(t, unix.NETLINK_GENERIC)
	_, err := findFamily(s, "ginnel-nowhere")
	if !errors.Is(err, platform.ErrUnsupported) || !strings.Contains(err.Error(), "kmod-wireguard") {
		t.Errorf("error is %v", err)
	}
	if s.broken {
		t.Error("a refusal broke the socket")
	}
	if id, err := findFamily(s, "nlctrl"); err != nil || id != unix.GENL_ID_CTRL {
		t.Errorf("netlink's own family is %d, %v", id, err)
	}
}

// TestFindLink also checks that nothing of an answer stays in the buffer.
func TestFindLink(t *testing.T) {
	platformtest.Namespace(t)
	s := connect(t, unix.NETLINK_ROUTE)
	var l message.Link
	if _, err := s.exchange(message.FindLink("lo"), &l); err != nil || l.Index == 0 || l.MTU != 65536 || l.Kind != "" {
		t.Errorf("loopback is %+v, %v", l, err)
	}
	if _, err := s.exchange(message.SetMTU(l.Index, 1400), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.exchange(message.FindLink("lo"), &l); err != nil || l.MTU != 1400 {
		t.Errorf("loopback is %+v, %v", l, err)
	}
	_, err := s.exchange(message.FindLink("nowhere"), &l)
	if !errors.Is(err, platform.ErrNotExist) || !errors.Is(err, unix.ENODEV) {
		t.Errorf("error is %v, want that it does not exist", err)
	}
	if len(bytes.Trim(s.in, "\x00")) != 0 {
		t.Error("the buffer was not cleared")
	}
}

// picky is a Sink that takes nothing.
type picky struct{}

func (picky) Add([]byte) error { return errors.New("not to my taste") }

// TestBroken: an answer that was not read to its end leaves the socket, and
// the next call has another.
func TestBroken(t *testing.T) {
	s, err := dial(unix.NETLINK_GENERIC)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.exchange(message.FindFamily("nlctrl"), picky{}); err == nil || !s.broken {
		t.Fatalf("error is %v, broken %v", err, s.broken)
	}
	tn := newTunnel(s, "wg0", unix.GENL_ID_CTRL, 1)
	defer tn.Close()
	if err := tn.ready(); err != nil || tn.socket == s || tn.socket.broken {
		t.Fatalf("it goes on with the broken socket (%v)", err)
	}
	// What is left of the first answer would be taken for the second's.
	if id, err := findFamily(tn.socket, "nlctrl"); err != nil || id != unix.GENL_ID_CTRL {
		t.Errorf("family is %d, %v", id, err)
	}
}

// TestFamilyGone: without the family there is no interface.
func TestFamilyGone(t *testing.T) {
	platformtest.Namespace(t)
	const nobodys = 0x3fff
	tn := newTunnel(connect(t, unix.NETLINK_GENERIC), "wg0", nobodys, 1)
	for _, err := range []error{tn.Apply(&platform.TunnelChange{}), tn.Observe(new(platform.TunnelState))} {
		if !errors.Is(err, platform.ErrNotExist) || !strings.Contains(err.Error(), "wg0") {
			t.Errorf("error is %v, want that wg0 does not exist", err)
		}
	}
}

func TestZones(t *testing.T) {
	platformtest.Namespace(t)
	var z zones
	z.reset(connect(t, unix.NETLINK_GENERIC))
	for zone, want := range map[string]uint32{"lo": 1, "nowhere": 0, "7": 7, "": 0, "-1": 0, "99999999999": 0, strings.Repeat("x", 20): 0} {
		if got := z.scopeOf(zone); got != want {
			t.Errorf("scope of %q is %d, want %d", zone, got, want)
		}
	}
	z.reset(z.socket)
	for scope, want := range map[uint32]string{1: "lo", 77: "77", 1<<32 - 1: "4294967295"} {
		for range 2 {
			if got := z.zoneOf(scope); got != want {
				t.Errorf("zone of %d is %q, want %q", scope, got, want)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	refusal := func(errno unix.Errno, text string) error { return &message.Refusal{Errno: uint32(errno), Text: text} }
	for _, test := range []struct {
		err, want error
		text      string
	}{
		{refusal(unix.EPERM, ""), platform.ErrPermission, "operation not permitted"},
		{refusal(unix.EOPNOTSUPP, "Unknown device type"), platform.ErrUnsupported, "Unknown device type: operation not supported"},
		{refusal(unix.EADDRINUSE, ""), platform.ErrInUse, "address already in use"},
		{refusal(unix.EEXIST, ""), platform.ErrExist, "file exists"},
		{refusal(unix.ENODEV, ""), platform.ErrNotExist, "no such device"},
		{refusal(unix.EINVAL, "invalid attribute length"), unix.EINVAL, "invalid attribute length: invalid argument"},
		{fmt.Errorf("socket: %w", unix.EPROTONOSUPPORT), platform.ErrUnsupported, "protocol not supported"},
	} {
		got := translate(test.err)
		if !errors.Is(got, test.want) || !strings.HasSuffix(got.Error(), test.text) {
			t.Errorf("%v is %v", test.err, got)
		}
	}
}
