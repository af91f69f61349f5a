package daemon_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/join"
	"ginnel/daemon/local"
	"ginnel/network"
	"ginnel/platform"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// ask sends a request to home's coordinator through m's daemon.
func (m *machine) ask(method, path string, body any) (*http1.Response, error) {
	r := &http1.Request{Method: method, Path: path, Header: map[string][]string{}}
	if body != nil {
		r.Body, _ = json.Marshal(body)
		r.Header.Set("Content-Type", "application/json")
	}
	return m.daemon.Coordinator(m.rig.Context(), "home", r)
}

func TestForward(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers", "bob": "servers"})
		hub, ann, bob := r.find("hub"), r.find("ann"), r.find("bob")
		r.within(5*time.Second, "sessions", hub.sees("ann", "bob"))
		r.do("home", network.SetAdmin{Name: "ann", Admin: true})
		for _, test := range []struct {
			m    *machine
			want int
		}{{hub, wire.StatusOK}, {ann, wire.StatusOK}, {bob, wire.StatusForbidden}} {
			resp, err := test.m.ask("GET", wire.PathPeers, nil)
			if err != nil || resp.Status != test.want {
				t.Errorf("%s: %+v, %v, want %d", test.m.name, resp, err, test.want)
			}
		}
		hub.halt()
		r.ok(hub.SetUp("home", false))
		wantProblem(t, wire.StatusBadGateway, "cannot be reached")(ann.ask("GET", wire.PathPeers, nil))
		wantProblem(t, wire.StatusUnavailable, "not running")(hub.ask("GET", wire.PathPeers, nil))
		_, err := ann.daemon.Coordinator(t.Context(), "lab", &http1.Request{Method: "GET", Path: wire.PathPeers})
		wantProblem(t, wire.StatusNotFound, "lab")(nil, err)
	})
}

func wantProblem(t *testing.T, status int, text string) func(*http1.Response, error) {
	return func(resp *http1.Response, err error) {
		t.Helper()
		var p *wire.Problem
		if !errors.As(err, &p) || p.Status != status || !strings.Contains(p.Detail, text) {
			t.Errorf("answer is %+v, %v, want problem %d with %q", resp, err, status, text)
		}
	}
}

// TestBusy checks that a network that hangs in the operating system is shown
// as busy, not as up, and that the others, and requests, are not held up.
func TestBusy(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		hub, ann := r.find("hub"), r.machine("ann")
		r.create(hub, "lab", "10.43.0.0/16")
		r.join(ann, "home", "servers")
		r.join(ann, "lab", "lab")
		slow := &slowNetwork{Network: ann.OS, link: "lab", until: make(chan struct{}), hangs: make(chan struct{})}
		ann.system.Network = slow
		hub.start()
		ann.start()
		<-slow.hangs
		r.within(20*time.Second, "the other network", ann.sees("hub"))
		began := time.Now()
		n := ann.status("lab")
		if took := time.Since(began); took > 6*time.Second || n.State != local.Unknown || !strings.Contains(n.Error, "busy") {
			t.Errorf("status after %v is %+v", took, n)
		}
		began = time.Now()
		_, err := ann.daemon.Coordinator(t.Context(), "lab", &http1.Request{Method: "GET", Path: wire.PathPeers})
		wantProblem(t, wire.StatusBadGateway, "lab")(nil, err)
		if took := time.Since(began); took > 16*time.Second {
			t.Errorf("the request took %v", took)
		}
		close(slow.until)
		r.within(20*time.Second, "the network", func() bool { return inLab(ann) })
	})
}

// TestStarting asks while a network is being opened.
func TestStarting(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		hub := r.find("hub")
		if s, err := daemon.New(daemon.Options{}).Status(t.Context()); err != nil || len(s.Networks) != 0 {
			t.Errorf("status before Run is %+v, %v", s, err)
		}
		hub.hold = make(chan struct{})
		hub.start()
		if n := hub.status("home"); n.State != local.Failed || n.Error != "is starting" {
			t.Errorf("status is %+v", n)
		}
		wantProblem(t, wire.StatusUnavailable, "is starting")(hub.ask("GET", wire.PathPeers, nil))
		close(hub.hold)
		r.within(time.Second, "the network", func() bool { return hub.status("home").State == local.Up })
	})
}

