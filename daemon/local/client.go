package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"ginnel/key"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// ErrNotRunning is wrapped when no daemon answers on the socket.
var ErrNotRunning = errors.New("the daemon is not running: start it with `systemctl start ginnel`, `/etc/init.d/ginnel start` or `ginnel daemon`")

// ErrNotPermitted is wrapped when the socket is not the caller's to open.
var ErrNotPermitted = errors.New("not permitted")

// Client speaks to the daemon on this machine. Errors are *wire.Problem
// where the daemon or the coordinator refused.
type Client struct{ http http1.Client }

// NewClient returns a client for the daemon at the unix socket.
func NewClient(socket string) *Client {
	dial := func(ctx context.Context) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
			return nil, ErrNotRunning
		case errors.Is(err, fs.ErrPermission):
			return nil, fmt.Errorf("%w to open %s: be root or a member of the group ginnel", ErrNotPermitted, socket)
		}
		return conn, err
	}
	return &Client{http: http1.Client{Dial: dial}}
}

// Status asks how all networks are.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	var s Status
	if err := c.call(ctx, "GET", PathStatus, nil, &s); err != nil {
		return nil, err
	}
	return &s, nil
}

// Reload makes the daemon read its configuration again.
func (c *Client) Reload(ctx context.Context) error {
	return c.call(ctx, "POST", PathReload, nil, nil)
}

// Fetch asks network's coordinator for the map, and returns how the network is
// once the answer is applied.
func (c *Client) Fetch(ctx context.Context, network string) (*Network, error) {
	var n Network
	if err := c.call(ctx, "POST", PathNetworks+url.PathEscape(network)+FetchPart, nil, &n); err != nil {
		return nil, err
	}
	return &n, nil
}

// Pins lists what is pinned in network, sorted by address.
func (c *Client) Pins(ctx context.Context, network string) (pins []Pin, err error) {
	err = c.call(ctx, "GET", PathNetworks+url.PathEscape(network)+PinsPart, nil, &pins)
	return pins, err
}

// Forget removes the pin of a in network, so that k is taken, which the
// coordinator presents; zero: whatever it presents next.
func (c *Client) Forget(ctx context.Context, network string, a netip.Addr, k key.PublicKey) error {
	path := PathNetworks + url.PathEscape(network) + PinsPart + "/" + url.PathEscape(a.String())
	if !k.IsZero() {
		path += "?key=" + url.QueryEscape(k.String())
	}
	return c.call(ctx, "DELETE", path, nil, nil)
}

// Coordinator sends a request to network's coordinator: path is one of its
// API's, with escaped names and a query.
func (c *Client) Coordinator(ctx context.Context, network, method, path string, in, out any) error {
	return hintOlder(c.call(ctx, method, PathNetworks+url.PathEscape(network)+CoordinatorPart+path, in, out))
}

// hintOlder adds the likely cause to the error of a coordinator that does not
// know what it is asked at all.
func hintOlder(err error) error {
	var p *wire.Problem
	if !errors.As(err, &p) {
		return err
	}
	unknown := func(text string) bool { return strings.Contains(p.Detail, text) }
	switch {
	case p.Status == wire.StatusMethod,
		p.Status == wire.StatusNotFound && unknown("there is nothing at"),
		p.Status == wire.StatusBadRequest && (unknown("unknown parameter") || unknown("unknown field")):
		return &wire.Problem{Status: p.Status, Title: p.Title, Detail: p.Detail + ": the coordinator may be older than this program, then upgrade it first"}
	}
	return err
}

// callTime is longer than the daemon waits for a coordinator.
const callTime = 30 * time.Second

var errNoAnswer = fmt.Errorf("the daemon does not answer within %v: its log may say why", callTime)

func (c *Client) call(ctx context.Context, method, target string, in, out any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, callTime, errNoAnswer)
	defer cancel()
	err := c.http.JSON(ctx, method, target, in, out)
	for _, plain := range []error{ErrNotRunning, errNoAnswer} {
		if errors.Is(err, plain) {
			return plain // what was asked does not matter
		}
	}
	return err
}
