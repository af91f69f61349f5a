package fake_test

import (
	"net/netip"
	"testing"
	"time"

	"ginnel/platform"
	"ginnel/platform/fake"
	"ginnel/platform/platformtest"
)

// start is when the worlds of these tests begin.
var start = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

func TestTunnel(t *testing.T) {
	platformtest.Tunnel(t, func(*testing.T) platform.Tunnels { return fake.NewWorld(start).NewOS("a") })
}

func TestNetwork(t *testing.T) {
	platformtest.Network(t, func(t *testing.T) *platformtest.Host {
		o := fake.NewWorld(start).NewOS("a")
		if _, err := o.Open("wg0", 1380); err != nil {
			t.Fatal(err)
		}
		return &platformtest.Host{Network: o, Link: "wg0",
			SetUnderlay: func(_ *testing.T, link string, as ...netip.Prefix) { o.SetLink(link, as...) }}
	})
}

func TestTunnelOfOthers(t *testing.T) {
	platformtest.TunnelOfOthers(t, func(*testing.T) *platformtest.Others {
		o := fake.NewWorld(start).NewOS("a")
		return &platformtest.Others{Tunnels: o.Others(),
			Make: func(t *testing.T, name string) {
				if _, err := o.Open(name, 1380); err != nil {
					t.Fatal(err)
				}
				if err := o.SetUp(name, true); err != nil {
					t.Fatal(err)
				}
			},
			Remove: func(t *testing.T, name string) {
				if err := o.RemoveLink(name); err != nil {
					t.Fatal(err)
				}
			}}
	})
}
