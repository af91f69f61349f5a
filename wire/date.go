package wire

import "time"

// Dated is t as the wall clock has it that now was read from: a router starts
// in 1970, and what happened before its clock was set would else have happened
// 56 years ago. What tells is the monotonic reading, where both have one. A zero
// t stays zero; one stays as it is where the clock was not set in between.
func Dated(now, t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	if d := now.Add(-now.Sub(t)); d.Sub(t.Round(0)).Abs() > clockDrift {
		return d
	}
	return t
}

// clockDrift is what a clock that is being adjusted differs by from one that is
// not, and what nobody minds.
const clockDrift = time.Second
