package join

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/state"
	"ginnel/key"
	"ginnel/platform"
	"ginnel/wire"
)

// redeemer is one attempt to redeem an invitation.
type redeemer struct {
	sys daemon.System
	id  state.Identity
	inv *wire.Invitation
	cfg *config.Network
	// uncertain: a request may have reached the coordinator, now or in an
	// earlier run, and no answer came. Then the peer's own key may be the one
	// that the coordinator knows.
	uncertain bool
}

// redeem makes the interface, submits the key through it and takes the
// interface away again.
func (r *redeemer) redeem(ctx context.Context) (err error) {
	tunnel, err := r.sys.Tunnels.Open(r.id.Network, r.cfg.MTU)
	if err != nil {
		return fmt.Errorf("make interface %s: %w", r.id.Network, err)
	}
	defer func() { err = errors.Join(err, tunnel.Delete()) }()
	if err := r.configure(tunnel); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, joinTime)
	defer cancel()
	for k := r.inv.Key; ; k = r.nextKey(k) {
		done, err := r.round(ctx, tunnel, k)
		if done {
			return err
		}
		if ctx.Err() != nil {
			return r.unreached(err)
		}
	}
}

// nextKey returns the private key to try after k.
func (r *redeemer) nextKey(k key.PrivateKey) key.PrivateKey {
	if r.uncertain && k.Equal(r.inv.Key) {
		return r.id.PrivateKey
	}
	return r.inv.Key
}

func (r *redeemer) unreached(last error) error {
	return fmt.Errorf("no answer from the coordinator at %v: check that its UDP port is open to the outside and that the invitation is neither used nor expired (%w)",
		r.inv.Coordinator.Endpoints, last)
}

// configure brings the interface up with the invitee's address and a route to
// the coordinator.
func (r *redeemer) configure(tunnel platform.Tunnel) error {
	port := platform.TunnelChange{Set: platform.SetListenPort, ListenPort: r.cfg.ListenPort}
	if err := tunnel.Apply(&port); err != nil {
		return fmt.Errorf("listen on UDP port %d: %w", r.cfg.ListenPort, err)
	}
	want := platform.NetState{Up: true, MTU: r.cfg.MTU, Addresses: []netip.Prefix{single(r.id.Address)}, Routes: []netip.Prefix{single(r.id.Coordinator.Address)}}
	var have platform.NetState
	if err := r.sys.Network.Observe(r.id.Network, &have); err != nil {
		return err
	}
	change := platform.DiffNet(&have, &want)
	return r.sys.Network.Apply(r.id.Network, &change)
}

// round tries every endpoint of the coordinator once with private key k. It is
// done when the coordinator has answered.
func (r *redeemer) round(ctx context.Context, tunnel platform.Tunnel, k key.PrivateKey) (done bool, err error) {
	client, err := daemon.Remote(sockets{r.sys.Sockets, r}, &r.id, k)
	if err != nil {
		return true, err
	}
	err = errors.New("no endpoint to try")
	for _, ep := range r.inv.Coordinator.Endpoints {
		var addrs []netip.AddrPort
		if addrs, err = r.resolve(ctx, ep); err != nil {
			continue
		}
		for _, addr := range addrs {
			if err := tunnel.Apply(r.toward(addr, k)); err != nil {
				return true, err
			}
			try, cancel := context.WithTimeout(ctx, tryTime)
			_, err = client.Redeem(try, r.id.PrivateKey.Public())
			cancel()
			var refused *wire.Problem
			if err == nil || errors.As(err, &refused) && refused.Status < wire.StatusInternal {
				r.uncertain = false
				return true, err
			}
		}
	}
	return false, err
}

// toward makes the coordinator the only peer, anew, so that a handshake with
// it starts at once.
func (r *redeemer) toward(addr netip.AddrPort, k key.PrivateKey) *platform.TunnelChange {
	return &platform.TunnelChange{
		Set: platform.SetPrivateKey, PrivateKey: k,
		Remove: []key.PublicKey{r.id.Coordinator.PublicKey},
		Peers: []platform.PeerChange{{
			PublicKey: r.id.Coordinator.PublicKey,
			Set:       platform.SetEndpoint | platform.SetKeepalive, Endpoint: addr, Keepalive: config.DefaultKeepalive,
			AllowedIPs: []netip.Prefix{single(r.id.Coordinator.Address)}, ReplaceAllowedIPs: true,
		}},
	}
}

func (r *redeemer) resolve(ctx context.Context, endpoint string) ([]netip.AddrPort, error) {
	host, port, err := wire.SplitEndpoint(endpoint)
	if err != nil {
		return nil, err
	}
	addrs := []netip.Addr{}
	if a, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, a)
	} else if addrs, err = r.sys.Resolve(ctx, host); err != nil {
		return nil, fmt.Errorf("look up %s: %w", host, err)
	}
	out := make([]netip.AddrPort, len(addrs))
	for i, a := range addrs {
		out[i] = netip.AddrPortFrom(a.Unmap(), port)
	}
	return out, nil
}

// sockets notes that a connection was made: from then on a request may have
// arrived.
type sockets struct {
	platform.Sockets
	r *redeemer
}

func (s sockets) DialTCP(ctx context.Context, link string, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	c, err := s.Sockets.DialTCP(ctx, link, from, to)
	if err == nil {
		s.r.uncertain = true
	}
	return c, err
}

func single(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }
