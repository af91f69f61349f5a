package http1

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	"ginnel/wire"
	"ginnel/wire/json"
)

// JSON makes a request and reads its answer. target is an escaped path, with a
// query or without; header is pairs of name and value. in is sent as JSON, nil
// sends no body; the answer is read into out, where fields this program does
// not know are ignored; nil ignores the whole body.
//
// An answer other than 2xx is returned as a *[wire.Problem]: the one it has
// as its body, or one made from its status. Other errors are those of
// [Client.Do].
func (c *Client) JSON(ctx context.Context, method, target string, in, out any, header ...string) error {
	r, err := jsonRequest(method, target, in, header)
	if err != nil {
		return err
	}
	resp, err := c.Do(ctx, r)
	if err != nil {
		return err
	}
	if resp.Status < 200 || resp.Status > 299 {
		return problemOf(resp)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(resp.Body, out); err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", method, r.Path, err)
	}
	return nil
}

func jsonRequest(method, target string, in any, header []string) (*Request, error) {
	if len(header)%2 != 0 {
		return nil, errors.New("header has a name without a value")
	}
	path, query, _ := strings.Cut(target, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("query of %q: %w", target, err)
	}
	r := &Request{Method: method, Path: path, Query: q, Header: textproto.MIMEHeader{}}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
		r.Body = wire.Encode(in)
	}
	return r, nil
}

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
		if strconv.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}
