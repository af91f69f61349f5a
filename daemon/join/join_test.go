package join_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ginnel/daemon/config"
	"ginnel/daemon/join"
	"ginnel/network"
	"ginnel/platform"
	"ginnel/platform/fake"
	"ginnel/wire"
)

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, test func(t *testing.T, w *world)) {
	synctest.Test(t, func(t *testing.T) { test(t, newWorld(t)) })
}

func TestJoin(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		inv := w.invite("fay")
		j, err := w.redeem(t.Context(), inv)
		w.confirmed(j, err)
		want := config.New("home", config.Peer)
		want.Endpoints, want.ListenPort = inv.Coordinator.Endpoints, j.Config.ListenPort
		if !j.Config.Equal(&want) || want.ListenPort == 0 || want.ListenPort == wire.SignalPort {
			t.Errorf("section is %+v", j.Config)
		}
		info, err := os.Stat(w.statePath())
		must(t, err)
		if info.Mode() != 0o600 {
			t.Errorf("mode of the state is %v, want 0600", info.Mode())
		}
	})
}

func TestJoinKeepsWantedOptions(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		wanted := config.New("", "")
		wanted.ListenPort, wanted.MTU, wanted.Routes, wanted.Hosts = 4711, 1400, false, config.NoHosts
		inv := w.invite("fay")
		j, err := join.Redeem(t.Context(), w.system(), w.stateDir, inv, wanted)
		w.confirmed(j, err)
		wanted.Name, wanted.Role, wanted.Endpoints = "home", config.Peer, inv.Coordinator.Endpoints
		if !j.Config.Equal(&wanted) {
			t.Errorf("section is %+v, want %+v", j.Config, wanted)
		}
	})
}

// TestUnreachable: however many endpoints there are, each is tried, the join
// ends in bounded time with a reason, and nothing is left.
func TestUnreachable(t *testing.T) {
	for name, endpoints := range map[string][]string{
		"a dead address":    {"192.0.2.99:51820"},
		"an unknown name":   {"gone.example:51820"},
		"an empty name":     {"empty.example:51820"},
		"as many as can be": {"192.0.2.91:1", "192.0.2.92:1", "192.0.2.93:1", "192.0.2.94:1", "192.0.2.95:1", "192.0.2.96:1", "192.0.2.97:1", "gone.example:1"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.dns["empty.example"] = ""
				inv := w.invite("fay")
				inv.Coordinator.Endpoints = endpoints
				began := time.Now()
				_, err := w.redeem(t.Context(), inv)
				if took := time.Since(began); took > 40*time.Second {
					t.Errorf("it took %v", took)
				}
				last, _, _ := strings.Cut(endpoints[len(endpoints)-1], ":")
				wantError(t, err, "no answer from the coordinator", last)
				if strings.Contains(err.Error(), "%!") {
					t.Errorf("error is %q", err)
				}
				if w.lookUps > 100 {
					t.Errorf("%d names were looked up: there is no pace", w.lookUps)
				}
				w.nothingLeft()
			})
		})
	}
}

func TestSeveralEndpoints(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		inv := w.invite("fay")
		inv.Coordinator.Endpoints = []string{"192.0.2.99:51820", "gone.example:51820", "[2001:db8::1]:51820", "hub.example:51820"}
		w.confirmed(w.redeem(t.Context(), inv))
	})
}

// TestEveryEndpointHasItsTurn: the last of as many endpoints as an invitation
// can have is tried, although the dead ones before it swallow packets.
func TestEveryEndpointHasItsTurn(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		inv := w.invite("fay")
		inv.Coordinator.Endpoints = nil
		for i := range wire.MaxInvitingEndpoints - 1 {
			inv.Coordinator.Endpoints = append(inv.Coordinator.Endpoints, fmt.Sprintf("192.0.2.%d:51820", 91+i))
		}
		inv.Coordinator.Endpoints = append(inv.Coordinator.Endpoints, "hub.example:51820")
		sys := w.system()
		sys.Sockets = patient{w.peer}
		j, err := join.Redeem(t.Context(), sys, w.stateDir, inv, config.New("", ""))
		w.confirmed(j, err)
	})
}

// TestAddressesFirst: where an address leads to the coordinator nothing is
// looked up.
func TestAddressesFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		inv := w.invite("fay")
		inv.Coordinator.Endpoints = []string{"hub.example:51820", netip.AddrPortFrom(hubAddr, 51820).String()}
		j, err := join.Redeem(t.Context(), w.system(), w.stateDir, inv, config.New("", ""))
		w.confirmed(j, err)
		if w.lookUps != 0 {
			t.Errorf("%d names were looked up", w.lookUps)
		}
	})
}

