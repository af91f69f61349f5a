package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// testTime is when the fake world begins.
var testTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestParseLife(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1s": time.Second, "90s": 90 * time.Second, "30m": 30 * time.Minute, "12h": 12 * time.Hour,
		"14d": 14 * 24 * time.Hour, "2w": 14 * 24 * time.Hour, "15250w": 15250 * 7 * 24 * time.Hour,
	} {
		if got, err := parseLife(text); got != want || err != nil {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "s", "14", "0d", "-1d", "1.5h", "1h30m", "1y", "1 d", " 1d", "1D", "15251w", "99999999999999999999d", "9223372036854775807s"} {
		got, err := parseLife(text)
		var usage *usageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), "such as 14d") {
			t.Errorf("%q: %v, %v; want a usage error", text, got, err)
		}
	}
}

func TestWords(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{span(-time.Second), "0s"}, {span(0), "0s"}, {span(119 * time.Second), "119s"}, {span(2 * time.Minute), "2m"},
		{span(119 * time.Minute), "119m"}, {span(2 * time.Hour), "2h"}, {span(47 * time.Hour), "47h"}, {span(48 * time.Hour), "2d"},
		{ago(testTime, time.Time{}), "never"}, {ago(testTime, testTime.Add(-3*time.Second)), "3s ago"},
		{size(0), "0 B"}, {size(1023), "1023 B"}, {size(1024), "1.0 KiB"}, {size(1536), "1.5 KiB"},
		{size(5 << 20), "5.0 MiB"}, {size(1<<64 - 1), "16.0 EiB"},
		{plural(0, "pair"), "0 pairs"}, {plural(1, "pair"), "1 pair"},
		{areThere(0), "0 peers are"}, {areThere(1), "1 peer is"}, {areThere(2), "2 peers are"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

// TestTable: columns stay columns where rows end early.
func TestTable(t *testing.T) {
	var out bytes.Buffer
	e := &env{out: &out}
	err := e.printTable([][]string{{"A", "LONGER", ""}, {"1", "x", "mark"}, {"long", "y", ""}, {"2", "", "mark"}})
	if want := "A     LONGER\n1     x       mark\nlong  y\n2             mark\n"; err != nil || out.String() != want {
		t.Errorf("printed %v\n%s\nwant\n%s", err, out.String(), want)
	}
}

// TestFullDisk: a result that could not be written is a failure.
func TestFullDisk(t *testing.T) {
	m := newAdmin(t)
	m.env.out = full{}
	for _, args := range [][]string{{"peer", "list"}, {"peer", "list", "--json"}, {"cidr", "list"}, {"peer", "rename", "bob", "bert"}} {
		m.refuses(exitFailed, []string{"print the result: no space left"}, args...)
	}
}

// full is a disk without space.
type full struct{}

// Write fails.
func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// TestNotesAreFolded: on a terminal, and nowhere else. What is short enough stays
// as it is.
func TestNotesAreFolded(t *testing.T) {
	m := newCoordinator(t)
	plain := m.run("down")
	if lines := strings.Count(plain.err, "\n"); lines != 1 {
		t.Fatalf("%+v", plain)
	}
	m.env.aside = func() screen { return screen{terminal: true, columns: 60} }
	m.succeeds("up")
	r := m.runWith("y\n", true, "down")
	if lines := strings.Split(r.err, "\n"); len(widest(r.err)) > 60 || !strings.HasPrefix(lines[1], "  ") || !strings.HasPrefix(plain.err, lines[0]+" ") {
		t.Errorf("%q", r.err)
	}
	if r := m.run(createHome...); len(widest(r.err)) > 60 || !strings.HasPrefix(r.err, "ginnel: there is a network home") {
		t.Errorf("%q", r.err)
	}
	if r := m.runWith("", true, "network", "remove"); !strings.Contains(r.err, "   1) home  coordinator\n") {
		t.Errorf("%q", r.err)
	}
	m.env.aside = func() screen { return screen{columns: 60} }
	m.succeeds("up")
	if r := m.run("down"); r.err != plain.err {
		t.Errorf("%q, want %q", r.err, plain.err)
	}
}
