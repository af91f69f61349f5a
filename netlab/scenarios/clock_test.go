package scenarios_test

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ginnel/netlab"
	"ginnel/platform"
)

// clockVariable is the environment variable that, not empty, says that the clock
// of this machine is ours to set.
const clockVariable = "NETLAB_CLOCK"

// longAgo is what a router's clock says when it starts; Linux refuses times that
// are before it did, by a clock set to them, and a test may run for long.
var longAgo = time.Unix(24*60*60, 0)

// clock is that of the machine that all hosts are on.
type clock struct {
	t     *testing.T
	real  time.Time // when began was read
	began time.Time
}

// takeClock is the clock until the test ends, which leaves it right.
func takeClock(t *testing.T) *clock {
	t.Helper()
	if os.Getenv(clockVariable) == "" {
		t.Fatalf("this test sets the clock, which %s must allow: run it with make qemu", clockVariable)
	}
	now := time.Now()
	c := &clock{t: t, real: now.Round(0), began: now}
	if c.real.Before(present) { // an emulated machine may have none
		c.real = present
	}
	t.Cleanup(c.right)
	return c
}

// present is a time that is not long ago.
var present = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// right sets the clock to the present.
func (c *clock) right() { c.set(c.real.Add(time.Since(c.began))) }

func (c *clock) set(to time.Time) {
	c.t.Helper()
	tv := unix.NsecToTimeval(to.UnixNano())
	if err := unix.Settimeofday(&tv); err != nil {
		c.t.Fatalf("set the clock: %v", err)
	}
}

// TestKernelClockJumps: a network that is made and joined in 1970 stays as it is
// when the clock is put right, and when it is not any more: no session ends, no
// ping is lost, status tells no nonsense, and an invitation lives as long as it
// was made for. See TestKernelClockBack for what starts anew then.
func TestKernelClockJumps(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		c := takeClock(t)
		c.set(longAgo)
		o := l.office("anna", "bob")
		late := []*machine{l.machine(l.Host("carl", o.internet)), l.machine(l.Host("dora", o.internet))}
		o.allReach(o.all()...)
		pings := startPings(o.all())
		for i, jump := range []func(){c.right, func() { c.set(longAgo) }} {
			token := o.coordinator.invite(late[i].Name(), "machines")
			jump()
			pings.goOn(t)
			for _, m := range o.all() {
				m.isRecent(t)
			}
			late[i].ginnel("join", token)
			late[i].reaches(o.peers[0], patience)
		}
		pings.noneLost(t)
	})
}

// isRecent fails the test unless m has heard of the coordinator, and of others,
// some minutes ago at most, and has no complaint.
func (m *machine) isRecent(t *testing.T) {
	t.Helper()
	n, err := m.network()
	if err != nil {
		t.Fatal(err)
	}
	old := func(at time.Time) bool { return time.Since(at.Round(0)).Abs() > time.Hour }
	if len(n.Problems) > 0 || old(n.LastContact) && n.Role == "peer" {
		t.Errorf("%s: it is %v, last contact %v, problems %q", m.Name(), time.Now(), n.LastContact, n.Problems)
	}
	for _, p := range n.Peers {
		if p.LastHandshake.IsZero() && p.Reach == "waiting" {
			continue
		}
		if old(p.LastHandshake) || !p.Connected {
			t.Errorf("%s: it is %v, last handshake with %s %v, connected %v", m.Name(), time.Now(), p.Name, p.LastHandshake, p.Connected)
		}
	}
}

// TestKernelClockBack: a router that starts in 1970 again, with the others
// having sessions with it from the present, comes back: WireGuard refuses its
// initiations, which seem to be old ones sent again, so the others have to begin.
// They do, through the mapping that the refused ones keep open in its NAT, and
// where it has got another address too.
func TestKernelClockBack(t *testing.T) {
	familiesInTurn(t, func(t *testing.T, l *lab) {
		c := takeClock(t)
		o := l.office("server")
		home := l.router("home", netlab.PortRestricted, o.internet, 1)
		router := l.join(o.coordinator, l.Host("router", home.LAN), "machines")
		all := append(o.all(), router)
		o.allReach(all...)
		for _, moved := range []bool{false, l.family == ipv4} { // in IPv6 a router's address is not that of those behind it
			router.daemon.Kill()
			if err := router.wireguard("home", platform.Tunnel.Delete); err != nil {
				t.Fatal(err)
			}
			if moved {
				home.WAN.SetAddress(l.public(78).String())
			}
			c.set(longAgo)
			began := time.Now()
			router.start()
			router.reaches(o.coordinator, 2*patience+5*time.Minute)
			t.Logf("moved %v: the coordinator is reached after %v", moved, time.Since(began))
			router.reaches(o.peers[0], 2*patience+5*time.Minute)
			c.right()
			o.allReach(all...)
		}
	})
}
