package daemon_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ginnel/daemon/local"
	"ginnel/network"
	"ginnel/platform"
)

// TestInterfaceDeleted deletes the interface of a peer, and of the coordinator:
// it is made again, and its sockets are opened again.
func TestInterfaceDeleted(t *testing.T) {
	for _, name := range []string{"ann", "hub"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.peers(map[string]string{"ann": "servers", "carl": "phones"})
				hub, ann, m := r.find("hub"), r.find("ann"), r.find(name)
				r.within(5*time.Second, "sessions", func() bool { return hub.sees("ann", "carl")() && ann.sees("hub")() })
				r.pass(10 * time.Second)
				r.ok(m.RemoveLink("home"))
				r.within(2*time.Second, "the interface", func() bool { return m.has("tunnel home up") })
				r.within(5*time.Minute, "sessions again", func() bool { return hub.sees("ann", "carl")() && ann.sees("hub")() })
				r.pass(time.Minute)
				r.do("home", network.Associate{A: "servers", B: "phones"})
				r.within(2*time.Second, "news by signal", ann.sees("carl", "hub"))
				if got := m.status("home"); got.State != local.Up || len(got.Problems) > 0 {
					t.Errorf("status is %+v", got)
				}
			})
		})
	}
}

// TestCleanStop checks that the tunnel stays as it is configured, and that all
// goroutines end: the bubble waits for them.
func TestCleanStop(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers"})
		ann := r.find("ann")
		r.within(5*time.Second, "a session", ann.sees("hub"))
		for _, m := range r.machines {
			before := withoutTraffic(m)
			began := time.Now()
			m.halt()
			if after := withoutTraffic(m); after != before {
				t.Errorf("after the stop the machine is\n%swas\n%s", after, before)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("stopping took %v", took)
			}
		}
		s, err := ann.daemon.Status(t.Context())
		if err != nil || s.Networks[0].State != local.Failed || s.Networks[0].Error != "is stopping" {
			t.Errorf("status after the end is %+v, %v", s, err)
		}
	})
}

// withoutTraffic is the machine without handshakes and counters.
func withoutTraffic(m *machine) string {
	var b strings.Builder
	for line := range strings.Lines(m.String()) {
		if !strings.Contains(line, "handshake") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestRoleFails(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers", "carl": "phones"})
		hub, ann := r.find("hub"), r.find("ann")
		r.within(5*time.Second, "sessions", hub.sees("ann", "carl"))
		hub.role("home").fail(errors.New("out of paper"))
		r.pass(100 * time.Millisecond)
		if n := hub.status("home"); n.State != local.Failed || !strings.Contains(n.Error, "out of paper") || !hub.has("tunnel home up") {
			t.Errorf("status is %+v on\n%s", n, hub)
		}
		r.within(5*time.Second, "the network again", func() bool { return hub.status("home").State == local.Up && hub.sees("ann", "carl")() })
		r.do("home", network.Associate{A: "servers", B: "phones"})
		r.within(5*time.Second, "the new role speaks", ann.sees("carl", "hub"))

		for range 5 { // with each failure it waits longer, until it has run for a while
			r.within(time.Minute, "the network again", func() bool { return hub.role("home") != nil })
			hub.role("home").fail(errors.New("out of paper"))
			r.pass(time.Second)
		}
		failed := time.Now()
		r.within(time.Minute, "the network again", func() bool { return hub.role("home") != nil })
		if waited := time.Since(failed); waited < 10*time.Second {
			t.Errorf("after many failures it waited %v", waited)
		}
		r.pass(2 * time.Minute)
		hub.role("home").fail(errors.New("out of paper"))
		r.pass(time.Second / 2)
		r.within(2*time.Second, "the network soon", func() bool { return hub.role("home") != nil && hub.status("home").State == local.Up })
	})
}

