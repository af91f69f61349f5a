package join

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/control"
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
	tunnel, err := r.sys.Tunnels(r.cfg).Open(r.cfg.Link(), r.cfg.MTU)
	switch {
	case r.cfg.Existing && (errors.Is(err, platform.ErrNotExist) || errors.Is(err, platform.ErrExist)):
		if r.sys.Network.Observe(r.cfg.Link(), &platform.NetState{}) == nil {
			return fmt.Errorf("interface %s is there, and is no WireGuard interface, or the program that makes it one does not run (%w)", r.cfg.Link(), err)
		}
		return fmt.Errorf("interface %s is not there, and others are to make it: %w", r.cfg.Link(), err)
	case err != nil:
		return fmt.Errorf("make interface %s: %w", r.cfg.Link(), err)
	}
	if err := r.checkUnused(tunnel); err != nil {
		return errors.Join(err, tunnel.Close())
	}
	defer func() { err = errors.Join(err, daemon.Remove(r.sys, r.cfg, tunnel)) }()
	if err := r.configure(tunnel); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, joinTime)
	defer cancel()
	pace := time.NewTicker(shortestRound) // what fails at once is not repeated at once
	defer pace.Stop()
	var last error
	for k := r.inv.Key; ; k = r.nextKey(k) {
		done, err := r.round(ctx, tunnel, k)
		if done {
			return err
		}
		if last == nil || ctx.Err() == nil { // that the time is over is not what was wrong
			last = err
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return r.unreached(ctx, last)
		}
	}
}

// checkUnused refuses an interface that somebody else uses, who may have made it
// between two tries: its peers would be taken away, and it as well. One that
// others are to make may have any key.
func (r *redeemer) checkUnused(tunnel platform.Tunnel) error {
	var s platform.TunnelState
	if err := tunnel.Observe(&s); err != nil {
		return err
	}
	for i := range s.Peers {
		if s.Peers[i].PublicKey != r.id.Coordinator.PublicKey { // left by a join that was killed
			return fmt.Errorf("interface %s has other peers already, and they would be removed: remove them, or name another interface", r.cfg.Link())
		}
	}
	if !r.cfg.Existing && !r.id.Uses(s.PrivateKey) {
		return fmt.Errorf("interface %s has another private key than this join: choose another name, or remove the interface", r.cfg.Link())
	}
	return nil
}

// nextKey returns the private key to try after k.
func (r *redeemer) nextKey(k key.PrivateKey) key.PrivateKey {
	if r.uncertain && k.Equal(r.inv.Key) {
		return r.id.PrivateKey
	}
	return r.inv.Key
}

func (r *redeemer) unreached(ctx context.Context, last error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("interrupted: %w", ctx.Err())
	}
	if time.Until(r.inv.Expires) < 0 {
		last = errExpired
	}
	return fmt.Errorf("no answer from the coordinator at %v: check that its UDP port is open to the outside and that the invitation is neither used nor expired (%w)",
		r.cfg.Endpoints, last)
}

// errExpired is a guess: only the coordinator's clock counts, and it does not
// answer whom it does not know.
var errExpired = errors.New("by this machine's clock it has expired: ask an admin for another")

// configure brings the interface up with the invitee's address and a route to
// the coordinator.
func (r *redeemer) configure(tunnel platform.Tunnel) error {
	port := platform.TunnelChange{Set: platform.SetListenPort, ListenPort: r.cfg.ListenPort}
	if err := tunnel.Apply(&port); err != nil {
		return fmt.Errorf("listen on UDP port %d: %w", r.cfg.ListenPort, err)
	}
	want := platform.NetState{Up: true, MTU: r.cfg.MTU, Addresses: []netip.Prefix{single(r.id.Address)}, Routes: []netip.Prefix{single(r.id.Coordinator.Address)}}
	var have platform.NetState
	if err := r.sys.Network.Observe(r.cfg.Link(), &have); err != nil {
		return err
	}
	change := platform.DiffNet(&have, &want)
	return r.sys.Network.Apply(r.cfg.Link(), &change)
}

// round tries every endpoint of the coordinator once with private key k. It is
// done when the coordinator has answered.
func (r *redeemer) round(ctx context.Context, tunnel platform.Tunnel, k key.PrivateKey) (done bool, err error) {
	client, err := daemon.Remote(sockets{r.sys.Sockets, r}, r.cfg.Link(), &r.id, k)
	if err != nil {
		return true, err
	}
	var last error
	for _, ep := range addressesFirst(r.cfg.Endpoints) {
		addrs, err := r.resolve(ctx, ep)
		for _, addr := range addrs {
			if err := tunnel.Apply(r.toward(addr, k)); err != nil {
				return true, err
			}
			if done, err = r.try(ctx, client, k); done {
				return true, err
			}
		}
		last = err
	}
	return false, last
}

// addressesFirst puts the endpoints that need no looking up before the others: a
// resolver that does not answer would cost seconds.
func addressesFirst(endpoints []string) []string {
	var addresses, names []string
	for _, ep := range endpoints {
		if _, err := netip.ParseAddrPort(ep); err == nil {
			addresses = append(addresses, ep)
		} else {
			names = append(names, ep)
		}
	}
	return append(addresses, names...)
}

// patience is how long one address, or one look-up, has: every endpoint gets
// its turn with either key in joinTime.
func (r *redeemer) patience() time.Duration {
	return min(tryTime, joinTime/time.Duration(2*max(1, len(r.cfg.Endpoints))))
}

// try submits the key once.
func (r *redeemer) try(ctx context.Context, client *control.Client, k key.PrivateKey) (done bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.patience())
	defer cancel()
	before := r.uncertain
	_, err = client.Redeem(ctx, r.id.PrivateKey.Public())
	if !r.isAnswer(err, before, k) {
		return false, err
	}
	r.uncertain = false
	return true, explain(err)
}

// explain says what the coordinator's refusal, if it is one, means for the
// invitation.
func explain(err error) error {
	var refused *wire.Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused) && refused.Status == wire.StatusUnauthorized:
		return fmt.Errorf("the coordinator does not know this invitation: it was used or revoked, or it has expired (%w)", err)
	}
	return fmt.Errorf("the coordinator refuses the invitation: %w", err)
}

// isAnswer tells whether err, of a request with private key k, is what the
// coordinator decided. Where an earlier request may have been accepted, a 401
// is not: then the invitation's key is nobody's any more.
func (r *redeemer) isAnswer(err error, uncertain bool, k key.PrivateKey) bool {
	var refused *wire.Problem
	switch {
	case err == nil:
		return true
	case !errors.As(err, &refused):
		return false
	}
	switch refused.Status {
	case wire.StatusTimeout, wire.StatusTooMany: // of the server, before it read the request
		return false
	case wire.StatusUnauthorized:
		return !uncertain || !k.Equal(r.inv.Key)
	}
	return refused.Status < wire.StatusInternal
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
	} else {
		ctx, cancel := context.WithTimeout(ctx, r.patience())
		defer cancel()
		if addrs, err = r.sys.Resolve(ctx, host); err != nil {
			return nil, fmt.Errorf("look up %s: %w", host, err)
		}
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("look up %s: it has no address", host)
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
