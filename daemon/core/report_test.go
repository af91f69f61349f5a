package core_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/core"
	"ginnel/wire"
)

// oldCoordinator answers reports as a coordinator does that knows candidates
// alone, until nothing is reported any more, and returns the last it took and
// how many it was sent.
func (s *script) oldCoordinator() (taken *wire.Report, sent int) {
	for r := s.reports(); r != nil && sent < 10; r = s.reports() {
		sent++
		if len(r.Announced) > 0 {
			s.do(0, core.Reported{Err: wire.Errorf(wire.StatusBadRequest, "the body has the unknown field %q", "announced")})
			continue
		}
		taken = r
		s.do(0, core.Reported{})
	}
	return taken, sent
}

func (s *script) olderProblems() (n int) {
	for _, p := range s.core.Problems() {
		if p.Topic == "announced" && strings.Contains(p.Text, "upgrade it") {
			n++
		}
	}
	return n
}

// TestOldCoordinatorIsToldCandidates: one that does not know what announcing is
// hears the rest, once, and people are told. Started anew it is asked again.
func TestOldCoordinatorIsToldCandidates(t *testing.T) {
	s := ready(t)
	list := []string{":4000"}
	s.do(0, core.Configured{Settings: core.Settings{ListenPort: 51820, Announced: list}})
	s.oldCoordinator()
	s.do(0, underlay("192.168.1.77/24"))
	taken, sent := s.oldCoordinator()
	if taken == nil || len(taken.Candidates) != 1 || taken.Candidates[0].String() != "192.168.1.77:51820" || sent != 1 {
		t.Errorf("the old coordinator was sent %d reports and has %+v", sent, taken)
	}
	if s.olderProblems() != 1 {
		t.Errorf("problems are %v", s.core.Problems())
	}
	s.watch(time.Hour, func(l string) {
		if strings.HasPrefix(l, "report") {
			t.Errorf("reported again: %s", l)
		}
	})
	restarted := whole(2, hubMember())
	restarted.Position.Epoch = 2
	s.do(0, core.Signalled{From: hub, Signal: wire.Signal{Kind: wire.SignalNudge, Value: 2}})
	s.do(0, core.Fetched{Update: restarted})
	if r := s.reports(); r == nil || !slices.Equal(r.Announced, list) {
		t.Fatalf("after the coordinator's restart the report is %+v", r)
	}
	s.do(0, core.Reported{})
	if s.olderProblems() != 0 || s.reports() != nil {
		t.Errorf("a coordinator that takes it: problems %v, report %+v", s.core.Problems(), s.reports())
	}
}

// TestOldCoordinatorAndNothingAnnounced: the problem ends with its cause, and
// other announcements are tried.
func TestOldCoordinatorAndNothingAnnounced(t *testing.T) {
	s := ready(t)
	for _, list := range [][]string{{":4000"}, {":4001"}} {
		s.do(0, core.Configured{Settings: core.Settings{ListenPort: 51820, Announced: list}})
		if _, sent := s.oldCoordinator(); sent != 2 || s.olderProblems() != 1 {
			t.Errorf("%v: %d reports, problems %v", list, sent, s.core.Problems())
		}
	}
	s.do(0, core.Configured{Settings: core.Settings{ListenPort: 51820}})
	if s.olderProblems() != 0 {
		t.Errorf("nothing is announced, and problems are %v", s.core.Problems())
	}
}
