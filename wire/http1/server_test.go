package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"ginnel/wire"
	"ginnel/wire/http1"
)

// httpClient returns net/http's client for a listener.
func httpClient(t *testing.T, l net.Listener) *http.Client {
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, l.Addr().Network(), l.Addr().String())
	}, ExpectContinueTimeout: generous}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: generous}
}

func request(t *testing.T, c *http.Client, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, "http://router"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func TestServerWithNetHTTP(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			l := listen(t, network)
			start(t, &http1.Server{Burst: 1000}, l)
			c := httpClient(t, l)
			var first, e echoed
			_, body := request(t, c, "GET", "/a%2Fb?q=x+y", "")
			if err := json.Unmarshal([]byte(body), &first); err != nil {
				t.Fatal(err)
			}
			if first.Method != "GET" || first.Path != "/a%2Fb" || first.Q != "x y" || first.Host != "router" {
				t.Errorf("got %+v", first)
			}
			for _, n := range []int{1, 5000, wire.MaxBody} {
				sent := strings.Repeat("b", n)
				_, body = request(t, c, "PUT", "/", sent, "Expect", "100-continue")
				if err := json.Unmarshal([]byte(body), &e); err != nil || e.Body != sent {
					t.Errorf("body of %d bytes: got %d, %v", n, len(e.Body), err)
				}
			}
			if e.Remote != first.Remote {
				t.Errorf("the connection was not kept: %s, then %s", first.Remote, e.Remote)
			}
			if resp, body := request(t, c, "GET", "/big", ""); len(body) != 1<<20 || resp.ContentLength != 1<<20 {
				t.Errorf("got %d bytes, told %d", len(body), resp.ContentLength)
			}
			if resp, body := request(t, c, "HEAD", "/big", ""); body != "" || resp.ContentLength != 1<<20 {
				t.Errorf("HEAD: got %d bytes, told %d", len(body), resp.ContentLength)
			}
			if resp, _ := request(t, c, "DELETE", "/empty", ""); resp.StatusCode != 204 || resp.Header.Get("Content-Length") != "" {
				t.Errorf("got %v", resp)
			}
		})
	}
}

func TestServerProblems(t *testing.T) {
	var log recorder
	l := listen(t, "unix")
	start(t, &http1.Server{Log: log.logger()}, l)
	c := httpClient(t, l)
	for path, want := range map[string]wire.Problem{
		"/problem":      {Status: 409, Title: "Conflict", Detail: "10.42.3.0/24 overlaps ci-servers"},
		"/secret-error": {Status: 500, Title: "Internal Server Error"},
		"/panic":        {Status: 500, Title: "Internal Server Error"},
		"/nil":          {Status: 500, Title: "Internal Server Error"},
		"/split":        {Status: 500, Title: "Internal Server Error"},
		"/status":       {Status: 500, Title: "Internal Server Error"},
	} {
		resp, body := request(t, c, "GET", path, "")
		var got wire.Problem
		if err := wire.Decode([]byte(body), &got); err != nil || resp.Header.Get("Content-Type") != wire.ProblemType {
			t.Errorf("%s: %v in %s %s", path, err, resp.Header, body)
		}
		if want.Detail == "" {
			want.Detail = got.Detail
		}
		if got != want || resp.StatusCode != want.Status || strings.Contains(body, "swordfish") || resp.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: got %+v, want %+v", path, got, want)
		}
	}
	// The file's name is in the panic's stack.
	for _, want := range []string{"as wanted", "talk_test.go", "response cannot be sent", "control character"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q: %s", want, &log)
		}
	}
}

