package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"ginnel/wire/http1"
)

// FuzzServer sends arbitrary bytes. Every answer must be one that net/http can
// read, the last one of a connection must say so when it is an error, and what
// the handler saw must be what net/http reads from the same bytes: two parsers
// that agree cannot be played against each other.
func FuzzServer(f *testing.F) {
	for _, s := range []string{
		plain, plain + plain, post("Content-Length: 4\r\n", "body"), post("Expect: 100-continue\r\nContent-Length: 4\r\n", "body"),
		post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), get("Host: a\r\nX: a\r\n b\r\n"),
		"GET http://a/%41?b=c HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n", "\r\nGET /panic HTTP/1.1\r\nHost:\r\n\r\n" + plain,
		"GET /done HTTP/1.1\r\nHost: a\r\n\r\n" + plain, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	var mu sync.Mutex
	var saw []http1.Request
	l := listen(f, "unix")
	start(f, &http1.Server{Handler: func(ctx context.Context, r *http1.Request) *http1.Response {
		mu.Lock()
		saw = append(saw, *r)
		mu.Unlock()
		return echo(ctx, r)
	}}, l)
	f.Fuzz(func(t *testing.T, raw []byte) {
		raw = bytes.ReplaceAll(raw, []byte("HEAD"), []byte("HEAP")) // its answers cannot be told apart from outside
		mu.Lock()
		saw = nil
		mu.Unlock()
		answers := talk(t, l, string(raw))
		for i, a := range answers {
			last := i == len(answers)-1
			if a.closes && !last {
				t.Errorf("answer %d of %d says it is the last", i, len(answers))
			}
		}
		mu.Lock()
		defer mu.Unlock()
		agree(t, raw, saw)
	})
}

// agree compares requests with what net/http reads from the same bytes. It may
// refuse what the server takes; it must not read it differently.
func agree(t *testing.T, raw []byte, saw []http1.Request) {
	r := bufio.NewReader(bytes.NewReader(raw))
	for i, ours := range saw {
		if b, _ := r.Peek(2); string(b) == "\r\n" { // net/http's server skips none
			r.Discard(2)
		}
		theirs, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, err := io.ReadAll(theirs.Body)
		if err != nil {
			t.Errorf("request %d: net/http cannot read the body: %v", i, err)
			return
		}
		path, _, _ := strings.Cut(theirs.RequestURI, "?")
		if !strings.HasPrefix(path, "/") { // absolute form
			path = theirs.URL.EscapedPath()
		}
		if path == "" {
			path = "/"
		}
		if theirs.Method != ours.Method || path != ours.Path || string(body) != string(ours.Body) {
			t.Errorf("request %d: %s %q %q, net/http reads %s %q %q", i, ours.Method, ours.Path, ours.Body, theirs.Method, path, body)
		}
	}
}

// FuzzClient answers arbitrary bytes. The client must come to an end, keep its
// limit and read what net/http reads.
func FuzzClient(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.1 200 OK\r\n\r\nab", "HTTP/1.1 204\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 409 Conflict\r\nContent-Type: application/problem+json\r\nContent-Length: 2\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), generous)
		defer cancel()
		ours, err := against(ctx, string(raw), 1000)
		if ctx.Err() != nil {
			t.Fatalf("hangs: %v", err)
		}
		if err != nil {
			return
		}
		if len(ours.Body) > 1000 {
			t.Errorf("%d bytes are more than the limit", len(ours.Body))
		}
		r := bufio.NewReader(bytes.NewReader(raw))
		for {
			theirs, err := http.ReadResponse(r, nil)
			if err != nil {
				return // stricter in something; not different
			}
			if theirs.StatusCode < 200 {
				continue
			}
			body, err := io.ReadAll(theirs.Body)
			if err != nil || theirs.StatusCode != ours.Status || string(body) != string(ours.Body) {
				t.Errorf("got %d %q, net/http reads %d %q, %v", ours.Status, ours.Body, theirs.StatusCode, body, err)
			}
			return
		}
	})
}
