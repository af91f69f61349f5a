package http1

import (
	"fmt"
	"net/textproto"
	"sort"
	"strconv"

	"ginnel/wire"
)

// joinBody is the size up to which a body goes out in one write with its head.
const joinBody = 4 << 10

// write writes r; headOnly leaves the body out, but not its length.
func (c *conn) write(r *Response, headOnly, closing bool) error {
	head := responseHead(r, closing)
	if headOnly || !hasBody(r.Status) {
		return c.writeSteps(head)
	}
	if len(r.Body) <= joinBody {
		return c.writeSteps(append(head, r.Body...))
	}
	if err := c.writeSteps(head); err != nil {
		return err
	}
	return c.writeSteps(r.Body)
}

// writeSteps writes b with a deadline for each step of it.
func (c *conn) writeSteps(b []byte) error {
	for len(b) > 0 {
		c.pool.allowStep(c)
		n, err := c.Write(b[:min(writeStep, len(b))])
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

func responseHead(r *Response, closing bool) []byte {
	b := fmt.Appendf(make([]byte, 0, 512), "HTTP/1.1 %d %s\r\n", r.Status, wire.StatusText(r.Status))
	b = appendFields(b, r.Header)
	if hasBody(r.Status) {
		b = appendLength(b, len(r.Body))
	}
	if closing {
		b = append(b, "Connection: close\r\n"...)
	}
	return append(b, "\r\n"...)
}

// hasBody tells whether responses with a status have a body: all but two of
// the final ones (RFC 9112, section 6.3).
func hasBody(status int) bool {
	const notModified = 304
	return status != wire.StatusNoContent && status != notModified
}

// appendFields writes header fields in the order of their names, without those
// that frame the message.
func appendFields(b []byte, h textproto.MIMEHeader) []byte {
	for _, name := range sortedNames(h) {
		if isFraming(name) {
			continue
		}
		for _, v := range h[name] {
			b = append(append(append(append(b, name...), ": "...), v...), "\r\n"...)
		}
	}
	return b
}

// sortedNames lists what m has values of. (slices.Sort would be another copy of
// the algorithm, 10 kB.)
func sortedNames(m map[string][]string) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool { return names[i] < names[j] })
	return names
}

func appendLength(b []byte, n int) []byte {
	return append(strconv.AppendInt(append(b, "Content-Length: "...), int64(n), 10), "\r\n"...)
}

// isFraming tells the fields this package writes itself.
func isFraming(name string) bool {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Connection", "Content-Length", "Host", "Keep-Alive", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// checkFields refuses what would end a field's line early or read as another.
func checkFields(h textproto.MIMEHeader) error {
	for name, values := range h {
		if !isToken(name) {
			return fmt.Errorf("header field name %q is not a token", name)
		}
		for _, v := range values {
			if !isValue(v) {
				return fmt.Errorf("header field %s has a control character in its value", name)
			}
		}
	}
	return nil
}
