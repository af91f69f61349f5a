//go:build kernelonly

package wireguard

import (
	"strings"
	"testing"

	"ginnel/platform"
)

// TestBehaviour58KernelOnly: a router's binary says what is missing where the
// kernel has no WireGuard, and that it has none itself.
func TestBehaviour58KernelOnly(t *testing.T) {
	if _, err := New(platform.Userspace, nil).Open("wg7", 1380); err == nil || !strings.Contains(err.Error(), "option backend must be auto or kernel") {
		t.Errorf("error is %v", err)
	}
	for _, ts := range []*Tunnels{New("", nil), Others("")} {
		if n := len(ts.ways); n != 1 {
			t.Errorf("there are %d ways to a tunnel, want the kernel's", n)
		}
	}
}
