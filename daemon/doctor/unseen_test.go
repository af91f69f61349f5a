package doctor

import (
	"strings"
	"testing"

	"ginnel/daemon/local"
	"ginnel/platform"
)

// TestLessSeen: what only root may look at is not checked, and nothing is
// wrong for that.
func TestLessSeen(t *testing.T) {
	f := healthy()
	f.Config.Err, f.State.Err, f.FiltersErr = platform.ErrPermission, platform.ErrPermission, platform.ErrPermission
	n := home(f)
	n.Config, n.StateErr, n.Hosts = nil, platform.ErrPermission, nil
	r := Examine(f)
	unseen := map[string]bool{"configuration": true, "files": true, "firewall": true, "names": true, "ports": true}
	for _, x := range r.Findings {
		if want := unseen[x.Check]; want != (x.Verdict == NotChecked) || x.Verdict == Failed {
			t.Errorf("%s is %s: %q", x.Check, x.Verdict, x.Seen)
		}
	}
	if r.Verdict != OK || !strings.Contains(r.Summary, "5 of") {
		t.Errorf("%s: %q", r.Verdict, r.Summary)
	}
}

// TestOldIptables: rules that cannot be read may be in the way where nobody is
// known to get in, and that is said.
func TestOldIptables(t *testing.T) {
	for name, spoil := range map[string]func(*Facts){
		"peer":              func(f *Facts) { silent(f) },
		"coordinator":       func(f *Facts) { coordinating(f).Status.Peers[0].Connected = false },
		"coordinator alone": func(f *Facts) { coordinating(f).Status = nil },
		"without nftables":  func(f *Facts) { silent(f); f.FiltersErr = platform.ErrUnsupported },
	} {
		f := healthy()
		f.Machine.LegacyFilter = true
		spoil(f)
		seen := false
		for _, x := range Examine(f).Findings {
			seen = seen || x.Check == "firewall" && x.Verdict == NotChecked && strings.Contains(x.Seen, "may block") && strings.Contains(x.Advice[0], "iptables-legacy -S")
		}
		if !seen {
			t.Errorf("%s: not told: %+v", name, Examine(f).Findings)
		}
	}
}

// TestNoTime: where there was no time to ask, what the tunnel shows counts.
func TestNoTime(t *testing.T) {
	f := healthy()
	home(f).API = API{}
	for _, x := range Examine(f).Findings {
		if x.Verdict == Failed || x.Check == "handshake" && x.Verdict != OK || x.Check == "api" && x.Verdict != NotChecked {
			t.Errorf("%s is %s: %q", x.Check, x.Verdict, x.Seen)
		}
	}
}

// TestJoiningWithoutState: nobody knows whether a network that is being joined
// has lost its state: that is neither a fault nor in order.
func TestJoiningWithoutState(t *testing.T) {
	f := healthy()
	n := silent(f)
	n.Status = &local.Network{Name: "home", State: local.Joining, Error: "no answer"}
	n.StateErr = platform.ErrNotExist
	if got := checkState(&exam{Facts: f, n: n}); got != nil {
		t.Errorf("without a state: %s: %s", got.Verdict, got.Seen)
	}
	n.StateErr, n.Status.State = platform.ErrPermission, local.Up
	if got := checkState(&exam{Facts: f, n: n}); got == nil || got.Verdict != OK {
		t.Errorf("a state that only the daemon may read: %+v", got)
	}
}