// slowNetwork hangs in the first Observe of a link.
type slowNetwork struct {
	platform.Network
	link         string
	once         sync.Once
	hangs, until chan struct{}
}

// Observe implements platform.Network.
func (s *slowNetwork) Observe(link string, st *platform.NetState) error {
	if link == s.link {
		s.once.Do(func() { close(s.hangs) })
		<-s.until
	}
	return s.Network.Observe(link, st)
}

// TestJoin redeems an invitation that the coordinator's API made, and starts
// the daemon with it.
func TestJoin(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers"})
		hub, carl := r.find("hub"), r.machine("carl")
		r.within(5*time.Second, "a session", hub.sees("ann"))
		resp, err := hub.ask("POST", wire.PathInvitations, wire.InvitationRequest{Name: "carl", CIDR: "servers"})
		r.ok(err)
		var issued wire.InvitationIssued
		r.ok(json.Unmarshal(resp.Body, &issued))
		inv, err := wire.ParseInvitation(issued.Token)
		r.ok(err)
		r.keep(inv.Key, issued.Token, strings.TrimPrefix(issued.Token, wire.TokenPrefix))

		wanted := config.New("", config.Peer)
		wanted.ListenPort = 51820
		began := time.Now()
		j, err := join.Redeem(t.Context(), carl.system, carl.dir, inv, wanted)
		r.ok(err)
		r.ok(j.Confirm())
		carl.cfg.Networks = append(carl.cfg.Networks, j.Config)
		carl.start()
		r.within(2*time.Second, "sessions", func() bool { return carl.sees("ann", "hub")() && r.find("ann").sees("carl", "hub")() })
		t.Logf("from invitation to all sessions in %v", time.Since(began))
		if p, ok := r.book("home").PeerNamed("carl"); !ok || p.IsInvited() || carl.status("home").Self.Address != p.Address {
			t.Errorf("the book has %+v", p)
		}
	})
}

// TestConcurrentCalls makes every call at once, while networks come and go.
func TestConcurrentCalls(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		_, ann := twoNetworks(r)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var calls sync.WaitGroup
		for _, call := range []func(){
			func() { ann.daemon.Status(ctx) },
			func() { ann.daemon.Reload(ctx) },
			func() { ann.ask("GET", wire.PathPeers, nil) },
			func() {
				ann.configure(edit("lab", func(n *config.Network) { n.Enabled = !n.Enabled }))
			},
			func() { ann.RemoveLink("home") },
		} {
			calls.Go(func() {
				for ctx.Err() == nil {
					call()
					<-time.After(70 * time.Millisecond)
				}
			})
		}
		calls.Wait()
		ann.configure(edit("lab", func(n *config.Network) { n.Enabled = true }))
		r.within(time.Minute, "both networks", func() bool { return inLab(ann) && ann.sees("hub")() })
	})
}

// TestCallsWhileStopping checks that no call waits for a daemon that ends, and
// that none starts anything after it.
func TestCallsWhileStopping(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers"})
		hub := r.find("hub")
		r.within(5*time.Second, "a session", hub.sees("ann"))
		// A client that asks and does not read keeps the server for its grace.
		conn, err := r.find("ann").DialTCP(t.Context(), "home", netip.Addr{}, netip.MustParseAddrPort("10.42.0.1:51820"))
		r.ok(err)
		defer conn.Close()
		if _, err := conn.Write([]byte("GET /v1/map HTTP/1.1\r\n")); err != nil {
			t.Fatal(err)
		}
		stopped := make(chan struct{})
		go func() { defer close(stopped); hub.halt() }()
		r.pass(100 * time.Millisecond)
		began := time.Now()
		if n := hub.status("home"); n.State != local.Failed || n.Error != "is stopping" || time.Since(began) > time.Second {
			t.Errorf("status after %v is %+v", time.Since(began), n)
		}
		<-stopped
	})
}