// TestBehaviour52And53RestartWhileTheCoordinatorIsAway restarts a peer while the coordinator is away: with the
// map that was saved it goes on, without one it says what is wrong.
func TestBehaviour52And53RestartWhileTheCoordinatorIsAway(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers", "bob": "servers"})
		hub, ann, bob := r.find("hub"), r.find("ann"), r.find("bob")
		r.within(5*time.Second, "sessions", func() bool { return ann.sees("bob", "hub")() && bob.sees("ann", "hub")() })
		r.pass(time.Minute)
		hub.halt()
		r.ok(hub.SetUp("home", false))
		ann.halt()
		r.ok(ann.RemoveLink("home"))
		ann.start()
		r.within(5*time.Second, "a session with bob, where he was", ann.sees("bob"))
		if !ann.has("bob.home.wg") {
			t.Errorf("names are missing on\n%s", ann)
		}

		dora := r.machine("dora")
		r.books["home"] = stoppedBook(r, hub)
		r.join(dora, "home", "servers")
		dora.start()
		r.pass(time.Minute)
		if n := dora.status("home"); len(n.Problems) == 0 || !strings.Contains(n.Problems[0], "cannot reach the coordinator") || !n.LastContact.IsZero() {
			t.Errorf("status without coordinator and map is %+v", n)
		}
	})
}

// TestWatchFails checks that a kernel that tells nothing is not asked all the
// time, and that the log is not filled.
func TestWatchFails(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		ann, hub := r.machine("ann"), r.find("hub")
		deaf := &deafNetwork{Network: ann.OS}
		ann.system.Network = deaf
		hub.system.Network = &deafNetwork{Network: hub.OS}
		r.join(ann, "home", "servers")
		for _, m := range r.machines {
			m.start()
		}
		r.within(5*time.Second, "the map", func() bool { return ann.sees("hub")() && ann.has("hub.home.wg") })
		r.pass(10 * time.Minute)
		if n := deaf.asked.Load(); n < 5 || n > 20 {
			t.Errorf("it was asked %d times in ten minutes", n)
		}
		if n := strings.Count(r.log.String(), "noticed late"); n != 2 {
			t.Errorf("it was logged %d times, want once on each machine", n)
		}
	})
}

type deafNetwork struct {
	platform.Network
	asked atomic.Int32
}

// Watch implements platform.Network.
func (d *deafNetwork) Watch(context.Context, func()) error {
	d.asked.Add(1)
	return platform.ErrUnsupported
}

// TestDoorsOpenAgain checks that sockets that could not be opened, or ended by
// themselves, are open soon after it is possible.
func TestDoorsOpenAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		hub := r.find("hub")
		doors := &stuckSockets{Sockets: hub.OS}
		doors.stick(platform.ErrInUse)
		hub.system.Sockets = doors
		r.peers(map[string]string{"ann": "servers", "carl": "phones"})
		ann := r.find("ann")
		r.pass(20 * time.Second)
		n := hub.status("home")
		problems := strings.Join(n.Problems, " ")
		if !strings.Contains(problems, "no signals") || !strings.Contains(problems, "API is not served: in use") || !n.LastContact.IsZero() && n.State != local.Up {
			t.Errorf("status is %+v", n)
		}
		if said := strings.Count(r.log.String(), "a socket is not open"); said != 1 {
			t.Errorf("it was logged %d times", said)
		}
		doors.stick(nil)
		r.within(3*time.Second, "no problem", func() bool { return len(hub.status("home").Problems) == 0 })
		r.within(time.Minute, "ann's map", func() bool { return ann.has("hub.home.wg") })

		doors.breakAll()
		r.pass(3 * time.Second)
		r.do("home", network.Associate{A: "servers", B: "phones"})
		r.within(time.Second, "news by signal and API", ann.sees("carl", "hub"))
	})
}

// stuckSockets are sockets that cannot be opened for a while, or break.
type stuckSockets struct {
	platform.Sockets
	mu     sync.Mutex
	err    error
	opened []interface{ Close() error }
}

func (s *stuckSockets) stick(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// breakAll ends all sockets, as they would by themselves.
func (s *stuckSockets) breakAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.opened {
		c.Close()
	}
}

// ListenTCP implements platform.Sockets.
func (s *stuckSockets) ListenTCP(link string, a netip.AddrPort) (net.Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	l, err := s.Sockets.ListenTCP(link, a)
	if err == nil {
		s.opened = append(s.opened, l)
	}
	return l, err
}

// ListenUDP implements platform.Sockets.
func (s *stuckSockets) ListenUDP(link string, a netip.AddrPort) (platform.UDPConn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	c, err := s.Sockets.ListenUDP(link, a)
	if err == nil {
		s.opened = append(s.opened, c)
	}
	return c, err
}
