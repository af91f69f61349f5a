package http1

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"ginnel/wire"
)

// phase is what a connection is doing.
type phase int

const (
	idle      phase = iota // nothing has come since it was opened or answered
	reading                // a request is arriving
	waiting                // a request has arrived, and waits for its turn
	answering              // a request is handled, or its response written
)

// conn is one connection of a server.
type conn struct {
	net.Conn
	pool   *pool
	remote netip.AddrPort

	// Guarded by pool.mu.
	phase    phase
	since    time.Time // when the phase began; an idle one may be closed from then on
	stepEnds time.Time // the write deadline
	writes   time.Time // when its response began to be written; zero: it has not

	// first holds the byte that ended an idle wait, until Read gives it out.
	first    [1]byte
	hasFirst bool
}

// Read gives out the byte that an idle wait consumed, then what comes.
func (c *conn) Read(b []byte) (int, error) {
	if c.hasFirst && len(b) > 0 {
		b[0], c.hasFirst = c.first[0], false
		return 1, nil
	}
	return c.Conn.Read(b)
}

// serve answers the connection's requests. The caller closes it.
func (c *conn) serve() {
	for wait := headTimeout; c.await(wait) && c.burst(); wait = idleTimeout {
	}
}

// await waits, without a buffer, for the first byte of a request.
func (c *conn) await(wait time.Duration) bool {
	c.SetReadDeadline(time.Now().Add(wait))
	if !c.pool.rest(c) {
		return false
	}
	if _, err := io.ReadFull(c.Conn, c.first[:]); err != nil {
		return false
	}
	c.hasFirst = true
	c.SetReadDeadline(time.Now().Add(headTimeout))
	return c.pool.begin(c)
}

// burst answers requests as long as there is input in the buffer. It returns
// whether the connection may go on.
func (c *conn) burst() bool {
	r := readers.Get().(*bufio.Reader)
	r.Reset(c)
	defer func() {
		r.Reset(nil)
		readers.Put(r)
	}()
	for c.exchange(r) {
		if r.Buffered() == 0 {
			return true
		}
		c.SetReadDeadline(time.Now().Add(headTimeout))
	}
	return false
}

// exchange reads one request and answers it. It returns whether the connection
// may go on.
func (c *conn) exchange(r *bufio.Reader) bool {
	req, err := c.read(r)
	if err != nil {
		if answer := refusal(err); answer != nil {
			c.last(answer, false)
		}
		return false
	}
	if !c.pool.enter(c) {
		return false
	}
	defer c.pool.leave(c)
	headOnly := req.Method == "HEAD"
	if headOnly {
		req.Method = "GET"
	}
	closing := hasToken(req.Header, "Connection", "close")
	resp := c.handle(req)
	c.pool.charge(c, resp)
	if closing || resp.Done != nil || c.pool.isEnding() {
		c.last(resp, headOnly)
		return false
	}
	return c.write(resp, headOnly, false) == nil
}

// read reads a request with its body.
func (c *conn) read(r *bufio.Reader) (*Request, error) {
	wait := c.pool.take(c)
	req, length, err := readRequest(r)
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		return nil, &malformed{wire.StatusTooMany, fmt.Sprintf("too many requests come from %s", c.remote.Addr()), wait}
	}
	if limit := orDefault(c.pool.server.MaxBody, wire.MaxBody); length > limit {
		return nil, &malformed{status: wire.StatusTooLarge, detail: fmt.Sprintf("the body has %d bytes, at most %d are taken", length, limit)}
	}
	if err := c.expect(req, length > 0 && r.Buffered() == 0); err != nil {
		return nil, err
	}
	req.Remote = c.remote
	req.Body, err = readBody(r, length, func() error {
		return c.SetReadDeadline(time.Now().Add(bodyTimeout))
	})
	return req, err
}

// expect answers an Expect field (RFC 9110, section 10.1.1); awaited tells
// whether the client may be waiting for that before it sends a body.
func (c *conn) expect(req *Request, awaited bool) error {
	v, ok := req.Header["Expect"]
	if !ok {
		return nil
	}
	if len(v) != 1 || !strings.EqualFold(v[0], "100-continue") {
		return &malformed{status: wire.StatusExpectation, detail: "of all expectations only 100-continue can be met"}
	}
	if !awaited {
		return nil
	}
	return c.writeSteps([]byte("HTTP/1.1 100 Continue\r\n\r\n"))
}

// refusal is the answer to a request that could not be read; nil: nothing,
// because nobody waits for it.
func refusal(err error) *Response {
	var m *malformed
	switch {
	case errors.As(err, &m) && m.wait > 0:
		return failTooMany(m.detail, m.wait)
	case errors.As(err, &m):
		return Fail(wire.Errorf(m.status, "%s", m.detail))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return Fail(wire.Errorf(wire.StatusTimeout, "the request took too long to arrive"))
	case errors.Is(err, io.ErrUnexpectedEOF):
		return Fail(wire.Errorf(wire.StatusBadRequest, "the request ends in the middle"))
	}
	return nil
}

// failTooMany asks to come again after a time.
func failTooMany(detail string, wait time.Duration) *Response {
	seconds := int((wait + time.Second - 1) / time.Second)
	resp := Fail(wire.Errorf(wire.StatusTooMany, "%s: try again in %d s", detail, seconds))
	resp.Header.Set("Retry-After", strconv.Itoa(seconds)) // RFC 9110, section 10.2.3
	return resp
}

// handle lets the handler answer, and sees to it that there is an answer that
// can be written.
func (c *conn) handle(req *Request) (resp *Response) {
	defer func() {
		if v := recover(); v != nil {
			c.pool.server.Log.Error("handler panicked", "method", req.Method, "path", req.Path, "err", v, "stack", string(debug.Stack()))
			resp = Fail(errInside)
		}
	}()
	resp = c.pool.server.Handler(c.pool.ctx, req)
	if err := checkResponse(resp); err != nil {
		c.pool.server.Log.Error("handler's response cannot be sent", "method", req.Method, "path", req.Path, "err", err)
		broken := Fail(errInside)
		if resp != nil {
			broken.Done = resp.Done
		}
		return broken
	}
	return resp
}

// errInside is any error that is not for the client's eyes.
var errInside = errors.New("inside")

func checkResponse(r *Response) error {
	if r == nil {
		return errors.New("it is nil")
	}
	if r.Status < 200 || r.Status > 599 {
		return fmt.Errorf("status %d is not in 200–599", r.Status)
	}
	return checkFields(r.Header)
}

// last writes the connection's last response, waits for the client to take it,
// closes and calls Done. With a Done the client closes first: it waits for our
// end, which so tells it that its own has arrived.
func (c *conn) last(resp *Response, headOnly bool) {
	err := c.write(resp, headOnly, true)
	c.pool.leave(c)
	if err == nil {
		if resp.Done != nil {
			drain(c.Conn, DoneTimeout)
		} else {
			linger(c.Conn, DoneTimeout)
		}
	}
	c.Close()
	if resp.Done == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			c.pool.server.Log.Error("a response's Done panicked", "err", v, "stack", string(debug.Stack()))
		}
	}()
	resp.Done()
}
