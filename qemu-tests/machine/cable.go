package machine

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// Cable joins the network cards of two machines, in whichever order they boot.
// Frames to a machine that is not there are lost.
type Cable struct {
	t     testing.TB
	dir   string
	plugs int
}

// Plug is one end of a cable, in one machine.
type Plug struct {
	own, other string // sockets
	mac        string
	address    netip.Prefix
}

// NewCable is a cable that lasts as long as the test.
func NewCable(t testing.TB) *Cable {
	t.Helper()
	dir, err := os.MkdirTemp("", "cable") // t.TempDir's path may be too long for a socket
	if err != nil {
		t.Fatalf("machine: cable: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return &Cable{t: t, dir: dir}
}

// cards numbers network cards, so that no two have the same address.
var cards atomic.Uint32

// Plug is the cable's next end, of two. The card has the IPv4 address given,
// with prefix length, from the start; none if it is empty.
func (c *Cable) Plug(address string) Plug {
	c.t.Helper()
	c.plugs++
	if c.plugs > 2 {
		c.t.Fatal("machine: a cable has two ends")
	}
	card := cards.Add(1)
	p := Plug{mac: fmt.Sprintf("52:54:00:00:%02x:%02x", card>>8&0xff, card&0xff)}
	ends := []string{filepath.Join(c.dir, "a"), filepath.Join(c.dir, "b")}
	p.own, p.other = ends[c.plugs-1], ends[2-c.plugs]
	if address != "" {
		var err error
		if p.address, err = netip.ParsePrefix(address); err != nil || !p.address.Addr().Is4() {
			c.t.Fatalf("machine: %q is not an IPv4 address with prefix length", address)
		}
	}
	return p
}

// backend is the emulator's option for the end. Datagram sockets, because
// neither machine then has to be there first.
func (p Plug) backend(id string) string {
	return fmt.Sprintf("dgram,id=%s,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s", id, quote(p.own), quote(p.other))
}
