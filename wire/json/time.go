package json

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseTime reads a time as RFC 3339 has it. time.Parse, which knows every
// layout there is, would be 20 kB of the binary.
func parseTime(s string) (time.Time, error) {
	const layout = "2006-01-02T15:04:05"
	if len(s) > len(layout) {
		nanoseconds, rest := parseFraction(s[len(layout):])
		zone, ok := parseZone(rest)
		t := time.Date(number(s[:4]), time.Month(number(s[5:7])), number(s[8:10]),
			number(s[11:13]), number(s[14:16]), number(s[17:19]), nanoseconds, zone)
		if ok && t.Format(layout) == s[:len(layout)] { // there is such a day and hour
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time like %sZ", s, layout)
}

// parseFraction reads what s has of a second, and returns what follows it.
func parseFraction(s string) (nanoseconds int, rest string) {
	fraction, some := strings.CutPrefix(s, ".")
	rest = strings.TrimLeft(fraction, "0123456789")
	digits := fraction[:len(fraction)-len(rest)]
	if !some || digits == "" {
		return 0, s
	}
	return number((digits + "000000000")[:9]), rest
}

// parseZone reads "Z", "+01:00" or their like. What it cannot read is UTC.
func parseZone(s string) (*time.Location, bool) {
	if s == "Z" || len(s) != len("+01:00") || s[3] != ':' {
		return time.UTC, s == "Z"
	}
	hours, minutes := number(s[1:3]), number(s[4:])
	east := (hours*60 + minutes) * 60
	if s[0] == '-' {
		east = -east
	}
	ok := (s[0] == '+' || s[0] == '-') && 0 <= hours && hours < 24 && 0 <= minutes && minutes < 60
	return time.FixedZone("", east), ok
}

// number reads digits; -1: there is something else.
func number(s string) int {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return -1
	}
	return int(n)
}
