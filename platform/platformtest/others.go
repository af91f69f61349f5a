package platformtest

import (
	"testing"

	"ginnel/platform"
)

// othersTests are about interfaces that others make and delete.
var othersTests = []tunnelTest{
	{"none is made", testMakesNone},
	{"delete leaves it, empty", testDeleteLeaves},
	{"deleted and made again", testMadeAgain},
}

func testMakesNone(t *testing.T, ts *tunnels) {
	for range 2 {
		_, err := ts.Open("wg0", mtu)
		wantErr(t, err, platform.ErrNotExist)
	}
	if n, ok := ts.Tunnels.(platform.Network); ok {
		wantErr(t, n.Observe("wg0", new(platform.NetState)), platform.ErrNotExist)
	}
}

func testDeleteLeaves(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	const all = platform.SetPrivateKey | platform.SetListenPort | platform.SetFwMark
	tn.apply(t, platform.TunnelChange{Set: all, PrivateKey: private(1), ListenPort: 40001, FwMark: 5, Peers: []platform.PeerChange{{PublicKey: public(2)}}})
	if err := tn.Delete(); err != nil {
		t.Fatalf("delete: %v", err)
	}
	again, err := ts.Open("wg0", mtu)
	if err != nil {
		t.Fatalf("it did not stay: %v", err)
	}
	s := (&tunnel{again}).observe(t)
	if !s.PrivateKey.IsZero() || s.FwMark != 0 || s.ListenPort == 40001 || len(s.Peers) != 0 {
		t.Errorf("it kept what was configured: port %d, mark %d, %d peers", s.ListenPort, s.FwMark, len(s.Peers))
	}
}

// testMadeAgain wants a tunnel to end with its interface, though another one of
// its name is there, which may be opened.
func testMadeAgain(t *testing.T, ts *tunnels) {
	old := ts.up(t, "wg0")
	ts.others.Remove(t, "wg0")
	wantErr(t, old.Observe(new(platform.TunnelState)), platform.ErrNotExist)
	_, err := ts.Open("wg0", mtu)
	wantErr(t, err, platform.ErrNotExist)
	ts.others.Make(t, "wg0")
	wantErr(t, old.Observe(new(platform.TunnelState)), platform.ErrNotExist)
	wantErr(t, old.Apply(&platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: private(1)}), platform.ErrNotExist)
	if s := ts.up(t, "wg0").observe(t); !s.PrivateKey.IsZero() {
		t.Error("the new interface got the old one's key")
	}
}
