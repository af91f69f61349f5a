// Package table holds what is compared and what was measured, and prints it as
// Markdown. It is pure: no I/O, and no clock.
package table

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The implementations that are compared.
const (
	Ginnel = "ginnel"    // ours: everything is a ratio to it
	Wgctrl = "wgctrl-go" // a library, in the same process
	Wg     = "wg"        // a program, a process per operation
	Start  = "start"     // that process, doing nothing
)

// Report is what was measured on one machine, in one run.
type Report struct {
	Machine      Machine
	Measurements []Measurement // by operation, in the order of the run
}

// Machine tells where a report comes from.
type Machine struct {
	Arch   string // GOARCH
	Kernel string // release, as uname prints it
	Go     string // version
	Wgctrl string // version of the library
	Wg     string // version of the program; empty: it was not there
	Rounds int    // samples that each median is of
	Seed   uint64 // of the random peers
}

// Measurement is what one operation cost with one implementation.
type Measurement struct {
	Operation      string
	Implementation string
	Median         time.Duration
	// Allocs and Bytes are of the Go heap, per operation; of a process of its
	// own they are not known, and zero.
	Allocs, Bytes uint64
	// Sent and Received count messages of generic netlink, acknowledgements
	// included.
	Sent, Received int
}

// Marks of the lines that carry a report over a console that others write to.
const (
	machineMark     = "bench-machine: "
	measurementMark = "bench-measurement: "
)

// Line is m as one line, without its end, for [Parse].
func (m Machine) Line() string { return line(machineMark, m) }

// Line is m as one line, without its end, for [Parse].
func (m Measurement) Line() string { return line(measurementMark, m) }

func line(mark string, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("table: plain data is not JSON: " + err.Error())
	}
	return mark + string(b)
}

// Parse finds a report among the lines of a console. One without machine or
// measurements is an error: the run did not come to its end.
func Parse(console string) (Report, error) {
	var r Report
	for text := range strings.Lines(console) {
		text = strings.TrimSpace(text)
		if _, rest, ok := strings.Cut(text, machineMark); ok {
			if err := json.Unmarshal([]byte(rest), &r.Machine); err != nil {
				return Report{}, fmt.Errorf("parse %q: %w", text, err)
			}
		}
		if _, rest, ok := strings.Cut(text, measurementMark); ok {
			var m Measurement
			if err := json.Unmarshal([]byte(rest), &m); err != nil {
				return Report{}, fmt.Errorf("parse %q: %w", text, err)
			}
			r.Measurements = append(r.Measurements, m)
		}
	}
	if r.Machine.Arch == "" || len(r.Measurements) == 0 {
		return Report{}, errors.New("no report on the console: the guest's own messages say why")
	}
	return r, nil
}

// Of returns what an operation cost with an implementation, and whether that
// was measured.
func (r Report) Of(operation, implementation string) (Measurement, bool) {
	i := slices.IndexFunc(r.Measurements, func(m Measurement) bool {
		return m.Operation == operation && m.Implementation == implementation
	})
	if i < 0 {
		return Measurement{}, false
	}
	return r.Measurements[i], true
}

// Operations are the names of what was measured, in the order of the run.
func (r Report) Operations() []string {
	var names []string
	for _, m := range r.Measurements {
		if !slices.Contains(names, m.Operation) {
			names = append(names, m.Operation)
		}
	}
	return names
}

// Ratio is how many times as long as ours an operation took with another
// implementation, in the same run; 0 when one of the two was not measured.
func (r Report) Ratio(operation, implementation string) float64 {
	ours, ok := r.Of(operation, Ginnel)
	theirs, ok2 := r.Of(operation, implementation)
	if !ok || !ok2 || ours.Median <= 0 {
		return 0
	}
	return float64(theirs.Median) / float64(ours.Median)
}
