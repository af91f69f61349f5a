package http1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"ginnel/wire"
)

// The limits of a head.
const (
	maxLine   = 8 << 10  // bytes of a line with its CRLF
	maxHead   = 16 << 10 // bytes of all lines
	maxFields = 64
)

// malformed is an error of syntax or framing, or a request that was not read to
// its end: the connection cannot be used after it.
type malformed struct {
	status int // what a server answers
	detail string
	wait   time.Duration // unless zero, when to try again
}

func (m *malformed) Error() string { return m.detail }

func badf(format string, args ...any) error {
	return &malformed{status: wire.StatusBadRequest, detail: fmt.Sprintf(format, args...)}
}

// readers keeps the buffers of connections that have something to say.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, maxLine) }}

// lines reads a head line by line. The length of a line is limited by the
// reader's buffer.
type lines struct {
	r    *bufio.Reader
	left int // bytes the head may still have
}

// next returns a line without its CRLF, good until the following read.
// tooLong is the status for one beyond the limits.
func (l *lines) next(tooLong int) ([]byte, error) {
	b, err := l.r.ReadSlice('\n')
	l.left -= len(b)
	if errors.Is(err, bufio.ErrBufferFull) || l.left < 0 {
		return nil, &malformed{status: tooLong, detail: fmt.Sprintf("the head is too large: a line may have %d bytes, all of them %d", maxLine, maxHead)}
	}
	if err != nil {
		if err == io.EOF && len(b) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	line, ok := bytes.CutSuffix(b, []byte("\r\n"))
	if !ok {
		return nil, badf("a line ends in LF alone, want CRLF")
	}
	return line, nil
}

// header reads the field lines up to and with the empty one.
func (l *lines) header() (textproto.MIMEHeader, error) {
	h := textproto.MIMEHeader{}
	for n := 0; ; n++ {
		line, err := l.next(wire.StatusHeaderTooLarge)
		switch {
		case err == io.EOF:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		case len(line) == 0:
			return h, nil
		case n == maxFields:
			return nil, &malformed{status: wire.StatusHeaderTooLarge, detail: fmt.Sprintf("more than %d header fields", maxFields)}
		}
		name, value, err := parseField(line)
		if err != nil {
			return nil, err
		}
		h[name] = append(h[name], value)
	}
}

// parseField reads one field line (RFC 9112, section 5).
func parseField(line []byte) (name, value string, err error) {
	if line[0] == ' ' || line[0] == '\t' {
		return "", "", badf("a header field is folded over several lines")
	}
	n, v, ok := bytes.Cut(line, []byte(":"))
	if !ok || !isToken(string(n)) {
		return "", "", badf("a header field's name is not a token followed at once by a colon")
	}
	v = bytes.Trim(v, " \t")
	if !isValue(string(v)) {
		return "", "", badf("header field %s has a control character in its value", n)
	}
	return textproto.CanonicalMIMEHeaderKey(string(n)), string(v), nil
}

// readRequest reads a request's head. The result's Body is empty and its
// length told apart.
func readRequest(r *bufio.Reader) (req *Request, length int64, err error) {
	l := lines{r: r, left: maxHead}
	line, err := l.next(wire.StatusURITooLong)
	if err == nil && len(line) == 0 { // one empty line before a request is forgiven (RFC 9112, section 2.2)
		line, err = l.next(wire.StatusURITooLong)
	}
	if err != nil {
		return nil, 0, err
	}
	if req, err = parseRequestLine(string(line)); err != nil {
		return nil, 0, err
	}
	authority := req.Header.Get("Host")
	if req.Header, err = l.header(); err != nil {
		return nil, 0, err
	}
	if err = checkHost(req.Header); err != nil {
		return nil, 0, err
	}
	if authority != "" { // it counts more than the field (RFC 9112, section 3.2.2)
		req.Header.Set("Host", authority)
	}
	length, err = contentLength(req.Header)
	return req, max(length, 0), err
}

// parseRequestLine reads method, target and version (RFC 9112, section 3). The
// authority of a target in absolute form is left in the Host field.
func parseRequestLine(line string) (*Request, error) {
	method, rest, ok1 := strings.Cut(line, " ")
	target, version, ok2 := strings.Cut(rest, " ")
	if !ok1 || !ok2 || !isToken(method) || !isVisible(target) {
		return nil, badf("the request line is not \"METHOD /path HTTP/1.1\"")
	}
	if version != "HTTP/1.1" {
		if !isVersion(version) {
			return nil, badf("the request line does not end in \"HTTP/1.1\"")
		}
		return nil, &malformed{status: wire.StatusVersion, detail: version + " is not spoken here, HTTP/1.1 is"}
	}
	req := &Request{Method: method, Header: textproto.MIMEHeader{}}
	if len(target) > 7 && strings.EqualFold(target[:7], "http://") {
		authority, path, _ := strings.Cut(target[7:], "/")
		if authority == "" || !isHost(authority) {
			return nil, badf("the request's target has no proper host")
		}
		req.Header.Set("Host", authority)
		target = "/" + path
	}
	return req, parseTarget(req, target)
}

// parseTarget reads a target in origin form into req.
func parseTarget(req *Request, target string) error {
	path, query, _ := strings.Cut(target, "?")
	if !strings.HasPrefix(path, "/") || strings.Contains(target, "#") {
		return badf("the request's target is not a path that starts with a slash")
	}
	if !isPath(path) {
		return badf("the request's path has a character that stands for itself only when it is escaped")
	}
	if _, err := url.PathUnescape(path); err != nil {
		return badf("the request's path has an escape that is not %% and two hexadecimal digits")
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return badf("the request's query is not name=value&name=value")
	}
	req.Path, req.Query = path, q
	return nil
}

// checkHost demands exactly one Host field (RFC 9112, section 3.2). It may be
// empty.
func checkHost(h textproto.MIMEHeader) error {
	if v := h["Host"]; len(v) != 1 || !isHost(v[0]) {
		return badf("want exactly one well-formed Host field")
	}
	return nil
}

// contentLength decides how a body is framed (RFC 9112, section 6.3); -1 means
// that no length is given.
func contentLength(h textproto.MIMEHeader) (int64, error) {
	if _, ok := h["Transfer-Encoding"]; ok {
		return 0, &malformed{status: wire.StatusNotImplemented, detail: "a Transfer-Encoding is not understood here, a Content-Length is"}
	}
	v, ok := h["Content-Length"]
	if !ok {
		return -1, nil
	}
	if len(v) != 1 || v[0] == "" || strings.Trim(v[0], "0123456789") != "" {
		return 0, badf("want one Content-Length, of digits only")
	}
	n, err := strconv.ParseInt(v[0], 10, 64)
	if err != nil {
		return 0, badf("the Content-Length is beyond all measure")
	}
	return n, nil
}

// hasToken looks for a token in a field that is a list of them, in any case.
func hasToken(h textproto.MIMEHeader, field, token string) bool {
	for _, v := range h[field] {
		for _, t := range strings.Split(v, ",") {
			if strings.EqualFold(strings.Trim(t, " \t"), token) {
				return true
			}
		}
	}
	return false
}
