package control_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/textproto"
	"net/url"
	"reflect"
	"sync"
	"testing"

	"ginnel/daemon/control"
	"ginnel/key"
	"ginnel/wire"
	"ginnel/wire/http1"
)

var api = netip.MustParseAddrPort("10.42.0.1:51820")

// server is a coordinator that gives one answer and keeps the requests.
type server struct {
	answer   *http1.Response
	requests []*http1.Request // read them after the call was answered
	token    key.Token
	*control.Client
}

func newServer(t *testing.T) *server {
	t.Helper()
	token, err := key.NewPrivate([32]byte{1: 1}).Token(key.NewPrivate([32]byte{1: 2}).Public(), wire.TokenPurpose)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{token: token}
	s.Client = control.New(api, token, func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", l.Addr().String())
	})
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		h := http1.Server{Handler: s.handle}
		if err := h.Serve(ctx, l); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		serving.Wait()
	})
	return s
}

func (s *server) handle(_ context.Context, r *http1.Request) *http1.Response {
	s.requests = append(s.requests, r)
	return s.answer
}

// got checks the only request: what was asked, and that the token proved it.
func (s *server) got(t *testing.T, method, path string, query url.Values, body any) {
	t.Helper()
	if len(s.requests) != 1 {
		t.Fatalf("%d requests, want 1", len(s.requests))
	}
	r := s.requests[0]
	want := ""
	if body != nil {
		want = string(wire.Encode(body))
	}
	if r.Method != method || r.Path != path || r.Query.Encode() != query.Encode() || string(r.Body) != want {
		t.Errorf("request is %s %s?%s %s, want %s %s?%s %s", r.Method, r.Path, r.Query.Encode(), r.Body, method, path, query.Encode(), want)
	}
	if h := r.Header["Authorization"]; !reflect.DeepEqual(h, []string{"Bearer " + s.token.Reveal()}) {
		t.Errorf("%d credentials, want the token alone", len(h))
	}
	if h := r.Header.Get("Host"); h != "" && h != api.String() {
		t.Errorf("host is %q", h)
	}
}

func TestFetch(t *testing.T) {
	s := newServer(t)
	want := wire.Update{Position: wire.Position{Revision: 9, Epoch: 2, Seq: 3}, Network: "home", Root: netip.MustParsePrefix("10.42.0.0/16")}
	want.Self = wire.Member{Address: netip.MustParseAddr("10.42.1.1"), Name: "ann", PublicKey: key.NewPrivate([32]byte{1: 3}).Public()}
	s.answer = http1.JSON(wire.StatusOK, want)
	got, err := s.Fetch(t.Context(), wire.Position{Revision: 7, Epoch: 1<<64 - 1, Seq: 5})
	if err != nil {
		t.Fatal(err)
	}
	s.got(t, "GET", wire.PathMap, url.Values{"revision": {"7"}, "epoch": {"18446744073709551615"}, "seq": {"5"}}, nil)
	if !reflect.DeepEqual(got, &want) {
		t.Errorf("update is %+v, want %+v", got, want)
	}
}

func TestReport(t *testing.T) {
	s := newServer(t)
	s.answer = &http1.Response{Status: wire.StatusNoContent}
	report := wire.Report{Candidates: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:7")}}
	if err := s.Report(t.Context(), report); err != nil {
		t.Fatal(err)
	}
	s.got(t, "PUT", wire.PathSelf, nil, report)
}

func TestRedeem(t *testing.T) {
	s := newServer(t)
	want := wire.Redeemed{Self: wire.Member{Address: netip.MustParseAddr("10.42.1.1"), Name: "ann"}, Root: netip.MustParsePrefix("10.42.0.0/16")}
	want.Self.PublicKey = key.NewPrivate([32]byte{1: 4}).Public()
	s.answer = http1.JSON(wire.StatusOK, want)
	got, err := s.Redeem(t.Context(), want.Self.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	s.got(t, "POST", wire.PathRedeem, nil, wire.RedeemRequest{PublicKey: want.Self.PublicKey})
	if !reflect.DeepEqual(got, &want) {
		t.Errorf("answer is %+v, want %+v", got, want)
	}
}

// TestForward: somebody else's request goes out as the peer's own, without the
// headers that speak of where it came from, and the answer comes back as it is.
func TestForward(t *testing.T) {
	s := newServer(t)
	s.answer = http1.Fail(wire.Errorf(wire.StatusConflict, "taken"))
	body := wire.Rename{Name: "x"}
	r := &http1.Request{
		Method: "PATCH", Path: "/v1/peers/a%2Fb", Query: url.Values{"preview": {"1"}}, Body: wire.Encode(body),
		Header: textproto.MIMEHeader{
			"Authorization": {"Bearer mine", "Basic abc"}, "Content-Type": {"application/json"}, "X-Forwarded-For": {"10.42.0.1"}, "Cookie": {"a=b"},
		},
	}
	resp, err := s.Forward(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	s.got(t, "PATCH", "/v1/peers/a%2Fb", r.Query, body)
	got := s.requests[0].Header
	if got.Get("Content-Type") != "application/json" || got.Get("Cookie") != "" || got.Get("X-Forwarded-For") != "" {
		t.Errorf("headers are %v", got)
	}
	if resp.Status != wire.StatusConflict || resp.Header.Get("Content-Type") != wire.ProblemType || string(resp.Body) != string(s.answer.Body) {
		t.Errorf("answer is %d %v %s", resp.Status, resp.Header, resp.Body)
	}
	if r.Header.Get("Authorization") != "Bearer mine" {
		t.Error("the caller's own request was changed")
	}
}

// TestRefusals: every call returns what the coordinator refused as a problem.
func TestRefusals(t *testing.T) {
	calls := map[string]func(context.Context, *control.Client) error{
		"fetch": func(ctx context.Context, c *control.Client) error {
			_, err := c.Fetch(ctx, wire.Position{})
			return err
		},
		"report": func(ctx context.Context, c *control.Client) error { return c.Report(ctx, wire.Report{}) },
		"redeem": func(ctx context.Context, c *control.Client) error {
			_, err := c.Redeem(ctx, key.PublicKey{1})
			return err
		},
	}
	for name, call := range calls {
		s := newServer(t)
		s.answer = http1.Fail(wire.Errorf(wire.StatusForbidden, "disabled"))
		var p *wire.Problem
		if err := call(t.Context(), s.Client); !errors.As(err, &p) || p.Status != wire.StatusForbidden || p.Detail != "disabled" {
			t.Errorf("%s: error is %v, want the problem", name, err)
		}
	}
}

// TestUnreachable: an error of the connection is no problem of the
// coordinator's.
func TestUnreachable(t *testing.T) {
	down := errors.New("network is down")
	c := control.New(api, key.Token{}, func(context.Context) (net.Conn, error) { return nil, down })
	_, err := c.Fetch(t.Context(), wire.Position{})
	var p *wire.Problem
	if !errors.Is(err, down) || errors.As(err, &p) {
		t.Errorf("fetch: %v", err)
	}
	if _, err := c.Forward(t.Context(), &http1.Request{Method: "GET", Path: "/v1/peers"}); !errors.Is(err, down) {
		t.Errorf("forward: %v", err)
	}
}

// TestGarbage: an answer that is no JSON is an error, not an empty update.
func TestGarbage(t *testing.T) {
	s := newServer(t)
	s.answer = &http1.Response{Status: wire.StatusOK, Body: []byte("<html>")}
	if u, err := s.Fetch(t.Context(), wire.Position{}); err == nil {
		t.Errorf("fetched %+v", u)
	}
}
