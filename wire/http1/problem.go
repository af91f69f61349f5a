package http1

import (
	"encoding/json"
	"strings"
	"unicode"

	"ginnel/wire"
)

// maxDetail is how many bytes of a foreign problem's text are kept.
const maxDetail = 2 << 10

// problemOf returns the problem a response is.
func problemOf(r *Response) *wire.Problem {
	p := wire.Problem{}
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	isProblem := strings.EqualFold(strings.TrimSpace(media), wire.ProblemType) && json.Unmarshal(r.Body, &p) == nil
	if !isProblem || p.Detail == "" {
		p = *wire.Errorf(r.Status, "answered with status %d (%s) and no reason", r.Status, wire.StatusText(r.Status))
	}
	p.Status = r.Status
	p.Title, p.Detail = printable(p.Title), printable(p.Detail)
	return &p
}

// printable makes a text from elsewhere fit for a terminal.
func printable(s string) string {
	if len(s) > maxDetail {
		s = strings.ToValidUTF8(s[:maxDetail], "")
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}
