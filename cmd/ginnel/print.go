package main

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"ginnel/wire/json"
)

// say prints the line by which a command tells what it did.
func (e *env) say(format string, args ...any) error {
	if _, err := fmt.Fprintf(e.out, format+"\n", args...); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}

// note prints a line beside the result.
func (e *env) note(format string, args ...any) { fmt.Fprintf(e.err, format+"\n", args...) }

// printJSON prints v, indented, as the only output.
func (e *env) printJSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("make JSON of the result: %w", err)
	}
	return e.say("%s", json.Indent(b))
}

// printTable prints rows in columns, without spaces at their ends; the first
// row is the heading. text/tabwriter would begin its columns anew after every
// row that ends early.
func (e *env) printTable(rows [][]string) error {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len(cell)) // names and addresses are ASCII
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&line, "%-*s  ", widths[i], cell)
		}
		if err := e.say("%s", strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
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
