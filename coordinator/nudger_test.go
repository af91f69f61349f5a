package coordinator

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"ginnel/wire"
)

// sixth is a position that peers are to reach.
var sixth = wire.Position{Revision: 6, Epoch: 6, Seq: 6}

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
	n.news(a, sixth, start)
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
	n.news(a, sixth, start)
	n.take(start)
	n.fetched(a, sixth)
	if to, next := n.take(start.Add(time.Second)); len(to) > 0 || !next.IsZero() {
		t.Errorf("after its fetch the peer is nudged: %v, next at %v", to, next)
	}
}

// TestOnlyTheNewsEndsNudges: whoever else asks for the peer's map, from where
// it may be, the peer is reminded.
func TestOnlyTheNewsEndsNudges(t *testing.T) {
	n, a := newNudger(), addr("10.0.0.2")
	n.hear(a, start, start)
	for _, pos := range []wire.Position{
		{}, {Revision: 5, Epoch: 6, Seq: 6}, {Revision: 6, Epoch: 6, Seq: 5}, {Revision: 9, Epoch: 5, Seq: 9},
	} {
		n.news(a, sixth, start)
		n.take(start)
		for i := range 100 { // however often
			n.fetched(a, pos)
			if to, next := n.take(start.Add(time.Duration(i) * 90 * time.Millisecond)); len(to) > 0 || !next.Equal(start.Add(answeredPause)) {
				t.Fatalf("answered from %+v: nudged %v, next at %v", pos, to, next)
			}
		}
		if to, _ := n.take(start.Add(answeredPause)); len(to) != 1 {
			t.Errorf("answered from %+v: nudged %v, want the peer", pos, to)
		}
		n.fetched(a, wire.Position{Revision: 7, Epoch: 6, Seq: 6})
		if len(n.waiting) > 0 {
			t.Error("the peer has the news and is waited for")
		}
	}
}

// TestNudgesLeaveInBatches: those it is about first, then those who listen.
func TestNudgesLeaveInBatches(t *testing.T) {
	const peers = 1000
	n, first := newNudger(), addr("10.0.0.0")
	var all []netip.Addr
	for a := first; len(all) < peers; a = a.Next() {
		all = append(all, a)
	}
	subject, absent := all[500], all[3]
	for _, a := range all {
		if a != absent {
			n.hear(a, start, start)
		}
		n.news(a, sixth, start)
	}
	n.hurry(subject)
	var order []netip.Addr
	for now := start; ; {
		to, next := n.take(now)
		if len(to) > batchSize {
			t.Fatalf("%d nudges at once", len(to))
		}
		order = append(order, to...)
		for _, a := range to {
			n.fetched(a, sixth)
		}
		if len(order) == peers {
			break
		}
		if again, _ := n.take(now.Add(batchPause - 1)); len(again) > 0 {
			t.Fatal("the next batch leaves early")
		}
		if now = next; now.Sub(start) > 1300*time.Millisecond {
			t.Fatalf("after %s only %d are nudged", now.Sub(start), len(order))
		}
	}
	want := slices.DeleteFunc(slices.Clone(all), func(a netip.Addr) bool { return a == subject || a == absent })
	want = append(append([]netip.Addr{subject}, want...), absent)
	if !slices.Equal(order, want) {
		t.Errorf("%d are nudged, %v first and %v last; want %d, %v and %v", len(order), order[0], order[len(order)-1], len(want), subject, absent)
	}
	late := start.Add(time.Hour)
	for _, a := range all[:3] {
		n.hear(a, late, late)
		n.news(a, sixth, late)
		if to, _ := n.take(late); len(to) != 1 {
			t.Errorf("%d nudges for one piece of news while there is room, want 1", len(to))
		}
	}
}

func TestNewsRestartsTheBackoff(t *testing.T) {
	n, a := newNudger(), addr("10.0.0.2")
	n.hear(a, start, start)
	n.news(a, sixth, start)
	nudgesUntil(n, start, start.Add(10*time.Second)) // the next one is due at 15.75 s
	now := start.Add(11 * time.Second)
	n.news(a, sixth, now)
	got := nudgesUntil(n, now, now.Add(time.Second))
	if len(got) != 3 || got[0] != 11*time.Second || got[1] != 11250*time.Millisecond {
		t.Errorf("nudged at %v, want at 11 s, 11.25 s and 11.75 s", got)
	}
}

func TestABurstIsOneNudge(t *testing.T) {
	n, a := newNudger(), addr("10.0.0.2")
	for i := range 20 {
		n.news(a, sixth, start.Add(time.Duration(i)*time.Millisecond+newsPause))
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
	n.news(a, sixth, start)
	if got := nudgesUntil(n, start, start.Add(time.Hour)); len(got) != absentNudges {
		t.Fatalf("nudged at %v, want %d times", got, absentNudges)
	}
	now := start.Add(time.Minute)
	n.news(a, sixth, now)
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
	n.news(a, sixth, start)
	n.forget(a)
	if to, _ := n.take(start); len(to) > 0 || len(n.heard) > 0 {
		t.Error("something is left of a forgotten peer")
	}
}
