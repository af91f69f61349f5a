package core_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/core"
	"ginnel/wire"
)

const (
	pollLine  = "signal ? to 10.9.0.1"
	fetchLine = "fetch 1/1/1"
)

// quiet lets d pass in which the hub's tunnel stays alive, if it does, and each
// thing asked for is answered by answer. It returns what was asked for but
// looks, and when.
func (s *script) quiet(d time.Duration, alive bool, answer func(line string) core.Event) (lines []string, at []time.Duration) {
	began := s.now
	for next := s.core.Deadline(); !next.IsZero() && !next.After(began.Add(d)); next = s.core.Deadline() {
		if len(lines) > 1000 {
			s.t.Fatalf("there is no end to it: %v", lines[:10])
		}
		want := s.do(max(0, next.Sub(s.now)), core.Tick{})
		s.applied()
		for _, l := range want {
			if strings.HasPrefix(l, "observe") {
				if alive {
					s.shake("hub", hubEndpoint)
				}
				s.do(0, core.TunnelObserved{State: &s.tun})
				s.do(0, linkUp)
				s.do(0, underlay("192.168.1.3/24"))
				continue
			}
			lines, at = append(lines, l), append(at, s.now.Sub(began))
			if ev := answer(l); ev != nil {
				s.do(0, ev)
			}
		}
	}
	s.now = began.Add(d)
	return lines, at
}

func signal(kind wire.SignalKind, value uint64) core.Event {
	return core.Signalled{From: hub, Signal: wire.Signal{Kind: kind, Value: value}}
}

// TestPollsInsteadOfFetching: while there is no news the coordinator is polled,
// and asked for the map once an hour.
func TestPollsInsteadOfFetching(t *testing.T) {
	s := ready(t)
	lines, at := s.quiet(3*time.Hour, true, func(l string) core.Event {
		if l == fetchLine {
			return core.Fetched{Update: s.delta(1, 1, nil)}
		}
		return signal(wire.SignalCurrent, 1)
	})
	polls, fetches := 0, 0
	for _, l := range lines {
		switch l {
		case pollLine:
			polls++
		case fetchLine:
			fetches++
		default:
			t.Errorf("an idle peer wants %q", l)
		}
	}
	if polls < 30 || polls > 36 || fetches != 2 && fetches != 3 {
		t.Errorf("%d polls and %d fetches in three hours: %v", polls, fetches, at)
	}
	if last := s.core.LastFetch(); s.now.Sub(last) > 6*time.Minute {
		t.Errorf("the answers to polls do not count: last %v ago", s.now.Sub(last))
	}
}

// TestPollWithoutGoodAnswer: the map is fetched.
func TestPollWithoutGoodAnswer(t *testing.T) {
	for name, answer := range map[string]core.Event{
		"none":          nil,
		"nudge":         signal(wire.SignalNudge, 1),
		"another epoch": signal(wire.SignalCurrent, 2),
		"a stranger's":  core.Signalled{From: ben, Signal: wire.Signal{Kind: wire.SignalCurrent, Value: 1}},
	} {
		s := ready(t, benMember(endpoints("")))
		lines, at := s.quiet(6*time.Minute, true, func(l string) core.Event {
			if l != pollLine {
				return nil
			}
			return answer
		})
		if name == "nudge" { // what it leads to is not the timer's: a fetch is under way
			if !slices.Equal(lines, []string{pollLine}) || s.from.Revision != 1 {
				t.Errorf("%s: %v, and no fetch", name, lines)
			}
			s.step(0, signal(wire.SignalCurrent, 1)) // late, and older than the nudge
			continue
		}
		if !slices.Equal(lines, []string{pollLine, fetchLine}) || at[1]-at[0] > 5*time.Second {
			t.Errorf("%s: %v at %v, want a poll and soon a fetch", name, lines, at)
		}
	}
}

// TestNoPollWithoutPath: a datagram would not arrive; what is wrong is found out
// by fetching.
func TestNoPollWithoutPath(t *testing.T) {
	s := ready(t)
	lines, _ := s.quiet(6*time.Minute, false, func(string) core.Event { return nil })
	if slices.Contains(lines, pollLine) || !slices.Contains(lines, fetchLine) {
		t.Errorf("without a session: %v", lines)
	}
}
