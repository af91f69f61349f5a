package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"ginnel/wire"
)

// television is a terminal that shows what it is sent.
type television struct {
	t     *testing.T
	shown chan string // each frame, as it looks
}

// Write understands what watch sends: each Write is a whole frame, or the end.
func (tv *television) Write(b []byte) (int, error) {
	text := string(b)
	if text == "\n" {
		return len(b), nil
	}
	rest, ok := strings.CutPrefix(text, cursorHome)
	if !ok || !strings.HasSuffix(text, clearRest) {
		tv.t.Errorf("%q does not replace what was there", text)
	}
	rest = strings.TrimSuffix(strings.TrimPrefix(rest, clearRest), clearRest)
	var screen strings.Builder
	for _, line := range strings.SplitAfter(rest, "\n") {
		if line != "" && !strings.HasSuffix(line, clearLine+"\n") {
			tv.t.Errorf("what was there stays behind %q", line)
		}
		screen.WriteString(strings.Replace(line, clearLine, "", 1))
	}
	tv.shown <- screen.String()
	return len(b), nil
}

// watch runs `status --watch` on a terminal until done; the test gets frames
// from the returned channel.
func (m *machine) watch(t *testing.T, s screen, args ...string) (frames <-chan string, pulse chan<- time.Time, stop func() result) {
	t.Helper()
	tv := &television{t, make(chan string, 8)}
	beat := make(chan time.Time)
	s.terminal = true
	var errs bytes.Buffer
	e := m.env
	e.out, e.err, e.screen = tv, &errs, func() screen { return s }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	v := view{network: first(args)}
	go func() { ended <- e.watch(ctx, beat, func() *page { return e.statusNow(ctx, &v) }) }()
	return tv.shown, beat, func() result {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("watch ended with %v", err)
		}
		return result{err: errs.String()}
	}
}

// TestBehaviour65Watch: every frame replaces the one before, news and a daemon
// that is away in between are shown, and Ctrl-C ends it well.
func TestBehaviour65Watch(t *testing.T) {
	m := newMachine(t)
	m.startDaemon()
	m.status = someStatus(time.Now().UTC(), plain4, "")
	want := m.run("status", "old").out
	frames, pulse, stop := m.watch(t, screen{lines: 50}, "old")
	if got := <-frames; got != want {
		t.Errorf("the first frame is %q, want %q", got, want)
	}
	set := func(err error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.err = err
	}
	set(wire.Errorf(wire.StatusUnavailable, "it is starting"))
	pulse <- time.Time{}
	if got := <-frames; got != "waiting for the daemon: it is starting\n" {
		t.Errorf("without a daemon the frame is %q", got)
	}
	set(nil)
	pulse <- time.Time{}
	if got := <-frames; got != want {
		t.Errorf("the last frame is %q, want %q", got, want)
	}
	if r := stop(); r.err != "" {
		t.Errorf("it says %q", r.err)
	}
}

// TestBehaviour65WatchFits: what does not fit is said, and nothing scrolls.
func TestBehaviour65WatchFits(t *testing.T) {
	m := newMachine(t)
	m.startDaemon()
	m.status = someStatus(time.Now().UTC(), plain4, "")
	whole := m.run("status").out
	all := strings.Split(strings.TrimSuffix(whole, "\n"), "\n")
	frames, _, stop := m.watch(t, screen{lines: 10})
	got := strings.Split(strings.TrimSuffix(<-frames, "\n"), "\n")
	stop()
	if len(got) != 9 || got[7] != all[7] || got[8] != "("+plural(len(all)-8, "more line")+" do not fit)" {
		t.Errorf("of %d lines %d are shown:\n%s", len(all), len(got), strings.Join(got, "\n"))
	}
	frames, _, stop = m.watch(t, screen{lines: len(all) + 1})
	if got := <-frames; got != whole {
		t.Errorf("where all lines fit there is\n%s", got)
	}
	stop()
	narrow := (&env{screen: func() screen { return screen{terminal: true, columns: 40} }}).frame("\x1b[1m" + strings.Repeat("x", 50) + "\x1b[0m\n")
	if want := "\x1b[1m" + strings.Repeat("x", 40) + "\x1b[0m" + clearLine + "\n" + clearRest; narrow != want {
		t.Errorf("a line that is too long: %q, want %q", narrow, want)
	}
}

func TestWatchRefuses(t *testing.T) {
	m := newMachine(t)
	m.refuses(exitUsage, []string{"there is none: leave it out"}, "status", "--watch")
	m.on(screen{})
	for _, n := range []string{"0", "-1", "x", "4096", "1.5"} {
		m.refuses(exitUsage, []string{"1 to 4095", `"` + n + `"`}, "status", "--watch="+n)
	}
	m.refuses(exitUsage, []string{"leave --watch out"}, "status", "-w", "--json")
	m.refuses(exitFailed, []string{"the daemon is not running"}, "status", "-w5")
}
