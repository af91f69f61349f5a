package wireguard

import (
	"log/slog"
	"testing"

	"ginnel/platform"
	"ginnel/platform/platformtest"
)

// quiet is a log that nobody reads.
var quiet = slog.New(slog.DiscardHandler)

func TestTunnel(t *testing.T) {
	platformtest.Tunnel(t, func(t *testing.T) platform.Tunnels {
		platformtest.Namespace(t)
		return New(quiet)
	})
}
