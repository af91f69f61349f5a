package daemon_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/local"
	"ginnel/network"
)

func TestNetworkComesUp(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers", "bob": "servers", "carl": "phones"})
		r.within(5*time.Second, "sessions", func() bool {
			return r.find("hub").sees("ann", "bob", "carl")() && r.find("ann").sees("bob", "hub")() &&
				r.find("bob").sees("ann", "hub")() && r.find("carl").sees("hub")()
		})
		names := "names of home\n  10.42.0.1 hub.home.wg\n  10.42.1.1 ann.home.wg\n  10.42.1.2 bob.home.wg\n"
		if m := r.find("ann"); !m.has(names) {
			t.Errorf("names are missing on\n%s", m)
		}
		s := r.find("carl").status("home")
		if s.State != local.Up || s.Error != "" || len(s.Problems) > 0 || s.ListenPort != 51820 || s.Backend != "kernel" || s.LastContact.IsZero() {
			t.Errorf("status is %+v", s)
		}
	})
}

func TestAssociationIsSeenByBoth(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers", "carl": "phones"})
		ann, carl := r.find("ann"), r.find("carl")
		r.within(5*time.Second, "maps", func() bool { return ann.sees("hub")() && carl.sees("hub")() })
		r.do("home", network.Associate{A: "servers", B: "phones"})
		r.within(time.Second, "a session between ann and carl", func() bool { return ann.sees("carl", "hub")() && carl.sees("ann", "hub")() })
		if !ann.has("carl.home.wg") || !carl.has("ann.home.wg") {
			t.Errorf("names are missing:\n%s\n%s", ann, carl)
		}
	})
}

// TestSightings checks that the role learns from the tunnel where peers are:
// those who report no candidates find each other by that, and soon.
func TestSightings(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		for _, name := range []string{"ann", "bob"} {
			m := r.machine(name)
			r.join(m, "home", "servers")
			m.cfg.Networks[0].Exclude = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		}
		for _, m := range r.machines {
			m.start()
		}
		ann, bob := r.find("ann"), r.find("bob")
		r.within(2*time.Second, "a session", func() bool { return ann.sees("bob", "hub")() && bob.sees("ann", "hub")() })
	})
}

func TestDisabledPeerIsDropped(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers", "bob": "servers"})
		hub, ann, bob := r.find("hub"), r.find("ann"), r.find("bob")
		r.within(5*time.Second, "sessions", func() bool { return hub.sees("ann", "bob")() && ann.sees("bob", "hub")() })
		k := bob.status("home").PublicKey.String()
		r.do("home", network.SetDisabled{Name: "bob", Disabled: true})
		r.within(2*time.Second, "bob is out of all tunnels", func() bool {
			return !hub.has("peer "+k) && !ann.has("peer "+k) && !ann.has("bob.home.wg")
		})
		if strings.Contains(ann.String(), "bob") {
			t.Errorf("bob is still on\n%s", ann)
		}
	})
}
