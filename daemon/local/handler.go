package local

import (
	"context"
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

// Handler serves the local API. Whoever may open the socket may do everything.
func Handler(d Daemon) http1.Handler {
	return func(ctx context.Context, r *http1.Request) *http1.Response {
		resp, err := serve(ctx, d, r)
		if err != nil {
			return http1.Fail(err)
		}
		return resp
	}
}

func serve(ctx context.Context, d Daemon, r *http1.Request) (*http1.Response, error) {
	switch {
	case r.Path == PathStatus:
		if r.Method != "GET" {
			return nil, wire.Errorf(wire.StatusMethod, "%s takes GET, not %s", r.Path, r.Method)
		}
		s, err := d.Status(ctx)
		if err != nil {
			return nil, err
		}
		return http1.JSON(wire.StatusOK, s), nil
	case r.Path == PathReload:
		if r.Method != "POST" {
			return nil, wire.Errorf(wire.StatusMethod, "%s takes POST, not %s", r.Path, r.Method)
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

// splitNetwork takes /v1/networks/NAME/coordinator/PATH apart.
func splitNetwork(path string) (name, rest string, err error) {
	escaped, rest, found := strings.Cut(strings.TrimPrefix(path, PathNetworks), CoordinatorPart)
	name, unescaped := url.PathUnescape(escaped)
	if !found || unescaped != nil || name == "" || strings.Contains(name, "/") || !strings.HasPrefix(rest, "/") {
		return "", "", wire.Errorf(wire.StatusNotFound, "there is no %s in the local API", path)
	}
	return name, rest, nil
}
