package machine

import (
	"errors"
	"io"
	"regexp"
	"slices"
	"testing"
	"time"

	"ginnel/qemu-tests/guest"
)

// soon is long for what takes no time.
const soon = 20 * time.Second

func TestConsole(t *testing.T) {
	r, w := io.Pipe()
	c := newConsole()
	done := make(chan struct{})
	var seen []string
	go func() { defer close(done); c.read(r, func(line string) { seen = append(seen, line) }) }()
	until := func(pattern string, within time.Duration) (string, error) {
		return c.until(regexp.MustCompile(pattern), within)
	}
	write := func(text string) {
		if _, err := io.WriteString(w, text); err != nil {
			t.Error(err)
		}
	}

	write("one\r\ntwo\nthr")
	if line, err := until("^t", soon); line != "two" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
	if line, err := until("^t", time.Millisecond); !errors.Is(err, errLate) {
		t.Errorf("half a line, or an old one, is taken: %q, %v", line, err)
	}
	go write("ee\nfour")
	if line, err := until("^t", soon); line != "three" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
	w.Close()
	if line, err := until("nothing", soon); !errors.Is(err, errEnded) {
		t.Errorf("%q, %v", line, err)
	}
	<-done
	if want := []string{"one", "two", "three", "four"}; !slices.Equal(seen, want) || !slices.Equal(c.all(), want) {
		t.Errorf("%q, %q, want %q", seen, c.all(), want)
	}
}

func TestParseResult(t *testing.T) {
	began := func(n int) string { return guest.Mark{Event: guest.Began, Number: n}.String() }
	ended := func(n, status int, why string) string {
		return guest.Mark{Event: guest.Ended, Number: n, Status: status, Text: why}.String()
	}
	run := [][]string{{"/bin/a"}, {"/bin/b", "x"}}
	off := guest.Mark{Event: guest.Off}.String()
	for _, tc := range []struct {
		what  string
		lines []string
		want  Result
	}{
		{"all goes well", []string{"kernel", began(0), "A", "AA" + ended(0, 0, ""), began(1), "kernel", ended(1, 3, "why"), off, "[1.0] reboot: Power down"}, Result{Off: true, Commands: []Command{
			{Args: run[0], Ended: true, Output: "A\nAA\n"}, {Args: run[1], Ended: true, Status: 3, Why: "why", Output: "kernel\n"},
		}}},
		{"killed", []string{began(0), "A"}, Result{Commands: []Command{{Args: run[0], Output: "A\n"}}}},
		{"before any command", []string{guest.Mark{Event: guest.Failed, Text: "no module"}.String(), off}, Result{Failure: "no module", Off: true}},
		{"a command that never was", []string{began(7), ended(7, 1, "")}, Result{}},
	} {
		got := parseResult(tc.lines, run)
		same := slices.EqualFunc(got.Commands, tc.want.Commands, func(a, b Command) bool {
			return slices.Equal(a.Args, b.Args) && a.Ended == b.Ended && a.Status == b.Status && a.Why == b.Why && a.Output == b.Output
		})
		if !same || got.Failure != tc.want.Failure || got.Off != tc.want.Off {
			t.Errorf("%s: %+v, want %+v", tc.what, got, tc.want)
		}
	}
}
