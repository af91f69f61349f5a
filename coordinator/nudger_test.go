package coordinator

import (
	"testing"
	"time"
)

// nudgesUntil plays the nudger from now on as Run would, and returns when,
// since start, the peer was nudged.
func nudgesUntil(n *nudger, now, end time.Time) []time.Duration {
	var at []time.Duration
	for !now.After(end) {
		to, next := n.take(now)
		for range to {
			at = append(at, now.Sub(start))
		}
		if next.IsZero() {
			break
		}
		now = next
	}
	return at
}

func TestNudgesAreRepeatedWithBackoff(t *testing.T) {
	n, a := newNudger(), addr("10.0.0.2")
	n.hear(a, start, start)
	n.news(a, start)
	got := nudgesUntil(n, start, start.Add(time.Hour))
	want := []time.Duration{0}
	for at, pause := 250*time.Millisecond, 250*time.Millisecond; at <= 2*time.Minute; at += pause {
		want = append(want, at)
		pause = min(2*pause, 30*time.Second)
	}
	if len(got) != len(want) {
		t.Fatalf("nudged at %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("nudged at %v, want %v", got, want)
		}
	}
}

func TestFetchEndsNudges(t *testing.T) {
	n, a := newNudger(), addr("10.0.0.2")
	n.hear(a, start, start)
	n.news(a, start)
	n.take(start)
	n.fetched(a)
	if to, next := n.take(start.Add(time.Second)); len(to) > 0 || !next.IsZero() {
		t.Errorf("after its fetch the peer is nudged: %v, next at %v", to, next)
	}
}

func TestNewsRestartsTheBackoff(t *testing.T) {
	n, a := newNudger(), addr("10.0.0.2")
	n.hear(a, start, start)
	n.news(a, start)
	nudgesUntil(n, start, start.Add(10*time.Second)) // the next one is due at 15.75 s
	now := start.Add(11 * time.Second)
	n.news(a, now)
	got := nudgesUntil(n, now, now.Add(time.Second))
	if len(got) != 3 || got[0] != 11*time.Second || got[1] != 11250*time.Millisecond {
		t.Errorf("nudged at %v, want at 11 s, 11.25 s and 11.75 s", got)
	}
}

func TestABurstIsOneNudge(t *testing.T) {
	n, a := newNudger(), addr("10.0.0.2")
	for i := range 20 {
		n.news(a, start.Add(time.Duration(i)*time.Millisecond+newsPause))
	}
	if to, next := n.take(start.Add(newsPause - 1)); len(to) > 0 || !next.Equal(start.Add(newsPause)) {
		t.Errorf("nudged early: %v, next at %v", to, next)
	}
	if to, _ := n.take(start.Add(newsPause)); len(to) != 1 {
		t.Errorf("nudged %v, want the peer", to)
	}
}

func TestAbsentPeersAreLeftAloneUntilTheyAreHeardOf(t *testing.T) {
	n, a := newNudger(), addr("10.0.0.2")
	n.hear(a, start.Add(-181*time.Second), start)
	n.news(a, start)
	if got := nudgesUntil(n, start, start.Add(time.Hour)); len(got) != absentNudges {
		t.Fatalf("nudged at %v, want %d times", got, absentNudges)
	}
	now := start.Add(time.Minute)
	n.news(a, now)
	if to, next := n.take(now); len(to) > 0 || !next.IsZero() {
		t.Errorf("more news: nudged %v, next at %v, want none", to, next)
	}
	n.hear(a, now, now)
	if to, _ := n.take(now); len(to) != 1 {
		t.Errorf("heard of again: nudged %v, want the peer", to)
	}
}

func TestForgottenPeersAreNotNudged(t *testing.T) {
	n, a := newNudger(), addr("10.0.0.2")
	n.hear(a, start, start)
	n.news(a, start)
	n.forget(a)
	if to, _ := n.take(start); len(to) > 0 || len(n.heard) > 0 {
		t.Error("something is left of a forgotten peer")
	}
}
