package http1

import (
	"context"
	"fmt"
	"net"
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
// the time it takes: give it a deadline. Where the answer is a 429 that says
// when to ask again, and that is before the deadline, it asks again then. Its
// errors say that no whole, well-formed response was received; the request may
// have been carried out.
func (c *Client) Do(ctx context.Context, r *Request) (*Response, error) {
	for {
		resp, err := c.once(ctx, r)
		if err != nil || resp.Status != wire.StatusTooMany || !waitAsTold(ctx, resp) {
			return resp, err
		}
	}
}

// waitAsTold waits as long as a response tells to, if that is before ctx's
// deadline.
func waitAsTold(ctx context.Context, resp *Response) bool {
	seconds, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 16) // a date is not understood
	wait := time.Duration(seconds) * time.Second
	if at, ok := ctx.Deadline(); err != nil || ok && time.Until(at) <= wait {
		return false
	}
	t := time.NewTimer(max(wait, time.Second))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// once sends r once.
func (c *Client) once(ctx context.Context, r *Request) (*Response, error) {
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
// it has the whole body. An error of writing is not told: the server has then
// answered, or reading fails as well.
func (c *Client) exchange(nc net.Conn, head []byte, r *Request) (*Response, error) {
	var writing sync.WaitGroup
	writing.Go(func() { writeRequest(nc, head, r.Body) })
	resp, err := c.read(nc, r.Method == "HEAD")
	nc.SetWriteDeadline(past)
	writing.Wait()
	if err == nil {
		linger(nc, closeTimeout)
	}
	return resp, err
}

func writeRequest(nc net.Conn, head, body []byte) {
	if _, err := nc.Write(head); err == nil && len(body) > joinBody {
		nc.Write(body)
	}
}

// query returns q as it follows a path.
func query(q url.Values) (text string) {
	separator := "?"
	for _, name := range sortedNames(q) {
		for _, v := range q[name] {
			text += separator + url.QueryEscape(name) + "=" + url.QueryEscape(v)
			separator = "&"
		}
	}
	return text
}

// head returns the request's head, with its body when that is small.
func (c *Client) head(r *Request) ([]byte, error) {
	target, host := r.Path+query(r.Query), c.Host
	if host == "" {
		host = "ginnel"
	}
	if err := checkRequest(r, target, host); err != nil {
		return nil, err
	}
	b := fmt.Appendf(make([]byte, 0, 512), "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", r.Method, target, host)
	b = appendFields(b, r.Header)
	if len(r.Body) > 0 || r.Method == "POST" || r.Method == "PUT" || r.Method == "PATCH" {
		b = appendLength(b, len(r.Body)) // 0 as well where a body is usual (RFC 9110, section 8.6)
	}
	b = append(b, "\r\n"...)
	if len(r.Body) <= joinBody {
		b = append(b, r.Body...)
	}
	return b, nil
}

// checkRequest refuses a request that the server would refuse or, worse, take
// for two.
func checkRequest(r *Request, target, host string) error {
	_, err := parseRequestLine(r.Method + " " + target + " HTTP/1.1")
	switch {
	case err != nil, !strings.HasPrefix(r.Path, "/"), strings.Contains(r.Path, "?"):
		return fmt.Errorf("request %q %q: want a method and an escaped path", r.Method, r.Path)
	case !isHost(host):
		return fmt.Errorf("host %q has characters that no host has", host)
	}
	return checkFields(r.Header)
}
