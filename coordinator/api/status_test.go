package api_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"strings"
	"testing"

	"ginnel/coordinator/coordinatortest"
	"ginnel/network"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// TestBehaviour122StatusesThatFit: who asks, and what of it is in the way,
// decides the status of a refusal. [TestBehaviour21And22And122Refusals] has those
// that depend on what an admin asks for.
func TestBehaviour122StatusesThatFit(t *testing.T) {
	n := coordinatortest.New(t)
	gone := n.Keys["eve"]
	n.MustDo(network.Redeem{Address: n.Address("eve"), Invited: gone.Public(), Key: n.Source.PrivateKey().Public()})
	n.Invite("fay", "phones")
	for _, test := range []struct {
		who, method, target, body string
		want                      int
	}{
		{"bob", "PUT", wire.PathSelf, `{"candidates":`, 400},
		{"bob", "PUT", wire.PathSelf, ``, 400},
		{"bob", "PUT", wire.PathSelf, `{"candidates":[]} `, 204},
		{"bob", "PUT", wire.PathSelf, `{"candidates":[],"owner":"bob"}`, 400},
		{"bob", "GET", wire.PathMap + "?revision=x", ``, 400},
		{"bob", "GET", wire.PathMap + "?since=1", ``, 400},
		{"bob", "GET", wire.PathMap + "?revision=1&revision=2", ``, 400},
		{"", "GET", wire.PathMap, ``, 401},
		{"", "GET", "/v1/nothing", ``, 401},
		{"", "POST", wire.PathRedeem, `{"public_key":"x"}`, 401},
		{"bob", "GET", wire.PathPeers, ``, 403},
		{"bob", "PATCH", wire.PathNetwork, `{`, 403},
		{"dan", "GET", wire.PathMap, ``, 403},
		{"fay", "GET", wire.PathMap, ``, 403},
		{"fay", "GET", "/v1/nothing", ``, 403},
		{"bob", "GET", "/v1/nothing", ``, 404},
		{"bob", "GET", "/v1/map/", ``, 404},
		{"ann", "PATCH", wire.PathPeers + "/nobody", `{}`, 404},
		{"ann", "DELETE", wire.PathPeers + "/a%2Fb", ``, 404},
		{"bob", "DELETE", wire.PathMap, ``, 405},
		{"bob", "POST", wire.PathPeers, ``, 405},
		{"ann", "POST", wire.PathCIDRs, `{"name":"phones","prefix":"10.42.8.0/24"}`, 409},
		{"bob", "PUT", wire.PathSelf, `{"candidates":["` + strings.Repeat(`192.0.2.1:1","`, wire.MaxCandidates) + `192.0.2.1:1"]}`, 413},
		{"bob", "PUT", wire.PathSelf, `{"candidates":["127.0.0.1:1"]}`, 422},
		{"fay", "POST", wire.PathRedeem, `{"public_key":"x"}`, 400},
		{"fay", "POST", wire.PathRedeem, `{"public_key":"` + strings.Repeat("A", 43) + `="}`, 422},
	} {
		before := n.Book()
		r := coordinatortest.Request(test.method, test.target, test.body)
		r.Remote = netip.MustParseAddrPort("10.42.99.99:1")
		if test.who != "" {
			r = n.As(test.who, r)
		}
		response := n.Handle(r)
		if response.Status != test.want {
			t.Errorf("%q: %s %s %.80s: %d %s, want %d", test.who, test.method, test.target, test.body, response.Status, response.Body, test.want)
			continue
		}
		status(t, response, test.want)
		if n.Book() != before {
			t.Errorf("%q: %s %s: the book changed", test.who, test.method, test.target)
		}
	}
	n.MustDo(network.RemovePeer{Name: "fay"})
	n.Invite("gil", "phones")
	used := n.CallFrom(n.Address("gil"), n.Keys["gil"], "POST", wire.PathRedeem, wire.RedeemRequest{PublicKey: n.Source.PrivateKey().Public()})
	status(t, used, 200)
	again := n.CallFrom(n.Address("gil"), n.Keys["gil"], "POST", wire.PathRedeem, wire.RedeemRequest{PublicKey: n.Source.PrivateKey().Public()})
	status(t, again, 410)
}

// TestBehaviour122TooLarge: what is too large is refused before it is read, and
// before anybody looks at who sends it.
func TestBehaviour122TooLarge(t *testing.T) {
	n := coordinatortest.New(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	end := make(chan error, 1)
	go func() { end <- (&http1.Server{Handler: n.Role.Handler()}).Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-end; err != nil {
			t.Error(err)
		}
	})
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", wire.PathInvitations, wire.MaxBody+1)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	status(t, &http1.Response{Status: resp.StatusCode, Header: textproto.MIMEHeader(resp.Header), Body: body}, 413)
}
