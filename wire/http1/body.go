package http1

import (
	"io"
	"net"
	"slices"
	"time"
)

// The parts of a body that must pass within bodyTimeout each: a slow link is
// welcome, one that trickles is not. What is written is larger and more of it
// fits into the system's buffers.
const (
	readStep    = 8 << 10
	writeStep   = 32 << 10
	bodyTimeout = 20 * time.Second
)

// readBody reads n bytes, calling progress before each step of it. Memory
// grows with what arrives, not with what is announced.
func readBody(r io.Reader, n int64, progress func() error) ([]byte, error) {
	var body []byte
	for int64(len(body)) < n {
		if err := progress(); err != nil {
			return nil, err
		}
		if len(body) == cap(body) {
			room := min(int64(max(readStep, len(body))), n-int64(len(body)))
			body = slices.Grow(body, int(room))
		}
		have := len(body)
		upTo := int(min(int64(have+readStep), int64(cap(body)), n))
		if _, err := io.ReadFull(r, body[have:upTo]); err != nil {
			return nil, noEOF(err)
		}
		body = body[:upTo]
	}
	return body, nil
}

// noEOF turns the end of input in the middle of something into an error that
// says so.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// linger ends a connection so that the other side can read what was written:
// closed with unread input, TCP would throw that away. It closes the writing
// half where there is one, reads until the other side has closed or the time
// is over, and leaves closing to the caller.
func linger(c net.Conn, wait time.Duration) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		if half.CloseWrite() != nil {
			return
		}
	}
	drain(c, wait)
}

// drain reads until the other side has closed or the time is over. io.Copy
// would bring the connections' own ways of copying, and splice, into the binary.
func drain(c net.Conn, wait time.Duration) {
	err := c.SetReadDeadline(time.Now().Add(wait))
	for rest := make([]byte, readStep); err == nil; {
		_, err = c.Read(rest) // that it ends, by EOF or by time, is all that matters
	}
}
