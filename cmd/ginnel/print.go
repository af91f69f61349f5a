package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"ginnel/wire/json"
)

// say prints the line by which a command tells what it did.
func (e *env) say(format string, args ...any) error {
	return e.print(cleanLines(fmt.Sprintf(format, args...)) + "\n")
}

// print prints text as it is.
func (e *env) print(text string) error {
	if _, err := io.WriteString(e.out, text); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}

// note prints a line beside the result; on a terminal it is folded.
func (e *env) note(format string, args ...any) {
	p := &page{}
	if e.aside != nil && e.aside().terminal {
		p.columns = e.aside().width()
	}
	for _, line := range strings.Split(fmt.Sprintf(format, args...), "\n") {
		if p.columns > 0 && utf8.RuneCountInString(line) > p.columns {
			p.paragraph(ordinary, 0, "%s", line)
		} else {
			p.line(ordinary, "%s", line)
		}
	}
	fmt.Fprint(e.err, p)
}

// printJSON prints v, indented, as the only output.
func (e *env) printJSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("make JSON of the result: %w", err)
	}
	return e.print(string(json.Indent(b)) + "\n")
}

// printTable prints rows in columns; the first row is the heading.
func (e *env) printTable(rows [][]string) error {
	p := e.newPage()
	p.add(&table{heading: rows[0], rows: rows[1:]})
	return e.put(p)
}

// plural counts things whose name has a regular plural.
func plural(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// addressOrDash is for an address that may not be known yet.
func addressOrDash(a netip.Addr) string {
	if !a.IsValid() {
		return "-"
	}
	return a.String()
}

func mark(on bool, word string) string {
	if on {
		return word
	}
	return ""
}

// ago says how long ago t was, in words for a table.
func ago(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return span(now.Sub(t)) + " ago"
}

// span writes a duration with its largest unit.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return "0s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// size writes a number of bytes with a binary unit.
func size(n uint64) string {
	const step = 1024
	if n < step {
		return fmt.Sprintf("%d B", n)
	}
	v, units := float64(n)/step, "KMGTPE"
	i := 0
	for ; v >= step && i < len(units)-1; i++ {
		v /= step
	}
	return fmt.Sprintf("%.1f %ciB", v, units[i])
}
