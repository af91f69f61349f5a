package pace_test

import (
	"net/netip"
	"testing"
	"time"

	"ginnel/wire/pace"
)

var (
	ann   = netip.MustParseAddr("10.42.1.1")
	ben   = netip.MustParseAddr("10.42.1.2")
	start = time.Unix(1_000_000, 0)
)

// takes returns how many tokens a gets at now.
func takes(p *pace.Pacer, a netip.Addr, now time.Time) int {
	for n := 0; ; n++ {
		if p.Take(a, now) > 0 {
			return n
		}
	}
}

func TestTake(t *testing.T) {
	p := pace.Pacer{Every: 50 * time.Millisecond, Burst: 10}
	for _, step := range []struct {
		at   time.Duration
		want int
	}{{0, 10}, {0, 0}, {49 * time.Millisecond, 0}, {50 * time.Millisecond, 1}, {time.Second, 10}, {1100 * time.Millisecond, 2}} {
		if got := takes(&p, ann, start.Add(step.at)); got != step.want {
			t.Errorf("after %s: %d tokens, want %d", step.at, got, step.want)
		}
	}
	if got := takes(&p, ben, start); got != 10 {
		t.Errorf("another address has %d tokens, want its own 10", got)
	}
	if wait := p.Take(ben, start); wait != 50*time.Millisecond {
		t.Errorf("wait is %s, want 50ms", wait)
	}
}

// TestCharge: what costs more than there is has to be waited for, within
// bounds.
func TestCharge(t *testing.T) {
	p := pace.Pacer{Every: time.Second, Burst: 10}
	p.Charge(ann, start, 14)
	if wait := p.Take(ann, start); wait != 5*time.Second {
		t.Errorf("4 beyond the burst: wait is %s, want 5s", wait)
	}
	p.Charge(ann, start, 1<<30)
	if wait := p.Take(ann, start); wait != 11*time.Second {
		t.Errorf("far beyond the burst: wait is %s, want 11s", wait)
	}
}

// TestClockSetBack: nobody waits longer for that than for the most there can be
// owed.
func TestClockSetBack(t *testing.T) {
	p := pace.Pacer{Every: time.Second, Burst: 10}
	takes(&p, ann, start)
	if wait := p.Take(ann, start.Add(-time.Hour)); wait > 20*time.Second {
		t.Errorf("wait is %s", wait)
	}
}

// TestForgets: memory is for those who are active, not for those who ever were.
func TestForgets(t *testing.T) {
	p := pace.Pacer{Every: 50 * time.Millisecond, Burst: 10}
	now, a := start, netip.MustParseAddr("2001:db8::")
	for range 100_000 {
		now, a = now.Add(time.Millisecond), a.Next()
		p.Take(a, now)
		if p.Len() > 500 { // 50 of them are active
			t.Fatalf("%d addresses are remembered", p.Len())
		}
	}
}
