package daemon_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/platform"
)

// TestForeignLink: a link that has the network's name and is somebody else's is
// left as it is, while the network runs, when it is switched off, and by Clear.
func TestForeignLink(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		ann := r.machine("ann")
		r.join(ann, "home", "servers")
		ann.SetLink("home", netip.MustParsePrefix("198.51.100.7/24"))
		before := ann.String()
		same := func(when string) {
			t.Helper()
			if after := ann.String(); after != before {
				t.Errorf("%s: the machine is\n%swas\n%s", when, after, before)
			}
		}
		r.find("hub").start()
		ann.start()
		r.pass(5 * time.Minute)
		same("while the network runs")
		if n := ann.status("home"); n.State != local.Failed || !strings.Contains(n.Error, "exists already") {
			t.Errorf("status is %+v", n)
		}
		ann.configure(func(c *config.Config) { c.Networks[0].Enabled = false })
		same("switched off")
		r.ok(daemon.Clear(ann.system, ann.dir, &ann.cfg.Networks[0]))
		same("cleared")

		ann.configure(func(c *config.Config) { c.Networks[0].Enabled = true })
		r.ok(ann.RemoveLink("home"))
		r.within(5*time.Minute, "the network, once the name is free", ann.sees("hub"))
	})
}

// TestCheckFree: only a name without a link is free.
func TestCheckFree(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		hub := r.find("hub")
		r.ok(daemon.CheckFree(hub, "home"))
		if err := daemon.CheckFree(hub, "eth0"); err == nil || !strings.Contains(err.Error(), "there is an interface eth0") {
			t.Errorf("error is %v", err)
		}
		hub.Fail("observe net", 1, platform.ErrPermission)
		if err := daemon.CheckFree(hub, "home"); !errors.Is(err, platform.ErrPermission) {
			t.Errorf("error is %v", err)
		}
		hub.start() // the rig searches the log
		r.pass(time.Second)
	})
}
