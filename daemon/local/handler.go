package local

import (
	"context"
	"errors"
	"net/url"
	"strings"

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
	switch {
	case r.Path == PathStatus:
		if r.Method != "GET" {
			return only("GET", r), nil
		}
		s, err := d.Status(ctx)
		if err != nil {
			return nil, err
		}
		return http1.JSON(wire.StatusOK, s), nil
	case r.Path == PathReload:
		if r.Method != "POST" {
			return only("POST", r), nil
		}
		if err := d.Reload(ctx); err != nil {
			return nil, err
		}
		return &http1.Response{Status: wire.StatusNoContent}, nil
	case strings.HasPrefix(r.Path, PathNetworks):
		name, path, err := splitNetwork(r.Path)
		if err != nil {
			return nil, err
		}
		inner := *r
		inner.Path = path
		return d.Coordinator(ctx, name, &inner)
	}
	return nil, wire.Errorf(wire.StatusNotFound, "there is no %s in the local API", r.Path)
}

// only refuses a method other than the one that a path takes.
func only(method string, r *http1.Request) *http1.Response {
	resp := http1.Fail(wire.Errorf(wire.StatusMethod, "%s takes %s, not %s", r.Path, method, r.Method))
	resp.Header.Set("Allow", method) // RFC 9110, section 15.5.6
	return resp
}

// splitNetwork takes /v1/networks/NAME/coordinator/PATH apart.
func splitNetwork(path string) (name, rest string, err error) {
	escaped, rest, found := strings.Cut(strings.TrimPrefix(path, PathNetworks), CoordinatorPart)
	name, unescaped := url.PathUnescape(escaped)
	if !found || unescaped != nil || name == "" || strings.Contains(name, "/") || !strings.HasPrefix(rest, "/") {
		return "", "", wire.Errorf(wire.StatusNotFound, "there is no %s in the local API", path)
	}
	return name, rest, nil
}
