package http1_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ginnel/wire"
	"ginnel/wire/http1"
)

// netHTTP starts net/http's server.
func netHTTP(t *testing.T, network string, h http.HandlerFunc) *http1.Client {
	t.Helper()
	l := listen(t, network)
	s := &http.Server{Handler: h}
	end := make(chan error, 1)
	go func() { end <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		<-end
	})
	return client(l)
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), generous)
	t.Cleanup(cancel)
	return ctx
}

func TestClientWithNetHTTP(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		c := netHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/hints":
				w.WriteHeader(http.StatusEarlyHints)
				w.WriteHeader(http.StatusAccepted)
			case "/to-the-end":
				w.Header().Set("Transfer-Encoding", "identity")
				io.WriteString(w, strings.Repeat("e", 100000))
			case "/chunked":
				w.(http.Flusher).Flush()
			case "/big":
				w.Header().Set("Content-Length", "1000000")
				io.WriteString(w, strings.Repeat("b", 1000000))
			case "/empty":
				w.WriteHeader(204)
			case "/early":
				w.WriteHeader(413)
			default:
				body, _ := io.ReadAll(r.Body)
				fmt.Fprintf(w, "%s %s %s %d %s", r.Method, r.RequestURI, r.Host, len(body), r.Header["X"])
			}
		})
		c.Host = "router"
		for _, test := range []struct {
			request http1.Request
			status  int
			want    string // the body or its end
			size    int    // of the body; 0: that of want
		}{
			{http1.Request{Method: "GET", Path: "/a%2Fb", Query: url.Values{"q": {"x y", "&=+"}, "a?": {"ü"}}, Header: textproto.MIMEHeader{"X": {"1", "2"}}}, 200, "GET /a%2Fb?a%3F=%C3%BC&q=x+y&q=%26%3D%2B router 0 [1 2]", 0},
			{http1.Request{Method: "POST", Path: "/", Body: []byte("abc")}, 200, "POST / router 3 []", 0},
			{http1.Request{Method: "PUT", Path: "/", Body: make([]byte, 1<<20)}, 200, "PUT / router 1048576 []", 0},
			{http1.Request{Method: "POST", Path: "/"}, 200, "POST / router 0 []", 0},
			{http1.Request{Method: "HEAD", Path: "/big"}, 200, "", 0},
			{http1.Request{Method: "GET", Path: "/big"}, 200, "bbb", 1000000},
			{http1.Request{Method: "GET", Path: "/to-the-end"}, 200, "eee", 100000},
			{http1.Request{Method: "DELETE", Path: "/empty"}, 204, "", 0},
			{http1.Request{Method: "GET", Path: "/hints"}, 202, "", 0},
			{http1.Request{Method: "PUT", Path: "/early", Body: make([]byte, 4<<20)}, 413, "", 0},
		} {
			resp, err := c.Do(within(t), &test.request)
			if err != nil {
				t.Errorf("%s: %v", test.request.Path, err)
				continue
			}
			if test.size == 0 {
				test.size = len(test.want)
			}
			if resp.Status != test.status || len(resp.Body) != test.size || !strings.HasSuffix(string(resp.Body), test.want) {
				t.Errorf("%s %s: got %d with %d bytes, want %d %q", test.request.Method, test.request.Path, resp.Status, len(resp.Body), test.status, test.want)
			}
		}
		if _, err := c.Do(within(t), &http1.Request{Method: "GET", Path: "/chunked"}); err == nil || !strings.Contains(err.Error(), "Transfer-Encoding") {
			t.Errorf("chunked: %v", err)
		}
	}
}

func TestClientWithServer(t *testing.T) {
	l := listen(t, "tcp")
	start(t, &http1.Server{}, l)
	c := client(l)
	var e echoed
	err := c.JSON(within(t), "POST", "/a%2Fb?q=x+y", wire.Rename{Name: "n"}, &e)
	if err != nil || e.Path != "/a%2Fb" || e.Q != "x y" || e.Body != `{"name":"n"}` || e.Host != "ginnel" {
		t.Errorf("got %+v, %v", e, err)
	}
	if err := c.JSON(within(t), "GET", "/empty", nil, nil); err != nil {
		t.Error(err)
	}
	if err := c.JSON(within(t), "GET", "/big", nil, &e); err == nil {
		t.Error("an answer that is not JSON is accepted")
	}
	var p *wire.Problem
	if err := c.JSON(within(t), "GET", "/problem", nil, &e); !errors.As(err, &p) || p.Status != 409 || p.Detail != "10.42.3.0/24 overlaps ci-servers" {
		t.Errorf("got %v", err)
	}
	large := wire.Rename{Name: strings.Repeat("n", 1<<20)}
	if err := c.JSON(within(t), "POST", "/", large, nil); !errors.As(err, &p) || p.Status != 413 {
		t.Errorf("too large: got %v", err)
	}
	if resp, err := c.Do(within(t), &http1.Request{Method: "HEAD", Path: "/big"}); err != nil || len(resp.Body) != 0 || resp.Header.Get("Content-Length") != "1048576" {
		t.Errorf("HEAD: got %+v, %v", resp, err)
	}
}