func TestServerWithCurl(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		l := listen(t, network)
		start(t, &http1.Server{MaxBody: 3 << 20, Burst: 1000}, l)
		url := "http://" + l.Addr().String()
		via := []string{"-sS", "--max-time", "20", "--noproxy", "*"}
		if network == "unix" {
			url, via = "http://ginnel", append(via, "--unix-socket", l.Addr().String())
		}
		curl := func(stdin string, args ...string) string {
			t.Helper()
			cmd := exec.Command("curl", append(via, args...)...)
			cmd.Stdin = strings.NewReader(stdin)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("curl %v: %v %s", args, err, &stderr)
			}
			return string(out)
		}
		if got := curl("", "-w", " %{http_code} %{num_connects}", url+"/empty", url+"/empty"); got != " 204 1 204 0" {
			t.Errorf("two requests: got %q, want one connection", got)
		}
		if got := curl("", "-I", url+"/big"); !strings.Contains(got, "200 OK") || !strings.Contains(got, "Content-Length: 1048576") {
			t.Errorf("HEAD: got %q", got)
		}
		big := strings.Repeat("x", 2<<20) // curl then expects 100-continue
		if got := curl(big, "--data-binary", "@-", url+"/"); !strings.Contains(got, big) {
			t.Errorf("got %d bytes back", len(got))
		}
		code := "\n%{http_code}"
		if got := curl(big+big, "-w", code, "--data-binary", "@-", url+"/"); !strings.HasSuffix(got, "\n413") {
			t.Errorf("too large: got %q", got)
		}
		if got := curl(big+big, "-w", code, "-H", "Expect:", "--data-binary", "@-", url+"/"); !strings.HasSuffix(got, "\n413") {
			t.Errorf("too large and not asked: got %q", got)
		}
		if got := curl("x", "-w", code, "-H", "Transfer-Encoding: chunked", "-d", "@-", url+"/"); !strings.HasSuffix(got, "\n501") {
			t.Errorf("chunked: got %q", got)
		}
		if got := curl("", "-w", code, "-0", url+"/"); !strings.HasSuffix(got, "\n505") {
			t.Errorf("HTTP/1.0: got %q", got)
		}
		if got := curl("", "-w", code, url+"/done", url+"/done"); got != "\n200\n200" {
			t.Errorf("with Done: got %q", got)
		}
	}
}

func TestServerPipelined(t *testing.T) {
	l := listen(t, "tcp")
	start(t, &http1.Server{}, l)
	var raw strings.Builder
	for i := range 20 {
		fmt.Fprintf(&raw, "POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n%s", i, strings.Repeat("p", 1000))
	}
	answers := talk(t, l, raw.String())
	if len(answers) != 20 {
		t.Fatalf("got %d answers", len(answers))
	}
	for i, a := range answers {
		if a.status != 200 || !strings.Contains(a.body, fmt.Sprintf(`"Path":"/%d"`, i)) {
			t.Errorf("answer %d: %+v", i, a)
		}
	}
}

// TestServerContinue sees the interim answer come before the body goes, and not
// at all when the body is there already.
func TestServerContinue(t *testing.T) {
	l := listen(t, "tcp")
	start(t, &http1.Server{}, l)
	c := dial(t, l)
	r := bufio.NewReader(c)
	head := "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 4\r\n\r\n"
	io.WriteString(c, head)
	if a, err := readAnswer(r); err != nil || a.status != 100 {
		t.Fatalf("got %+v, %v", a, err)
	}
	io.WriteString(c, "body")
	if a, err := readAnswer(r); err != nil || a.status != 200 || a.closes {
		t.Fatalf("got %+v, %v", a, err)
	}
	io.WriteString(c, head+"body")
	if a, err := readAnswer(r); err != nil || a.status != 200 {
		t.Fatalf("got %+v, %v", a, err)
	}
}

func TestServerKeepsOrCloses(t *testing.T) {
	l := listen(t, "tcp")
	start(t, &http1.Server{}, l)
	get := "GET / HTTP/1.1\r\nHost: a\r\n"
	for field, want := range map[string]int{
		"": 2, "Connection: keep-alive\r\n": 2, "Connection: close\r\n": 1, "Connection: TE, Close\r\n": 1,
	} {
		answers := talk(t, l, get+field+"\r\n"+get+"\r\n")
		if len(answers) != want || answers[0].closes != (want == 1) {
			t.Errorf("%q: got %+v, want %d answers", field, answers, want)
		}
	}
}

// TestServerFramesItself: a handler cannot break the framing.
func TestServerFramesItself(t *testing.T) {
	l := listen(t, "unix")
	start(t, &http1.Server{}, l)
	framing := "GET /framing HTTP/1.1\r\nHost: a\r\n\r\n"
	answers := talk(t, l, framing+framing)
	if len(answers) != 2 {
		t.Fatalf("got %+v", answers)
	}
	if a := answers[0]; a.body != "four" || a.closes || len(a.header["X-Order"]) != 2 {
		t.Errorf("got %+v", a)
	}
}
