package http1

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"ginnel/wire"
)

// closeTimeout is how long a client waits for the server to close after it has
// read the response and closed its own half.
const closeTimeout = 300 * time.Millisecond

// Client makes requests, each on a connection of its own. It may be used from
// several goroutines.
type Client struct {
	// Dial makes a connection, which Do closes.
	Dial func(ctx context.Context) (net.Conn, error)
	// MaxResponse is the largest body of a response in bytes; 0:
	// [wire.MaxResponse].
	MaxResponse int64
	// Host is the Host field's value; empty: "ginnel".
	Host string
}

// Do sends r and returns the response, whatever its status. Only ctx limits
// the time it takes: give it a deadline. Its errors say that no whole,
// well-formed response was received; the request may have been carried out.
func (c *Client) Do(ctx context.Context, r *Request) (*Response, error) {
	head, err := c.head(r)
	if err != nil {
		return nil, err
	}
	nc, err := c.Dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer nc.Close()
	var watch sync.WaitGroup
	defer watch.Wait()
	over := make(chan struct{})
	defer close(over)
	watch.Go(func() {
		select {
		case <-ctx.Done():
			nc.SetDeadline(past)
		case <-over:
		}
	})
	resp, err := c.exchange(nc, head, r)
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, context.Cause(ctx))
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
	}
	return resp, nil
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// exchange writes while it reads: a server may answer, and stop reading, before
// it has the whole body.
func (c *Client) exchange(nc net.Conn, head []byte, r *Request) (*Response, error) {
	var writeErr error
	var writing sync.WaitGroup
	writing.Go(func() { writeErr = writeRequest(nc, head, r.Body) })
	resp, err := c.read(nc, r.Method == "HEAD")
	if err != nil {
		nc.Close()
	} else {
		nc.SetWriteDeadline(past)
	}
	writing.Wait()
	if err != nil {
		if writeErr != nil && !errors.Is(writeErr, net.ErrClosed) {
			return nil, fmt.Errorf("write: %w", writeErr)
		}
		return nil, err
	}
	linger(nc, closeTimeout)
	return resp, nil
}

func writeRequest(nc net.Conn, head, body []byte) error {
	if _, err := nc.Write(head); err != nil {
		return err
	}
	if len(body) <= joinBody {
		return nil
	}
	_, err := nc.Write(body)
	return err
}

// head returns the request's head, with its body when that is small.
func (c *Client) head(r *Request) ([]byte, error) {
	target := r.Path
	if len(r.Query) > 0 {
		target += "?" + r.Query.Encode()
	}
	host := c.Host
	if host == "" {
		host = "ginnel"
	}
	if _, err := parseRequestLine(r.Method + " " + target + " HTTP/1.1"); err != nil || !strings.HasPrefix(r.Path, "/") || strings.Contains(r.Path, "?") || !isHost(host) {
		return nil, fmt.Errorf("request %q %q to host %q cannot be written: want a method, an escaped path and a host", r.Method, r.Path, host)
	}
	if err := checkFields(r.Header); err != nil {
		return nil, err
	}
	b := fmt.Appendf(make([]byte, 0, 512), "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", r.Method, target, host)
	b = appendFields(b, r.Header)
	if len(r.Body) > 0 || r.Method == "POST" || r.Method == "PUT" || r.Method == "PATCH" {
		b = appendLength(b, len(r.Body))
	}
	b = append(b, "\r\n"...)
	if len(r.Body) <= joinBody {
		b = append(b, r.Body...)
	}
	return b, nil
}

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
