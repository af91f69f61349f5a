package json_test

import (
	std "encoding/json"
	"fmt"
	"testing"
	"time"

	"ginnel/wire/json"
)

// TestReadsTimes: a time that encoding/json reads strictly is the same to us.
func TestReadsTimes(t *testing.T) {
	for _, text := range []string{
		"2026-01-02T03:04:05Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2024-02-29T00:00:00Z",
		"2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.000000001+01:00", "2026-01-02T03:04:05.1234567891234-23:59", "2026-01-02T03:04:05-00:00",
	} {
		var ours, theirs time.Time
		quoted := fmt.Appendf(nil, "%q", text)
		if err := std.Unmarshal(quoted, &theirs); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(quoted, &ours); err != nil || ours.Format(time.RFC3339Nano) != theirs.Format(time.RFC3339Nano) {
			t.Errorf("%s is %v, %v, want %v", text, ours, err, theirs)
		}
	}
}

func TestRefusesTimes(t *testing.T) {
	for _, text := range []string{
		"", "Z", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-01-02t03:04:05Z", "2026-01-02T03:04:05z", "2026-1-2T03:04:05Z",
		"2026-00-02T03:04:05Z", "2026-13-02T03:04:05Z", "2026-02-29T03:04:05Z", "2026-01-00T03:04:05Z", "2026-01-02T24:00:00Z", "2026-01-02T03:60:05Z",
		"2026-01-02T03:04:60Z", "+026-01-02T03:04:05Z", "2026-01-02T03:04:-5Z", "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05,5Z", "2026-01-02T03:04:05.-5Z",
		"2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05+01:60", "2026-01-02T03:04:05+0100", "2026-01-02T03:04:05 01:00", "2026-01-02T03:04:05+-1:00",
		"2026-01-02T03:04:05+01:+0", "2026-01-02T03:04:05+01.00", "2026-01-02T03:04:05ZZ", "12026-01-02T03:04:05Z", "2026-01-02T03:04:05Z+01:00",
	} {
		var at time.Time
		want := fmt.Sprintf("it is wrong: %q is no time like 2006-01-02T15:04:05Z", text)
		if err := json.Unmarshal(fmt.Appendf(nil, "%q", text), &at); err == nil || err.Error() != want {
			t.Errorf("%q is %v, %v, want the error %s", text, at, err, want)
		}
	}
}
