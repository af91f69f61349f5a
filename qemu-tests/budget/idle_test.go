package budget_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ginnel/netlab"
)

// The budgets: memory in bytes, of 10^6 in a megabyte.
const (
	idleMemory  = 6_000_000
	manyMemory  = 8_000_000 // with 250 peers
	idleWakeUps = 60        // a minute, with 100 peers
)

// measured are the routers that are measured, all at the same time.
var measured = []struct {
	peers  int
	crowd  bool // the peers are there, each with a session
	memory int  // budget
}{
	{10, false, idleMemory},
	{100, true, none},
	{250, false, manyMemory},
}

// TestIdle lets routers be while nothing happens. It counts how often one with
// sessions with 100 peers is woken, looks whether anything was written by it or
// by the coordinator, and how much memory each has in the end, when it has
// looked around a few times.
func TestIdle(t *testing.T) {
	minutes := 1
	if long {
		minutes = 5
	}
	var homes []*home
	var busy *home
	for _, m := range measured {
		if !m.crowd {
			homes = append(homes, newHome(t, strangers(m.peers)))
			continue
		}
		busy = newHome(t, crowd(m.peers))
		busy.gather(m.peers, busy.router)
		homes = append(homes, busy)
	}
	for _, h := range homes {
		h.awaitRest()
	}
	busy.awaitQuiet()
	watch := []*watched{watch(t, busy.hub), watch(t, busy.router)}
	pause(time.Duration(minutes)*time.Minute + 5*time.Second)
	watch[0].report(minutes, none)
	watch[1].report(minutes, idleWakeUps)
	for i, m := range measured {
		u := usageOf(t, homes[i].router.daemon)
		what := fmt.Sprintf("resident memory with %d peers, idle", m.peers)
		report(t, what, u.resident, m.memory, "bytes")
		report(t, what+": of that its own", u.anonymous, none, "bytes")
		report(t, what+": the most so far", u.peak, none, "bytes")
	}
}

// givenBack is the least that a daemon that came to rest has less than before,
// in bytes.
const givenBack = 256 << 10

// awaitRest waits until both daemons have come to rest after their start, and
// have given memory back.
func (h *home) awaitRest() {
	h.t.Helper()
	for _, m := range []*machine{h.hub, h.router} {
		netlab.Eventually(h.t, patience, m.Name()+" comes to rest", func() error {
			if u := usageOf(h.t, m.daemon); u.resident > u.peak-givenBack {
				pause(breath)
				return fmt.Errorf("it has %d bytes of memory, and had %d at most", u.resident, u.peak)
			}
			return nil
		})
	}
}

// awaitQuiet waits until the router has heard all news of the peers' start: it
// is woken no more often than the budget allows, for 10 s.
func (h *home) awaitQuiet() {
	h.t.Helper()
	const sample = 10 * time.Second
	netlab.Eventually(h.t, patience, "the router is left alone", func() error {
		before := switchesOf(h.t, h.router.daemon).program
		pause(sample)
		if n := switchesOf(h.t, h.router.daemon).program - before; n > idleWakeUps/6 {
			return fmt.Errorf("it was woken %d times in %v", n, sample)
		}
		return nil
	})
}

// watched is a machine in which nothing is to happen.
type watched struct {
	t     *testing.T
	m     *machine
	files map[string]string
	woken switches
}

func watch(t *testing.T, m *machine) *watched {
	t.Helper()
	return &watched{t, m, m.files(t), switchesOf(t, m.daemon)}
}

// report prints what happened since.
func (w *watched) report(minutes, limit int) {
	w.t.Helper()
	now := switchesOf(w.t, w.m.daemon)
	perMinute := func(n int) int { return (n + minutes - 1) / minutes }
	report(w.t, "wake-ups a minute, idle with 100 peers: "+w.m.Name(), perMinute(now.program-w.woken.program), limit, "wake-ups")
	report(w.t, "the runtime's monitor thread, meanwhile: "+w.m.Name(), perMinute(now.monitor-w.woken.monitor), none, "naps")
	list := changed(w.files, w.m.files(w.t))
	report(w.t, "files written, idle: "+w.m.Name(), len(list), 0, "files")
	if len(w.files) < 5 || len(list) > 0 {
		w.t.Errorf("%s: of %d files these were written: %v", w.m.Name(), len(w.files), list)
	}
	for _, path := range writable(w.t, w.m.daemon) {
		if _, known := w.files[path]; !known && !strings.HasSuffix(path, ".log") {
			w.t.Errorf("%s has %s open for writing, which is not looked at", w.m.Name(), path)
		}
	}
}

// TestSmallMachine runs a coordinator with 1,000 peers, and a router that has
// them all, on one machine, which has little memory: 64 MB, and what this test
// needs for itself.
func TestSmallMachine(t *testing.T) {
	h := newHome(t, strangers(1000))
	h.awaitRest()
	pause(20 * time.Second) // what is given back of so much may be given back in steps
	report(t, "64 MB: resident memory with 1000 peers", usageOf(t, h.router.daemon).resident, none, "bytes")
	report(t, "64 MB: coordinator with 1000 peers, beside it", usageOf(t, h.hub.daemon).resident, coordinatorMemory, "bytes")
}
