// Package http1 is the little HTTP/1.1 (RFC 9112) the product speaks: a server
// over any net.Listener and a client over any net.Conn, overlay TCP and unix
// sockets alike. It exists because net/http would double the binary.
//
// # What it speaks
//
// Bodies have a Content-Length; whole requests and responses are held in
// memory, within limits. A Transfer-Encoding is answered with 501, HTTP/1.0
// and anything else but HTTP/1.1 with 505. Connections are kept alive, and
// pipelined requests answered in turn. A HEAD reaches the handler as a GET and
// loses its body on the way back. There is no Date field: the coordinator may
// have no clock.
//
// # Strictness
//
// Whatever two parsers could read in two ways is refused, so that nothing can
// be smuggled past one of them: lines end in CRLF (RFC 9112, section 2.2, lets
// a recipient take a bare LF; it need not), a CR or NUL elsewhere, folded
// lines, white space around a field's name, a second Host, and a second or
// inexact Content-Length are 400. After any error of syntax or framing the
// connection is closed: the rest of its bytes is never taken for a request.
//
// # Limits
//
// A line has at most 8 KiB, a head 64 fields and 16 KiB, a body
// [Server.MaxBody]. The first byte must come 10 s after the connection, a
// head be whole 10 s after its own first byte; an idle connection lives 30 s,
// every 8 KiB of a request's body and every 32 KiB of a response get 20 s. An
// idle connection holds no buffer: only its goroutine and its socket, about
// 4 KiB. One with a request under way has 8 KiB more, and the bodies.
//
// # Fairness
//
// A remote address is somebody: in a tunnel it cannot be forged. None gets so
// much that others are kept waiting for it, however many bytes it sends and
// however slowly.
//
// Places. An address has at most [Server.MaxPerAddr] connections, one more is
// answered with 429; there are [Server.MaxConns] in all. Where all are taken a
// newcomer gets the place of the connection that has been idle longest; or of
// the oldest one of the address with most, if that is more than the newcomer's
// will have; or of a request that has been arriving for 2 s. Otherwise it is
// answered with 429 where its address has another place; and waits, unaccepted
// with all behind it, where it has none.
//
// Turns. Of the requests that have arrived 16 are answered at a time, 2 of one
// address, so that no more responses than that are in memory. While others wait
// because all turns are taken, a response has 2 s for every 32 KiB: readers that
// do not read lose theirs.
//
// Pace. An address may ask [Server.Burst] times in quick succession and then 20
// times a second, where every 16 KiB of the responses count as once more. What
// is beyond is answered with 429 and the time to wait (Retry-After), before its
// body is read or anybody looks at it.
//
// None of this holds for unix sockets, but the number of places: whoever may
// open one is trusted.
package http1

import (
	"context"
	"errors"
	"net/netip"
	"net/textproto"
	"net/url"

	"ginnel/wire"
)

// Request is a request as the server received it, or as the client shall send
// it.
type Request struct {
	Method string
	// Path is the path as it stands in the request, still escaped, without the
	// query. It starts with a slash.
	Path   string
	Query  url.Values
	Header textproto.MIMEHeader // canonical names; the framing's own are ignored when sending
	Body   []byte
	// Remote is the other end of a TCP connection, IPv4 never mapped into
	// IPv6. Zero: a unix socket. The client ignores it.
	Remote netip.AddrPort
}

// Response is a handler's answer, or what the client received.
type Response struct {
	Status int // 200–599
	// Header may be nil. The fields that frame a message (Content-Length,
	// Transfer-Encoding, Connection and their like) are the server's own: it
	// ignores a handler's.
	Header textproto.MIMEHeader
	Body   []byte
	// Done, when set, is called exactly once: after the response was written
	// and the client has closed its side of the connection or [DoneTimeout]
	// has passed, or after the write failed. The connection is then closed, and
	// not before: a client that sees its end knows that its own has arrived. It
	// runs on the connection's goroutine and must not wait for the server to
	// end. The client never sets it.
	Done func()
}

// Handler answers a request. It owns r. Its context ends when the server has
// ended and its grace is over; a nil Response is answered with 500.
type Handler func(ctx context.Context, r *Request) *Response

// JSON makes a response with v as its JSON body; nil means no body.
func JSON(status int, v any) *Response {
	r := &Response{Status: status, Header: textproto.MIMEHeader{}}
	if v != nil {
		r.Header.Set("Content-Type", "application/json")
		r.Body = wire.Encode(v)
	}
	return r
}

// Fail makes the response for an error: the *[wire.Problem] it is or wraps, as
// [wire.ProblemType], and for any other a 500 that does not tell its text. Who
// calls it with such an error logs it.
func Fail(err error) *Response {
	var p *wire.Problem
	if !errors.As(err, &p) || p.Status < 400 || p.Status > 599 {
		p = wire.Errorf(wire.StatusInternal, "something went wrong inside; the log of the other side says what")
	}
	return &Response{
		Status: p.Status,
		Header: textproto.MIMEHeader{"Content-Type": {wire.ProblemType}},
		Body:   wire.Encode(p),
	}
}
