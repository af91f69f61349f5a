package table

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// unknown is printed for what was not measured.
const unknown = "–"

// Markdown prints the report as a heading, what it was measured on, and two
// tables: times with their ratios to ours, and what was counted.
func (r Report) Markdown() string {
	var b strings.Builder
	m := r.Machine
	fmt.Fprintf(&b, "### %s, Linux %s\n\n", m.Arch, m.Kernel)
	fmt.Fprintf(&b, "%s, wgctrl-go %s, %s. Medians of %d rounds, seed %d.\n\n", m.Go, m.Wgctrl, m.Wg, m.Rounds, m.Seed)
	r.times(&b)
	b.WriteString("\n")
	r.counts(&b)
	return b.String()
}

// times prints one line per operation.
func (r Report) times(b *strings.Builder) {
	row(b, "time of", "ginnel", "wgctrl-go", "ratio", "wg, a process", "ratio", "wg less its start", "ratio")
	rule(b, 8)
	for _, op := range r.Operations() {
		cells := []string{op}
		for _, name := range []string{Ginnel, Wgctrl, Wg} {
			of, ok := r.Of(op, name)
			cells = append(cells, known(ok, duration(of.Median)))
			if name != Ginnel {
				cells = append(cells, ratio(r.Ratio(op, name)))
			}
		}
		row(b, append(cells, r.lessStart(op)...)...)
	}
}

// leastLeft: a difference of less than a tenth is noise.
const leastLeft = 10

// lessStart is what is left of wg's time, and its ratio to ours, without the
// start of its process; unknown where nothing can be told from noise.
func (r Report) lessStart(op string) []string {
	ours, ok := r.Of(op, Ginnel)
	theirs, ok2 := r.Of(op, Wg)
	start, ok3 := r.Of(op, Start)
	left := theirs.Median - start.Median
	if !ok || !ok2 || !ok3 || ours.Median <= 0 || left < theirs.Median/leastLeft {
		return []string{unknown, unknown}
	}
	return []string{duration(left), ratio(float64(left) / float64(ours.Median))}
}

// counts prints one line per operation.
func (r Report) counts(b *strings.Builder) {
	row(b, "counts of", "allocations: ginnel", "wgctrl-go", "bytes: ginnel", "wgctrl-go",
		"messages sent: ginnel", "wgctrl-go", "wg", "received: ginnel", "wgctrl-go", "wg")
	rule(b, 11)
	for _, op := range r.Operations() {
		ours, ok := r.Of(op, Ginnel)
		lib, ok2 := r.Of(op, Wgctrl)
		wg, ok3 := r.Of(op, Wg)
		row(b, op,
			known(ok, number(ours.Allocs)), known(ok2, number(lib.Allocs)),
			known(ok, number(ours.Bytes)), known(ok2, number(lib.Bytes)),
			known(ok, number(ours.Sent)), known(ok2, number(lib.Sent)), known(ok3, number(wg.Sent)),
			known(ok, number(ours.Received)), known(ok2, number(lib.Received)), known(ok3, number(wg.Received)))
	}
}

func row(b *strings.Builder, cells ...string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

// rule aligns the first column left and the others right.
func rule(b *strings.Builder, columns int) {
	b.WriteString("|---|" + strings.Repeat("--:|", columns-1) + "\n")
}

func known(ok bool, cell string) string {
	if !ok {
		return unknown
	}
	return cell
}

// duration prints three digits at most, in the unit they fit.
func duration(d time.Duration) string {
	switch {
	case d <= 0:
		return unknown
	case d < 999500*time.Nanosecond:
		return digits(float64(d)/float64(time.Microsecond)) + " µs"
	case d < 999500*time.Microsecond:
		return digits(float64(d)/float64(time.Millisecond)) + " ms"
	default:
		return digits(d.Seconds()) + " s"
	}
}

func ratio(x float64) string {
	if x <= 0 {
		return unknown
	}
	return digits(x)
}

// digits prints two significant digits of a number below 100, and all before
// the point of a larger one: the medians are not steadier than that.
func digits(x float64) string {
	switch {
	case x < 9.95:
		return strconv.FormatFloat(x, 'f', 1, 64)
	default:
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
}

// number prints a count with commas between thousands.
func number[T int | uint64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// The lines of a text between which [Insert] writes, and which it keeps.
const (
	beginMark = "<!-- measured: begin; written by make bench -->"
	endMark   = "<!-- measured: end -->"
)

// errMarks is for a text that lost them.
var errMarks = errors.New("the text needs the line " + beginMark + " and, after it, " + endMark)

// Insert returns text with tables in place of what stands between its marks.
func Insert(text, tables string) (string, error) {
	before, _, after, err := cut(text)
	if err != nil {
		return "", err
	}
	return before + "\n\n" + strings.TrimSpace(tables) + "\n\n" + after, nil
}

// Extract returns what stands between the marks.
func Extract(text string) (string, error) {
	_, tables, _, err := cut(text)
	return tables, err
}

// cut leaves the marks at the end of before and at the start of after.
func cut(text string) (before, tables, after string, err error) {
	before, rest, ok := strings.Cut(text, beginMark)
	tables, after, ok2 := strings.Cut(rest, endMark)
	if !ok || !ok2 {
		return "", "", "", errMarks
	}
	return before + beginMark, strings.TrimSpace(tables), endMark + after, nil
}
