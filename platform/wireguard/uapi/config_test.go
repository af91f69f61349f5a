package uapi

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ginnel/key"
	"ginnel/platform"
)

// oneDevice is one that has a port, and refuses another one that is taken.
type oneDevice struct {
	port, taken uint16
	set         []string // the texts of the operations
}

func (d *oneDevice) Set(text []byte) error {
	d.set = append(d.set, string(text))
	for line := range strings.Lines(string(text)) {
		if n := uint16(0); strings.HasPrefix(line, "listen_port=") {
			if _, err := fmt.Sscanf(line, "listen_port=%d", &n); err != nil {
				return err
			}
			if n == d.taken {
				d.port = 0
				return fmt.Errorf("bind: %w", unix.EADDRINUSE)
			}
			d.port = n
		}
	}
	return nil
}

func (d *oneDevice) Get(dst []byte) ([]byte, error) {
	return fmt.Appendf(dst, "private_key=%s\nlisten_port=%d\n", strings.Repeat("01", key.Size), d.port), nil
}

// TestForgetsKey checks that no buffer of ours keeps the private key.
func TestForgetsKey(t *testing.T) {
	c, err := Configure(&oneDevice{port: 40001})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(&platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: key.NewPrivate([key.Size]byte{1})}); err != nil {
		t.Fatal(err)
	}
	if err := c.Observe(new(platform.TunnelState)); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"set": c.out, "get": c.in} {
		if len(b) == 0 || len(bytes.Trim(b[:cap(b)], "\x00")) != 0 {
			t.Errorf("the buffer of %q was not cleared", name)
		}
	}
}

// TestPortOfOthers: a port that somebody else gave the device is not taken for
// the one we gave it.
func TestPortOfOthers(t *testing.T) {
	d := &oneDevice{port: 40001}
	c, err := Configure(d)
	if err != nil {
		t.Fatal(err)
	}
	change := platform.TunnelChange{Set: platform.SetListenPort, ListenPort: 40001}
	if err := c.Apply(&change); err != nil || strings.Join(d.set, "") != "" {
		t.Errorf("the port it has was set: %q, %v", d.set, err)
	}
	d.port = 7
	var s platform.TunnelState
	if err := c.Observe(&s); err != nil || s.ListenPort != 7 {
		t.Errorf("port is %d (%v), want 7", s.ListenPort, err)
	}
	if err := c.Apply(&change); err != nil || d.port != 40001 {
		t.Errorf("port is %d (%v), want 40001", d.port, err)
	}
}

// TestTextFits checks that the bound on a change's text holds.
func TestTextFits(t *testing.T) {
	zone := "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%fifteen-letters]:65535"
	c := platform.TunnelChange{Set: 7, ListenPort: 65535, FwMark: 1<<32 - 1, ReplacePeers: true, Remove: make([]key.PublicKey, 3)}
	for range 3 {
		p := platform.PeerChange{Update: true, Set: platform.SetKeepalive, Keepalive: 65535, ReplaceAllowedIPs: true}
		if err := p.Endpoint.UnmarshalText([]byte(zone)); err != nil {
			t.Fatal(err)
		}
		p.AllowedIPs = append(p.AllowedIPs, netip.PrefixFrom(p.Endpoint.Addr().WithZone(""), 128))
		c.Peers = append(c.Peers, p)
	}
	if n := len(appendChange(nil, &c)); n > maxText(&c) {
		t.Errorf("text has %d bytes, said to be at most %d", n, maxText(&c))
	}
}

// TestLowPort: a port that this user may not have names the capability, which
// is not the one of interfaces.
func TestLowPort(t *testing.T) {
	err := sentinel(fmt.Errorf("bind: %w", unix.EACCES))
	if !errors.Is(err, platform.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_BIND_SERVICE") || strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("error is %v", err)
	}
}
