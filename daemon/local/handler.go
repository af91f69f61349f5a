package local

import (
	"context"
	"errors"
	"net/netip"

	"ginnel/key"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// Daemon is what the local API asks of the daemon. Errors that are
// [*wire.Problem] reach the caller as they are.
type Daemon interface {
	Status(ctx context.Context) (*Status, error)
	Reload(ctx context.Context) error
	// Coordinator passes r, whose path is one of the coordinator's API, to the
	// coordinator of network.
	Coordinator(ctx context.Context, network string, r *http1.Request) (*http1.Response, error)
	// Running returns a network, or why it does not run.
	Running(network string) (Running, error)
}

// Running is what the local API asks of a network that runs.
type Running interface {
	// Fetch asks the coordinator now, and returns how the network is once what
	// it answered is applied.
	Fetch(ctx context.Context) (*Network, error)
	// Pins returns what is pinned, sorted by address.
	Pins(ctx context.Context) ([]Pin, error)
	// Forget removes a pin. Of what the coordinator presents next k is taken, which
	// it presents now; zero: whatever it is.
	Forget(ctx context.Context, a netip.Addr, k key.PublicKey) error
}

// route is one line of the local API.
type route struct {
	method string
	path   string   // a pattern of http1.MatchPath
	query  []string // the parameters it knows
	serve  func(context.Context, Daemon, *call) (*http1.Response, error)
}

// anyMethod is the method of a route that passes on whatever it is asked.
const anyMethod = "*"

var routes = []route{
	{"GET", PathStatus, nil, getStatus},
	{"POST", PathReload, nil, reload},
	{"POST", PathNetworks + "{network}" + FetchPart, nil, fetch},
	{"GET", PathNetworks + "{network}" + PinsPart, nil, listPins},
	{"DELETE", PathNetworks + "{network}" + PinsPart + "/{address}", []string{"key"}, forgetPin},
	{anyMethod, PathNetworks + "{network}" + CoordinatorPart + "/{path...}", nil, forward},
}

// Route is a line of the local API for those who describe it.
type Route struct {
	Method string   // "*": any
	Path   string   // a pattern of http1.MatchPath
	Query  []string // the parameters it knows
}

// Routes returns the whole local API.
func Routes() []Route {
	all := make([]Route, len(routes))
	for i, r := range routes {
		all[i] = Route{r.method, r.path, r.query}
	}
	return all
}

// call is one request on its way through a route.
type call struct {
	*http1.Request
	names []string // what the path has for each part in braces
}

// Handler serves the local API. Whoever may open the socket may do everything,
// and is told every error: one that is no problem is a 500 with its text.
func Handler(d Daemon) http1.Handler {
	return func(ctx context.Context, r *http1.Request) *http1.Response {
		resp, err := serve(ctx, d, r)
		var p *wire.Problem
		switch {
		case err == nil:
			return resp
		case !errors.As(err, &p):
			err = wire.Errorf(wire.StatusInternal, "%v", err)
		}
		return http1.Fail(err)
	}
}

func serve(ctx context.Context, d Daemon, r *http1.Request) (*http1.Response, error) {
	var allow []string
	for i := range routes {
		names, ok := http1.MatchPath(routes[i].path, r.Path)
		if !ok {
			continue
		}
		switch routes[i].method {
		case r.Method:
			if err := http1.CheckQuery(r, routes[i].query); err != nil {
				return nil, err
			}
			fallthrough
		case anyMethod:
			return routes[i].serve(ctx, d, &call{r, names})
		}
		allow = append(allow, routes[i].method)
	}
	if allow != nil {
		return http1.FailMethod(r, allow), nil
	}
	return nil, wire.Errorf(wire.StatusNotFound, "there is no %s in the local API", r.Path)
}

func getStatus(ctx context.Context, d Daemon, _ *call) (*http1.Response, error) {
	s, err := d.Status(ctx)
	if err != nil {
		return nil, err
	}
	return http1.JSON(wire.StatusOK, s), nil
}

func reload(ctx context.Context, d Daemon, _ *call) (*http1.Response, error) {
	if err := d.Reload(ctx); err != nil {
		return nil, err
	}
	return http1.JSON(wire.StatusNoContent, nil), nil
}

func fetch(ctx context.Context, d Daemon, c *call) (*http1.Response, error) {
	n, err := d.Running(c.names[0])
	if err != nil {
		return nil, err
	}
	fetched, err := n.Fetch(ctx)
	if err != nil {
		return nil, err
	}
	return http1.JSON(wire.StatusOK, fetched), nil
}

func listPins(ctx context.Context, d Daemon, c *call) (*http1.Response, error) {
	n, err := d.Running(c.names[0])
	if err != nil {
		return nil, err
	}
	pins, err := n.Pins(ctx)
	if err != nil {
		return nil, err
	}
	return http1.JSON(wire.StatusOK, pins), nil
}

func forgetPin(ctx context.Context, d Daemon, c *call) (*http1.Response, error) {
	a, err := netip.ParseAddr(c.names[1])
	if err != nil {
		return nil, wire.Errorf(wire.StatusBadRequest, "%.80q is no address", c.names[1])
	}
	var k key.PublicKey
	if text := c.Query.Get("key"); text != "" {
		if k, err = key.ParsePublic(text); err != nil {
			return nil, wire.Errorf(wire.StatusBadRequest, "parameter key: %v", err)
		}
	}
	n, err := d.Running(c.names[0])
	if err != nil {
		return nil, err
	}
	if err := n.Forget(ctx, a, k); err != nil {
		return nil, err
	}
	return http1.JSON(wire.StatusNoContent, nil), nil
}

// forward makes the rest of the path a request of the coordinator's API.
func forward(ctx context.Context, d Daemon, c *call) (*http1.Response, error) {
	inner := *c.Request
	inner.Path = "/" + c.names[1]
	return d.Coordinator(ctx, c.names[0], &inner)
}
