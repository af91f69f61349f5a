package http1

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strconv"
	"strings"

	"ginnel/wire"
)

// read reads the response.
func (c *Client) read(nc net.Conn, headOnly bool) (*Response, error) {
	r := readers.Get().(*bufio.Reader)
	r.Reset(nc)
	defer func() {
		r.Reset(nil)
		readers.Put(r)
	}()
	resp, err := readStatus(r)
	if err != nil {
		return nil, err
	}
	length, err := contentLength(resp.Header)
	switch {
	case err != nil:
		return nil, fmt.Errorf("response: %w", err)
	case headOnly || !hasBody(resp.Status):
		return resp, nil
	}
	resp.Body, err = c.body(r, length)
	return resp, err
}

// body reads a response's body; with length -1 up to the connection's end.
func (c *Client) body(r io.Reader, length int64) ([]byte, error) {
	limit := orDefault(c.MaxResponse, wire.MaxResponse)
	if length > limit {
		return nil, fmt.Errorf("response has %d bytes, at most %d are taken", length, limit)
	}
	if length >= 0 {
		b, err := readBody(r, length, func() error { return nil })
		if err != nil {
			return nil, fmt.Errorf("response: %w", err)
		}
		return b, nil
	}
	b, err := io.ReadAll(io.LimitReader(r, min(limit, math.MaxInt64-1)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("response: %w", err)
	case int64(len(b)) > limit:
		return nil, fmt.Errorf("response has more than the %d bytes that are taken", limit)
	}
	return b, nil
}

// maxInterim limits the 1xx responses before the real one.
const maxInterim = 8

// readStatus reads a response's head, skipping 1xx ones.
func readStatus(r *bufio.Reader) (*Response, error) {
	for range maxInterim {
		l := lines{r: r, left: maxHead}
		line, err := l.next(0)
		if err != nil {
			return nil, fmt.Errorf("response: %w", noEOF(err))
		}
		status, err := parseStatusLine(string(line))
		if err != nil {
			return nil, err
		}
		h, err := l.header()
		if err != nil {
			return nil, fmt.Errorf("response: %w", err)
		}
		if status >= 200 {
			return &Response{Status: status, Header: h}, nil
		}
	}
	return nil, fmt.Errorf("response: more than %d informational ones", maxInterim)
}

// parseStatusLine reads "HTTP/1.1 200 reason" (RFC 9112, section 4). The
// switch to another protocol, which nobody asked for, is refused.
func parseStatusLine(line string) (int, error) {
	rest, ok := strings.CutPrefix(line, "HTTP/1.1 ")
	digits, reason, _ := strings.Cut(rest, " ")
	n, err := strconv.ParseUint(digits, 10, 16)
	if !ok || len(digits) != 3 || err != nil || n < 100 || n > 599 || n == 101 || !isValue(reason) {
		return 0, errors.New("response does not start with an HTTP/1.1 status line")
	}
	return int(n), nil
}
