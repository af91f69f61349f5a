package http1_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ginnel/journal"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// generous is a deadline for what should happen soon.
const generous = 20 * time.Second

// echo answers with what it was asked.
func echo(_ context.Context, r *http1.Request) *http1.Response {
	switch r.Path {
	case "/panic":
		panic("as wanted")
	case "/nil":
		return nil
	case "/split":
		return &http1.Response{Status: 200, Header: textproto.MIMEHeader{"X": {"a\r\nSet-Cookie: b"}}}
	case "/status":
		return &http1.Response{Status: 99}
	case "/problem":
		return http1.Fail(wire.Errorf(wire.StatusConflict, "10.42.3.0/24 overlaps ci-servers"))
	case "/secret-error":
		return http1.Fail(errors.New("the password is swordfish"))
	case "/framing":
		return &http1.Response{Status: 200, Body: []byte("four"), Header: textproto.MIMEHeader{
			"Content-Length": {"9"}, "Transfer-Encoding": {"chunked"}, "Connection": {"close"}, "X-Order": {"1", "2"}}}
	case "/empty":
		return http1.JSON(wire.StatusNoContent, nil)
	case "/big":
		return &http1.Response{Status: 200, Body: []byte(strings.Repeat("0123456789abcdef", 1<<16))}
	case "/done":
		return &http1.Response{Status: 200, Done: func() {}}
	}
	return http1.JSON(200, echoed{r.Method, r.Path, r.Query.Get("q"), string(r.Body), r.Remote.String(), r.Header.Get("Host")})
}

// echoed is what echo saw.
type echoed struct{ Method, Path, Q, Body, Remote, Host string }

// start serves on l until the test ends and checks that Serve then ends well.
func start(t testing.TB, s *http1.Server, l net.Listener) {
	t.Helper()
	if s.Handler == nil {
		s.Handler = echo
	}
	ctx, cancel := context.WithCancel(context.Background())
	end := make(chan error, 1)
	go func() { end <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-end; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// listen returns a listener on "unix" or "tcp" loopback.
func listen(t testing.TB, network string) net.Listener {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func dial(t testing.TB, l net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial(l.Addr().Network(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(generous))
	return c
}

// client returns our client for a listener.
func client(l net.Listener) *http1.Client {
	return &http1.Client{Dial: func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, l.Addr().Network(), l.Addr().String())
	}}
}

// answer is a response as net/http reads it.
type answer struct {
	status int
	header http.Header
	body   string
	closes bool
}

// readAnswer reads one response to anything but HEAD.
func readAnswer(r *bufio.Reader) (answer, error) {
	if _, err := r.Peek(1); err != nil {
		return answer{}, err
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return answer{}, errors.Join(errors.New("malformed response"), err)
	}
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body), resp.Close}, err
}

// talk sends raw bytes, closes its half, and returns all answers until the
// server has closed.
func talk(t testing.TB, l net.Listener, raw string) (all []answer) {
	t.Helper()
	c := dial(t, l)
	defer c.Close()
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() {
		io.WriteString(c, raw) // a server that has heard enough may not read it all
		c.(interface{ CloseWrite() error }).CloseWrite()
	})
	r := bufio.NewReader(c)
	for {
		a, err := readAnswer(r)
		switch {
		case err == io.EOF:
			return all
		case err != nil:
			t.Errorf("answers to %q: %v", raw, err)
			return all
		}
		all = append(all, a)
	}
}

// recorder collects a log.
type recorder struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *recorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func (r *recorder) logger() *journal.Logger { return journal.New(r, journal.Info) }
