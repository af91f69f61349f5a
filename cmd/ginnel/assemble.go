package main

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/user"
	"strconv"
	"time"

	"ginnel/coordinator"
	"ginnel/coordinator/store"
	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/state"
	"ginnel/journal"
	"ginnel/platform"
	"ginnel/platform/link"
	"ginnel/platform/names"
	"ginnel/platform/random"
	"ginnel/platform/wireguard"
)

// quiet is for commands: they return errors and log nothing.
var quiet *journal.Logger

// newSystem chooses the implementations of the platform's interfaces.
func newSystem(log *journal.Logger) daemon.System {
	l := link.New()
	return daemon.System{
		Tunnels: func(n *config.Network) platform.Tunnels { return tunnels(n, log) },
		Network: l,
		Sockets: l,
		Names:   namesIn,
		Resolve: resolve,
		Rand:    random.Reader,
	}
}

// namesIn returns what option hosts says, where it says anything, or what is
// usual.
func namesIn(hosts string) platform.Names {
	if hosts == config.DefaultHosts {
		hosts = usualHosts()
	}
	if hosts == config.Dnsmasq {
		return names.NewDnsmasq()
	}
	return names.New(hosts)
}

func tunnels(n *config.Network, log *journal.Logger) platform.Tunnels {
	if n.Existing {
		return wireguard.Others(n.Backend)
	}
	return wireguard.New(n.Backend, log)
}

func resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// openRole joins the coordinator's role to the daemon of its machine.
func openRole(p paths, log *journal.Logger) func(*config.Network, state.Identity, daemon.Hooks) (*daemon.Role, error) {
	return func(n *config.Network, id state.Identity, h daemon.Hooks) (*daemon.Role, error) {
		s, book, changes, err := store.Open(p.book(n.Name))
		if err != nil {
			return nil, err
		}
		role, err := coordinator.New(coordinator.Config{
			Store: s, Book: book, Changes: changes,
			PrivateKey: id.PrivateKey, APIPort: id.Coordinator.APIPort, Endpoints: n.Endpoints,
			Now: time.Now, Rand: random.Reader, Log: log.With("network", n.Name), Send: h.Send, Wake: h.Wake,
		})
		if err != nil {
			s.Close()
			return nil, err
		}
		return &daemon.Role{
			Coordinator: role, Sightings: role, Overlay: role.Handler(), Local: role.LocalHandler(),
			Run: role.Run, Close: s.Close,
		}, nil
	}
}

// shareSocket lets the group ginnel open the socket, where there is one.
func shareSocket(path string) {
	g, err := user.LookupGroup("ginnel")
	if err != nil {
		return
	}
	if gid, err := strconv.Atoi(g.Gid); err == nil {
		os.Chown(path, -1, gid)
	}
}
