package platformtest

import (
	"testing"

	"ginnel/platform"
)

// lifeTests are about making and removing tunnels.
var lifeTests = []tunnelTest{
	{"new tunnel is empty", testNew},
	{"open again", testOpenAgain},
	{"close", testClose},
	{"delete", testDelete},
	{"bad name", testBadName},
}

func testNew(t *testing.T, ts *tunnels) {
	s := ts.up(t, "wg0").observe(t)
	if s.Backend != platform.Kernel && s.Backend != platform.Userspace {
		t.Errorf("backend is %q", s.Backend)
	}
	if !s.PrivateKey.IsZero() || s.FwMark != 0 || len(s.Peers) != 0 {
		t.Errorf("a new tunnel is not empty: %+v", s)
	}
}

// testOpenAgain adopts an interface of the kernel; one of another process, or
// of another Tunnel, is not ours to adopt in userspace.
func testOpenAgain(t *testing.T, ts *tunnels) {
	first := ts.up(t, "wg0")
	first.apply(t, platform.TunnelChange{Set: platform.SetFwMark, FwMark: 7})
	second, err := ts.Open("wg0", mtu)
	if first.observe(t).Backend == platform.Userspace && ts.others == nil {
		wantErr(t, err, platform.ErrExist)
		return
	}
	if err != nil {
		t.Fatalf("adopt: %v", err)
	}
	if s := (&tunnel{second}).observe(t); s.FwMark != 7 {
		t.Errorf("the adopted tunnel has fwmark %d, want 7", s.FwMark)
	}
}

func testClose(t *testing.T, ts *tunnels) {
	first := ts.up(t, "wg0")
	first.apply(t, platform.TunnelChange{Set: platform.SetFwMark, FwMark: 7})
	stays := first.observe(t).Backend == platform.Kernel || ts.others != nil
	if err := first.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	wantErr(t, first.Apply(&platform.TunnelChange{}), platform.ErrNotExist)
	wantErr(t, first.Observe(new(platform.TunnelState)), platform.ErrNotExist)
	if kept := ts.up(t, "wg0").observe(t).FwMark == 7; kept != stays {
		t.Errorf("after close the interface stayed: %v, want %v", kept, stays)
	}
}

func testDelete(t *testing.T, ts *tunnels) {
	first := ts.up(t, "wg0")
	first.apply(t, platform.TunnelChange{Set: platform.SetFwMark, FwMark: 7})
	if err := first.Delete(); err != nil {
		t.Fatalf("delete: %v", err)
	}
	wantErr(t, first.Apply(&platform.TunnelChange{}), platform.ErrNotExist)
	wantErr(t, first.Observe(new(platform.TunnelState)), platform.ErrNotExist)
	if s := ts.up(t, "wg0").observe(t); s.FwMark != 0 {
		t.Errorf("the interface survived its deletion")
	}
}

func testBadName(t *testing.T, ts *tunnels) {
	for _, name := range []string{"", "sixteen-letters-", "a/b", "wg%d", ".."} {
		if tn, err := ts.Open(name, mtu); err == nil {
			t.Errorf("opened a tunnel called %q", name)
			tn.Delete()
		}
	}
}