func TestClientMakesProblems(t *testing.T) {
	c := netHTTP(t, "unix", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.Header.Get("Want-Type"))
		w.Header().Set("Content-Length", fmt.Sprint(len(r.Header.Get("Want-Body"))))
		w.WriteHeader(418)
		io.WriteString(w, r.Header.Get("Want-Body"))
	})
	for _, test := range []struct{ kind, body, want string }{
		{"application/problem+json; charset=utf-8", `{"status":1,"detail":"no \u001b[31mtea\n","more":1}`, "no  [31mtea "},
		{"text/plain", `{"detail":"tea"}`, "answered with status 418 (Unknown) and no reason"},
		{wire.ProblemType, `{"detail":`, "answered with status 418 (Unknown) and no reason"},
		{wire.ProblemType, `{}`, "answered with status 418 (Unknown) and no reason"},
		{wire.ProblemType, `{"detail":"` + strings.Repeat("x", 5000) + `"}`, strings.Repeat("x", 2048)},
	} {
		var p *wire.Problem
		err := c.JSON(within(t), "GET", "/", nil, nil, "Want-Type", test.kind, "Want-Body", test.body)
		if !errors.As(err, &p) || p.Status != 418 || p.Detail != test.want {
			t.Errorf("%s %.80s: got %.80v", test.kind, test.body, err)
		}
	}
}

func TestClientRefusesToSend(t *testing.T) {
	c := &http1.Client{Dial: func(context.Context) (net.Conn, error) {
		t.Error("dialled")
		return nil, net.ErrClosed
	}}
	for _, r := range []http1.Request{
		{Method: "GET", Path: ""}, {Method: "GET", Path: "a"}, {Method: "GET", Path: "/a b"}, {Method: "GET", Path: "/a?b=c"},
		{Method: "GET", Path: "/a#b"}, {Method: "GET", Path: "/\r\nX: y"}, {Method: "GET", Path: "http://a/"},
		{Method: "", Path: "/"}, {Method: "GET /", Path: "/"}, {Method: "GET", Path: "/%"},
		{Method: "GET", Path: "/", Header: textproto.MIMEHeader{"X": {"a\r\nY: b"}}},
		{Method: "GET", Path: "/", Header: textproto.MIMEHeader{"X\r\nY": {"a"}}},
	} {
		if _, err := c.Do(t.Context(), &r); err == nil {
			t.Errorf("%+v is sent", r)
		}
	}
	if c.JSON(t.Context(), "GET", "/", nil, nil, "name") == nil {
		t.Error("a header without a value is sent")
	}
	if c.JSON(t.Context(), "GET", "/?a=%", nil, nil) == nil {
		t.Error("a malformed query is sent")
	}
	c.Host = "a\r\nX: y"
	if _, err := c.Do(t.Context(), &http1.Request{Method: "GET", Path: "/"}); err == nil {
		t.Error("a malformed host is sent")
	}
}

// against lets a client ask a server that says raw, whatever it hears, and
// closes.
func against(ctx context.Context, raw string, limit int64) (*http1.Response, error) {
	var server sync.WaitGroup
	defer server.Wait()
	c := &http1.Client{MaxResponse: limit, Dial: func(context.Context) (net.Conn, error) {
		near, far := net.Pipe()
		server.Go(func() {
			defer far.Close()
			var hearing sync.WaitGroup
			defer hearing.Wait()
			hearing.Go(func() { http.ReadRequest(bufio.NewReader(far)) })
			io.WriteString(far, raw)
		})
		return near, nil
	}}
	return c.Do(ctx, &http1.Request{Method: "GET", Path: "/"})
}