// patient dials as a kernel does: it waits for an answer as long as it may.
type patient struct{ platform.Sockets }

// DialTCP implements platform.Sockets.
func (p patient) DialTCP(ctx context.Context, link string, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	c, err := p.Sockets.DialTCP(ctx, link, from, to)
	if err != nil {
		<-ctx.Done()
	}
	return c, err
}

// TestUsedInvitation: the coordinator's tunnel does not know the invitation's
// key any more, so nothing answers.
func TestUsedInvitation(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		inv := w.invite("fay")
		w.net.MustDo(network.Redeem{Address: inv.Address, Invited: inv.Key.Public(), Key: w.net.Source.PrivateKey().Public()})
		w.sync()
		_, err := w.redeem(t.Context(), inv)
		wantError(t, err, "neither used nor expired")
		w.nothingLeft()
	})
}

func TestStateExists(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.confirmed(w.redeem(t.Context(), w.invite("fay")))
		before, err := os.ReadFile(w.statePath())
		must(t, err)
		_, err = w.redeem(t.Context(), w.invite("gus"))
		wantError(t, err, "already, as fay", "`ginnel leave home`")
		after, err := os.ReadFile(w.statePath())
		must(t, err)
		if string(before) != string(after) {
			t.Error("the state of the network was changed")
		}
		w.untouched()
	})
}

// TestStrangersInterface: an interface that somebody else made is neither used
// nor deleted.
func TestStrangersInterface(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		_, err := w.peer.Open("home", 1420)
		must(t, err)
		w.empty = w.peer.String()
		_, err = w.redeem(t.Context(), w.invite("fay"))
		wantError(t, err, "there is an interface home on this machine already")
		w.nothingLeft()
	})
}

// TestSystemFails: whatever the system refuses, nothing is left.
func TestSystemFails(t *testing.T) {
	for _, test := range []struct {
		op fake.Op
		n  int
	}{
		{fake.OpenTunnel, 1}, {fake.ApplyTunnel, 1}, {fake.ApplyTunnel, 2}, {fake.ObserveNet, 1}, {fake.ObserveNet, 2}, {fake.ApplyNet, 1},
	} {
		t.Run(string(test.op), func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				broken := errors.New("broken")
				w.peer.Fail(test.op, test.n, broken)
				if _, err := w.redeem(t.Context(), w.invite("fay")); !errors.Is(err, broken) {
					t.Errorf("error is %v, want the system's", err)
				}
				w.nothingLeft()
			})
		})
	}
}

func TestPortInUse(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.peer.TakePort(4711)
		wanted := config.New("", "")
		wanted.ListenPort = 4711
		_, err := join.Redeem(t.Context(), w.system(), w.stateDir, w.invite("fay"), wanted)
		wantError(t, err, "4711", "in use")
		w.nothingLeft()
	})
}

func TestNoStateDirectory(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		inv := w.invite("fay")
		must(t, os.Remove(w.stateDir))
		if _, err := w.redeem(t.Context(), inv); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error is %v, want that the directory does not exist", err)
		}
		w.untouched()
	})
}

// TestInterrupted: before anything may have reached the coordinator nothing is
// left.
func TestInterrupted(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Cut(hubAddr, peerAddr)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		time.AfterFunc(2*time.Second, cancel)
		began := time.Now()
		_, err := w.redeem(ctx, w.invite("fay"))
		wantError(t, err, "interrupted")
		if took := time.Since(began); !errors.Is(err, context.Canceled) || took > 3*time.Second {
			t.Errorf("error after %v is %v", took, err)
		}
		w.nothingLeft()
	})
}

// TestIPv6Endpoint joins by an IPv6 endpoint.
func TestIPv6Endpoint(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.hub.SetLink("eth1", netip.MustParsePrefix("2001:db8::1/64"))
		w.peer.SetLink("eth1", netip.MustParsePrefix("2001:db8::2/64"))
		w.empty = w.peer.String()
		inv := w.invite("fay")
		inv.Coordinator.Endpoints = []string{"[2001:db8::1]:51820"}
		w.confirmed(w.redeem(t.Context(), inv))
	})
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error is %v, want one that says %q", err, part)
		}
	}
}
