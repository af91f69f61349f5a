// Package control is the client of the coordinator's API, as a peer's daemon
// and `join` use it: HTTP over the tunnel, one connection a request, so that
// no connection stays open while nothing happens.
package control

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/textproto"

	"ginnel/key"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// Client speaks to one coordinator as one peer. It is safe for concurrent use.
// It is a [wire.Coordinator].
type Client struct {
	http   http1.Client
	bearer string
}

// New returns a client that dials with dial, sends requests for the API at
// host and proves itself with token.
func New(host netip.AddrPort, token key.Token, dial func(context.Context) (net.Conn, error)) *Client {
	return &Client{
		http:   http1.Client{Dial: dial, Host: host.String()},
		bearer: "Bearer " + token.Reveal(),
	}
}

// Fetch asks for what changed since pos.
func (c *Client) Fetch(ctx context.Context, pos wire.Position) (*wire.Update, error) {
	target := fmt.Sprintf("%s?revision=%d&epoch=%d&seq=%d", wire.PathMap, pos.Revision, pos.Epoch, pos.Seq)
	var u wire.Update
	if err := c.call(ctx, "GET", target, nil, &u); err != nil {
		return nil, err
	}
	return &u, nil
}

// Report tells the caller's candidates.
func (c *Client) Report(ctx context.Context, r wire.Report) error {
	return c.call(ctx, "PUT", wire.PathSelf, r, nil)
}

// Redeem submits the public half of the key the invitee made for itself.
func (c *Client) Redeem(ctx context.Context, k key.PublicKey) (*wire.Redeemed, error) {
	var r wire.Redeemed
	if err := c.call(ctx, "POST", wire.PathRedeem, wire.RedeemRequest{PublicKey: k}, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// Forward sends somebody else's request as this peer and returns the answer as
// it is. The request's own Authorization does not leave this machine.
func (c *Client) Forward(ctx context.Context, r *http1.Request) (*http1.Response, error) {
	out := &http1.Request{Method: r.Method, Path: r.Path, Query: r.Query, Body: r.Body}
	out.Header = textproto.MIMEHeader{authorization: {c.bearer}}
	if t := r.Header.Get("Content-Type"); t != "" {
		out.Header.Set("Content-Type", t)
	}
	return c.http.Do(ctx, out)
}

const authorization = "Authorization"

func (c *Client) call(ctx context.Context, method, target string, in, out any) error {
	return c.http.JSON(ctx, method, target, in, out, authorization, c.bearer)
}