func TestClientStrict(t *testing.T) {
	ok := "HTTP/1.1 200 OK\r\n"
	for name, raw := range map[string]string{
		"nothing":            "",
		"HTTP/1.0":           "HTTP/1.0 200 OK\r\n\r\n",
		"HTTP/2":             "HTTP/2 200\r\n\r\n",
		"no status":          "HTTP/1.1 \r\n\r\n",
		"short status":       "HTTP/1.1 20 OK\r\n\r\n",
		"long status":        "HTTP/1.1 2000 OK\r\n\r\n",
		"high status":        "HTTP/1.1 600 OK\r\n\r\n",
		"signed status":      "HTTP/1.1 +20 OK\r\n\r\n",
		"switching":          "HTTP/1.1 101 Switching Protocols\r\n\r\n",
		"bare LF":            "HTTP/1.1 200 OK\n\n",
		"CR in reason":       "HTTP/1.1 200 O\rK\r\n\r\n",
		"chunked":            ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":        ok + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
		"bad length":         ok + "Content-Length: a\r\n\r\na",
		"short body":         ok + "Content-Length: 3\r\n\r\nab",
		"too large":          ok + "Content-Length: 101\r\n\r\n" + strings.Repeat("a", 101),
		"far too large":      ok + "Content-Length: 999999999999999\r\n\r\n",
		"too large, unsaid":  ok + "\r\n" + strings.Repeat("a", 101),
		"folded":             ok + "X: a\r\n b\r\n\r\n",
		"space before colon": ok + "X : a\r\n\r\n",
		"many fields":        ok + strings.Repeat("X: a\r\n", 65) + "\r\n",
		"long head":          ok + strings.Repeat("X: "+strings.Repeat("a", 4000)+"\r\n", 9) + "\r\n",
		"ends in head":       ok + "X: a\r\n",
		"only interim":       strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 20) + ok + "\r\n",
	} {
		resp, err := against(within(t), raw, 100)
		var p *wire.Problem
		if err == nil || errors.As(err, &p) || strings.Contains(err.Error(), "deadline") {
			t.Errorf("%s: got %+v, %v", name, resp, err)
		}
	}
	for name, raw := range map[string]string{
		"length":     ok + "Content-Length: 2\r\n\r\nab",
		"no reason":  "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nab",
		"to the end": ok + "\r\nab",
		"interim":    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + ok + "\r\nab",
		"more":       ok + "Content-Length: 2\r\n\r\nabHTTP/1.1 200 OK\r\n\r\n",
	} {
		if resp, err := against(within(t), raw, 100); err != nil || string(resp.Body) != "ab" || resp.Header.Get("Link") != "" {
			t.Errorf("%s: got %+v, %v", name, resp, err)
		}
	}
}

// TestClientContext ends a request at each of its stages.
func TestClientContext(t *testing.T) {
	for name, said := range map[string]string{
		"no answer":        "",
		"half a head":      "HTTP/1.1 200 OK\r\nX:",
		"half a body":      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab",
		"endless":          "HTTP/1.1 200 OK\r\n\r\n",
		"request not read": "-",
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			near, far := net.Pipe()
			defer far.Close()
			if said != "-" {
				go io.Copy(io.Discard, far)
				go io.WriteString(far, said)
			}
			c := &http1.Client{Dial: func(context.Context) (net.Conn, error) { return near, nil }}
			began := time.Now()
			_, err := c.Do(ctx, &http1.Request{Method: "PUT", Path: "/", Body: make([]byte, 10000)})
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
				t.Errorf("%s: %v after %s", name, err, time.Since(began))
			}
		})
	}
}

// TestClientOfServerThatNeverCloses has its response and leaves soon.
func TestClientOfServerThatNeverCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		go io.Copy(io.Discard, far)
		go io.WriteString(far, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		c := &http1.Client{Dial: func(context.Context) (net.Conn, error) { return near, nil }}
		began := time.Now()
		if _, err := c.Do(t.Context(), &http1.Request{Method: "GET", Path: "/"}); err != nil || time.Since(began) != 300*time.Millisecond {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// TestClientWaitsAsTold: the server's own 429 is waited for, if there is time.
func TestClientWaitsAsTold(t *testing.T) {
	virtual(t, &http1.Server{Burst: 20}, func(t *testing.T, p *pipes) {
		c := &http1.Client{Dial: func(context.Context) (net.Conn, error) { return p.dial(someone), nil }}
		get := func(path string, patience time.Duration) (status int, took time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			began := time.Now()
			resp, err := c.Do(ctx, &http1.Request{Method: "GET", Path: path})
			if err != nil {
				t.Fatal(err)
			}
			return resp.Status, time.Since(began)
		}
		get("/big", time.Minute)
		if status, took := get("/", time.Second); status != 429 || took >= time.Second {
			t.Errorf("without the time to wait the answer is %d after %s", status, took)
		}
		if status, took := get("/", time.Minute); status != 200 || took > 2*time.Second {
			t.Errorf("the answer is %d after %s, want that of the second try", status, took)
		}
	})
}

func TestClientDialError(t *testing.T) {
	c := &http1.Client{Dial: func(context.Context) (net.Conn, error) { return nil, net.ErrClosed }}
	if _, err := c.Do(t.Context(), &http1.Request{Method: "GET", Path: "/"}); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
