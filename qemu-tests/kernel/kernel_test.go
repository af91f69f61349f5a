// Package kernel_test holds the kernel's WireGuard to its contract, on a real
// kernel: inside the emulated machines, mostly.
package kernel_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"ginnel/key"
	"ginnel/platform"
	"ginnel/platform/link"
	"ginnel/platform/platformtest"
	"ginnel/platform/wireguard/kernel"
)

// TestMain looks for the kernel's WireGuard: to open the loopback link as a
// tunnel fails in another way where there is none.
func TestMain(m *testing.M) {
	if _, err := kernel.New().Open("lo", 1380); !errors.Is(err, platform.ErrExist) {
		fmt.Fprintf(os.Stderr, "FAIL: %v\nThese tests are for root on a kernel with WireGuard: `make qemu` boots machines that have one.\n", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// machine is a network namespace: its tunnels, and its links to bring them up.
type machine struct {
	*kernel.Tunnels
	platform.Network
}

func TestBehaviour57Tunnel(t *testing.T) {
	platformtest.Tunnel(t, func(t *testing.T) platform.Tunnels {
		platformtest.Namespace(t)
		return machine{kernel.New(), link.New()}
	})
}

// TestBehaviour57And59TunnelOfOthers: others make and delete interfaces as
// `ip link` does.
func TestBehaviour57And59TunnelOfOthers(t *testing.T) {
	platformtest.TunnelOfOthers(t, func(t *testing.T) *platformtest.Others {
		platformtest.Namespace(t)
		return &platformtest.Others{
			Tunnels: machine{kernel.Others(), link.New()},
			Make:    func(t *testing.T, name string) { open(t, name) },
			Remove: func(t *testing.T, name string) {
				if err := open(t, name).Delete(); err != nil {
					t.Fatal(err)
				}
			},
		}
	})
}

// tunnel is an open tunnel, and calls that must succeed.
type tunnel struct {
	platform.Tunnel
	name string
}

const mtu = 1380

// open makes or adopts the tunnel of that name in the test's namespace.
func open(t *testing.T, name string) *tunnel {
	t.Helper()
	tn, err := kernel.New().Open(name, mtu)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tn.Close() })
	return &tunnel{tn, name}
}

// up is open, and brings the link up.
func up(t *testing.T, name string) *tunnel {
	t.Helper()
	tn := open(t, name)
	if err := link.New().Apply(name, &platform.NetChange{SetUp: true}); err != nil {
		t.Fatal(err)
	}
	return tn
}

func (tn *tunnel) apply(t *testing.T, c platform.TunnelChange) {
	t.Helper()
	if err := tn.Apply(&c); err != nil {
		t.Fatal(err)
	}
}

func (tn *tunnel) observe(t *testing.T) *platform.TunnelState {
	t.Helper()
	s := new(platform.TunnelState)
	if err := tn.Observe(s); err != nil {
		t.Fatal(err)
	}
	return s
}

// converge makes the tunnel as want says.
func (tn *tunnel) converge(t *testing.T, want *platform.TunnelState) {
	t.Helper()
	var c platform.TunnelChange
	platform.DiffTunnel(&c, tn.observe(t), want)
	tn.apply(t, c)
}

// want checks that nothing differs from what was wanted.
func (tn *tunnel) want(t *testing.T, want *platform.TunnelState) {
	t.Helper()
	var rest platform.TunnelChange
	got := tn.observe(t)
	if platform.DiffTunnel(&rest, got, want); !rest.IsEmpty() || len(got.Peers) != len(want.Peers) {
		t.Errorf("of %d peers there are %d, and left to do is %d to remove, %d to change, fields %b",
			len(want.Peers), len(got.Peers), len(rest.Remove), len(rest.Peers), rest.Set)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want %v", err, want)
	}
}

// private returns the i-th private key of these tests.
func private(i int) key.PrivateKey {
	return key.NewPrivate([key.Size]byte{1: byte(i), 2: byte(i >> 8), 3: 9})
}
