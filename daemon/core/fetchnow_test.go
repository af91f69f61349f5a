package core_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/core"
	"ginnel/platform"
	"ginnel/wire"
)

// TestBehaviour49FetchNow: who asks is told once what was answered is applied,
// the tunnel and the names, and otherwise what failed.
func TestBehaviour49FetchNow(t *testing.T) {
	s := ready(t)
	s.step(time.Second, core.FetchNow{Ticket: 1}, "fetch 1/1/1")
	s.step(0, core.Fetched{Update: s.delta(2, 2, hosts(ben), benMember(wire.Endpoints{}))},
		"save 2 with 2", "tunnel +benk0", "names hub.lab.wg ann.lab.wg ben.lab.wg")
	names := s.last[2]
	for _, line := range s.applied() {
		if strings.HasPrefix(line, "done") {
			t.Error("told before the names are written")
		}
	}
	s.step(0, core.Applied{Action: names}, "done 1: <nil>")

	s.step(time.Second, core.FetchNow{Ticket: 2}, "fetch 2/1/2")
	s.step(0, core.Fetched{Update: s.delta(2, 3, nil)}, "done 2: <nil>") // no news
	s.step(time.Second, core.FetchNow{Ticket: 3}, "fetch 2/1/3")
	s.step(0, core.Fetched{Update: s.delta(3, 4, hosts(ben))}, "save 3 with 1", "tunnel -ben", "names hub.lab.wg ann.lab.wg")
	s.step(0, core.Applied{Action: s.last[1], Err: errors.New("it is jammed")}, "say tunnel", "done 3: cannot change the tunnel: it is jammed")
}

// TestFetchNowWaitsForTheTunnel: until it was looked at, and until the changes
// to it are made, though the names are written.
func TestFetchNowWaitsForTheTunnel(t *testing.T) {
	s := newScript(t, annConfig())
	told := func(lines []string) (told bool) {
		for _, l := range lines {
			told = told || strings.HasPrefix(l, "done")
		}
		return told
	}
	answerNames := func() (lines []string) {
		for _, a := range s.last {
			if names, ok := a.(core.SetNames); ok {
				lines = append(lines, s.do(0, core.Applied{Action: names})...)
			}
		}
		return lines
	}
	s.do(0, core.Started{})
	s.do(0, core.FetchNow{Ticket: 1})
	s.do(0, core.Fetched{Update: whole(1, hubMember(), benMember(wire.Endpoints{}))})
	if told(answerNames()) {
		t.Error("told before the tunnel was looked at")
	}
	s.do(0, linkUp)
	s.do(0, underlay("192.168.1.3/24"))
	if told(s.do(0, core.TunnelObserved{State: &s.tun})) {
		t.Error("told before the tunnel is changed")
	}
	if !told(s.applied()) {
		t.Error("not told")
	}
	s.do(time.Second, core.FetchNow{Ticket: 2})
	s.do(0, core.Fetched{Update: s.delta(2, 2, hosts(ben))}) // nothing is begun: the removal is all there is
	removal := s.last
	if told(answerNames()) {
		t.Error("told before the tunnel is changed, when nothing else is to do")
	}
	s.last = removal
	if !told(s.applied()) {
		t.Error("the removal: not told")
	}
}

// TestFetchNowFails: each way in which a Fetch fails is told, once.
func TestFetchNowFails(t *testing.T) {
	for want, ev := range map[string]core.Fetched{
		"done 1: away":               {Err: errors.New("away")},
		"done 1: it does not answer": {},
		"done 1: context deadline exceeded: the coordinator is away, or an admin has disabled or removed this peer": {Err: context.DeadlineExceeded},
		"done 1: you are disabled": {Err: wire.Errorf(wire.StatusForbidden, "you are disabled")},
		"done 1: it is busy":       {Err: wire.Errorf(wire.StatusUnavailable, "it is busy")},
		"done 1: its root CIDR":    {Update: &wire.Update{Position: wire.Position{Revision: 2}, Network: "lab", Root: root, Self: hubMember()}},
	} {
		s := ready(t)
		s.step(time.Second, core.FetchNow{Ticket: 1}, "fetch 1/1/1")
		if ev.Update != nil {
			ev.Update = whole(2, hubMember())
			ev.Update.Root = netip.MustParsePrefix("10.0.0.0/8")
			ev.Update.Ranges[0] = ev.Update.Root
		}
		told := 0
		for _, line := range append(s.do(0, ev), s.do(time.Minute, core.Fetched{Err: errAway})...) {
			if strings.HasPrefix(line, want) {
				told++
			}
		}
		if told != 1 {
			t.Errorf("%q is told %d times", want, told)
		}
	}
}

// TestFetchNowIsAFetchOfItsOwn: an answer that is under way may be older than
// the wish, and one that fails is not waited after.
func TestFetchNowIsAFetchOfItsOwn(t *testing.T) {
	s := ready(t)
	s.do(0, core.Applied{Action: core.SetNames{Entries: []platform.HostEntry{
		{Address: hub, Names: []string{"hub.lab.wg"}}, {Address: ann, Names: []string{"ann.lab.wg"}},
	}}})
	s.nudge(2)
	s.step(0, core.FetchNow{Ticket: 1})
	s.step(0, core.Fetched{Update: s.delta(2, 2, nil)}, "fetch 2/1/2")
	s.step(0, core.FetchNow{Ticket: 2})
	s.step(0, core.Fetched{Err: errAway}, "done 1: connection refused", "fetch 2/1/2")
	s.step(0, core.Fetched{Update: s.delta(2, 3, nil)}, "done 2: <nil>")
}

// TestBusyCoordinatorsPeersComeApart: those that were told to come back later
// do not come at the same moment again, nor much later than the others.
func TestBusyCoordinatorsPeersComeApart(t *testing.T) {
	wait := func(jitter float64) time.Duration {
		cfg := annConfig()
		cfg.Jitter = jitter
		s := newScript(t, cfg)
		s.do(0, core.Started{})
		s.do(time.Second, core.Tick{})
		for range 10 {
			s.do(0, core.Fetched{Err: wire.Errorf(wire.StatusUnavailable, "too many connections are open")})
			s.fetchAgain()
		}
		began := s.now
		s.do(0, core.Fetched{Err: wire.Errorf(wire.StatusUnavailable, "too many connections are open")})
		s.fetchAgain()
		return s.now.Sub(began)
	}
	first, last := wait(0), wait(255./256)
	if last-first < 20*time.Second || first < 40*time.Second || last > 80*time.Second {
		t.Errorf("after many failures they come again after %v to %v", first, last)
	}
	if middle := wait(0.25); middle <= first || middle >= last {
		t.Errorf("a peer between them comes after %v", middle)
	}
}

// fetchAgain lets time pass until the core fetches.
func (s *script) fetchAgain() {
	s.t.Helper()
	for range 1000 {
		for _, line := range s.do(max(0, s.core.Deadline().Sub(s.now)), core.Tick{}) {
			if strings.HasPrefix(line, "fetch ") {
				return
			}
		}
	}
	s.t.Fatal("it never asks again")
}
