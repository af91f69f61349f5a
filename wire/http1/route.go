package http1

import (
	"net/url"
	"slices"
	"strings"

	"ginnel/wire"
)

// MatchPath compares an escaped path with a pattern, segment by segment.
// "{name}" in the pattern stands for one segment that is not empty and, once
// unescaped, has no slash; "{name...}" at its end for all the rest, even
// nothing. The values are what the path has in their places: segments
// unescaped, the rest as it is, without the slash before it.
func MatchPath(pattern, path string) (values []string, ok bool) {
	for more := true; more; {
		var want, have string
		want, pattern, more = strings.Cut(pattern, "/")
		if strings.HasSuffix(want, "...}") {
			return append(values, path), true
		}
		var rest bool
		have, path, rest = strings.Cut(path, "/")
		if rest != more {
			return nil, false
		}
		if !strings.HasPrefix(want, "{") {
			if want != have {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(have)
		if err != nil || value == "" || strings.Contains(value, "/") {
			return nil, false
		}
		values = append(values, value)
	}
	return values, true
}

// CheckQuery refuses parameters that are not among those known, and those that
// are there more than once. Its error is a *[wire.Problem].
func CheckQuery(r *Request, known []string) error {
	for name, values := range r.Query {
		if !slices.Contains(known, name) {
			return wire.Errorf(wire.StatusBadRequest, "unknown parameter %q", name)
		}
		if len(values) != 1 {
			return wire.Errorf(wire.StatusBadRequest, "parameter %s is there more than once", name)
		}
	}
	return nil
}

// FailMethod makes the response for a path that has other methods alone.
func FailMethod(r *Request, allow []string) *Response {
	list := strings.Join(allow, ", ")
	resp := Fail(wire.Errorf(wire.StatusMethod, "%s does not work at %s, only %s", r.Method, r.Path, list))
	resp.Header.Set("Allow", list) // RFC 9110, section 15.5.6
	return resp
}
