package table

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// example has an operation that wg was not asked for, and one that it took less
// time for than for its start.
func example() Report {
	return Report{
		Machine: Machine{Arch: "mipsle", Kernel: "6.1.0", Go: "go1.26", Wgctrl: "v0.1", Wg: "wireguard-tools v1.0", Rounds: 3, Seed: 7},
		Measurements: []Measurement{
			{Operation: Read1000, Implementation: Ginnel, Median: 4040 * time.Microsecond, Sent: 1, Received: 17},
			{Operation: Read1000, Implementation: Wgctrl, Median: 29 * time.Millisecond, Allocs: 35018, Bytes: 2400000, Sent: 1, Received: 66},
			{Operation: Read1000, Implementation: Wg, Median: 54 * time.Millisecond, Sent: 2, Received: 68},
			{Operation: Read1000, Implementation: Start, Median: 20 * time.Millisecond},
			{Operation: Update100, Implementation: Ginnel, Median: 350 * time.Microsecond, Sent: 1, Received: 1},
			{Operation: Update100, Implementation: Wgctrl, Median: 1900 * time.Millisecond, Allocs: 999, Sent: 100, Received: 100},
			{Operation: "set one endpoint", Implementation: Ginnel, Median: 14 * time.Microsecond, Sent: 1, Received: 1},
			{Operation: "set one endpoint", Implementation: Wg, Median: 19 * time.Millisecond, Sent: 2, Received: 2},
			{Operation: "set one endpoint", Implementation: Start, Median: 20 * time.Millisecond},
		},
	}
}

func TestMarkdown(t *testing.T) {
	want, err := os.ReadFile("testdata/example.md")
	if err != nil {
		t.Fatal(err)
	}
	if got := example().Markdown(); got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestParse sends a report over a console on which others write, too.
func TestParse(t *testing.T) {
	want := example()
	console := []string{"booting", "[    1.0] noise " + want.Machine.Line() + "\r"}
	for _, m := range want.Measurements {
		console = append(console, m.Line()+"\r", "more noise {}")
	}
	got, err := Parse(strings.Join(console, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Machine != want.Machine || !slices.Equal(got.Measurements, want.Measurements) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestParseErrors(t *testing.T) {
	r := example()
	for name, console := range map[string]string{
		"nothing":      "",
		"no machine":   r.Measurements[0].Line(),
		"nothing else": r.Machine.Line(),
		"half a line":  r.Machine.Line() + "\n" + r.Measurements[0].Line()[:60],
		"half a first": r.Machine.Line()[:60] + "\n" + r.Measurements[0].Line(),
	} {
		if got, err := Parse(console); err == nil {
			t.Errorf("%s: %+v, want an error", name, got)
		}
	}
}

func TestRatio(t *testing.T) {
	r := example()
	for _, c := range []struct {
		operation, implementation string
		want                      string
	}{
		{Read1000, Wgctrl, "7.2"},
		{Read1000, Ginnel, "1.0"},
		{Update100, Wg, unknown},
		{"read nothing", Wgctrl, unknown},
	} {
		if got := ratio(r.Ratio(c.operation, c.implementation)); got != c.want {
			t.Errorf("%s with %s: %s, want %s", c.operation, c.implementation, got, c.want)
		}
	}
}

func TestCells(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                       unknown,
		400:                     "0.4 µs",
		9949:                    "9.9 µs",
		9951:                    "10 µs",
		999499:                  "999 µs",
		999500:                  "1.0 ms",
		27 * time.Second:        "27 s",
		1234 * time.Millisecond: "1.2 s",
	} {
		if got := duration(d); got != want {
			t.Errorf("%d ns: %s, want %s", d, got, want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 35018: "35,018", 1234567: "1,234,567"} {
		if got := number(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestInsert(t *testing.T) {
	text := "before\n" + beginMark + "\nold\n" + endMark + "\nafter\n"
	once, err := Insert(text, "new\n")
	if err != nil {
		t.Fatal(err)
	}
	twice, err := Insert(once, "\nnew")
	if err != nil || twice != once {
		t.Errorf("the second time: %v, %q, want %q", err, twice, once)
	}
	if want := "before\n" + beginMark + "\n\nnew\n\n" + endMark + "\nafter\n"; once != want {
		t.Errorf("got %q, want %q", once, want)
	}
	if got, err := Extract(once); err != nil || got != "new" {
		t.Errorf("extracted %q, %v", got, err)
	}
	for _, bad := range []string{"", beginMark, endMark, endMark + beginMark} {
		if got, err := Insert(bad, "new"); err == nil {
			t.Errorf("%q became %q, want an error", bad, got)
		}
	}
}

// TestCatalogue looks for what the measuring takes for granted.
func TestCatalogue(t *testing.T) {
	var names []string
	for _, op := range Catalogue() {
		if slices.Contains(names, op.Name) || strings.Contains(op.Name, "|") {
			t.Errorf("%q is no good name", op.Name)
		}
		names = append(names, op.Name)
		if op.Count < 1 || op.Count > op.Size || op.Verb == Read && op.Count != op.Size {
			t.Errorf("%+v", op)
		}
	}
	for _, promised := range []string{Update100, Read1000} {
		if !slices.Contains(names, promised) {
			t.Errorf("%q is not compared", promised)
		}
	}
}
