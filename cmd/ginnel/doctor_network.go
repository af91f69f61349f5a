package main

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"ginnel/daemon"
	"ginnel/daemon/doctor"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/platform"
	"ginnel/wire"
	"ginnel/wire/http1"
	"ginnel/wire/json"
)

// How long each probe may take. Together they leave room for looking.
const (
	resolveTime = 2500 * time.Millisecond
	knockTime   = time.Second
	askTime     = 4 * time.Second // two lost packets of a connection's beginning
	askBigTime  = 2500 * time.Millisecond
)

// mostEndpoints is how many addresses of a coordinator are tried.
const mostEndpoints = 8

// gatherNetwork looks at one network. The ways are looked at last: what was
// sent before may have shown how wide they are.
func (e *env) gatherNetwork(ctx context.Context, n *doctor.Network, running bool) {
	network := e.system(quiet).Network
	if err := network.Observe(n.Link(), &n.Net); err != nil {
		n.Net = platform.NetState{}
	}
	if n.IsCoordinator() {
		e.lookUpHosts(ctx, n, e.askAPI(ctx, n, running))
		e.knockAll(ctx, n)
	} else {
		var asking sync.WaitGroup
		asking.Go(func() { e.askAPI(ctx, n, running) })
		asking.Go(func() {
			if n.Config != nil {
				e.lookUpHosts(ctx, n, n.Config.Endpoints)
			}
			e.knockAll(ctx, n)
		})
		asking.Wait()
	}
	for i := range n.Endpoints {
		n.Endpoints[i].Route, n.Endpoints[i].RouteErr = e.inspect.RouteTo(n.Endpoints[i].At.Addr())
	}
	if n.Coordinator.IsValid() {
		n.Overlay, n.OverlayErr = e.inspect.RouteTo(n.Coordinator)
	}
}

// lookUpHosts looks the coordinator's endpoints up.
func (e *env) lookUpHosts(ctx context.Context, n *doctor.Network, endpoints []string) {
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	for _, s := range endpoints {
		if host, port, err := wire.SplitEndpoint(s); err == nil { // they were checked
			n.Hosts = append(n.Hosts, doctor.Host{Name: host, Port: port})
		}
	}
	resolve := e.system(quiet).Resolve
	var looking sync.WaitGroup
	for i := range n.Hosts {
		h := &n.Hosts[i]
		if a, err := netip.ParseAddr(h.Name); err == nil {
			h.Addrs = []netip.Addr{a}
			continue
		}
		looking.Go(func() {
			h.Addrs, h.Err = resolve(ctx, h.Name)
			for i := range h.Addrs {
				h.Addrs[i] = h.Addrs[i].Unmap()
			}
		})
	}
	looking.Wait()
}

// knockAll collects the underlay addresses to look at, and knocks at the
// coordinator's.
func (e *env) knockAll(ctx context.Context, n *doctor.Network) {
	ctx, cancel := context.WithTimeout(ctx, knockTime)
	defer cancel()
	for _, at := range addressesOf(n) {
		n.Endpoints = append(n.Endpoints, doctor.Endpoint{At: at})
	}
	if n.IsCoordinator() {
		return
	}
	var knocking sync.WaitGroup
	for i := range n.Endpoints {
		p := &n.Endpoints[i]
		knocking.Go(func() { p.Echo, p.EchoErr = e.inspect.Knock(ctx, p.At) })
	}
	knocking.Wait()
}

// addressesOf lists the addresses that the coordinator may have, the one in use
// first; on its own machine those of its peers.
func addressesOf(n *doctor.Network) (list []netip.AddrPort) {
	own := n.IsCoordinator()
	add := func(at netip.AddrPort) {
		at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
		if at.IsValid() && len(list) < mostEndpoints && !slices.Contains(list, at) {
			list = append(list, at)
		}
	}
	if n.Status != nil {
		for i := range n.Status.Peers {
			if p := &n.Status.Peers[i]; own || p.Address == n.Coordinator {
				add(p.Endpoint)
			}
		}
	}
	if own {
		return list
	}
	for _, h := range n.Hosts {
		for _, a := range h.Addrs {
			add(netip.AddrPortFrom(a, h.Port))
		}
	}
	return list
}

// asker sends the coordinator of a network a request about it.
type asker func(ctx context.Context, body any, info *wire.NetworkInfo) error

// askAPI asks the coordinator, first with a small packet and then with large
// ones. It returns where the coordinator says that it is found.
func (e *env) askAPI(ctx context.Context, n *doctor.Network, running bool) (endpoints []string) {
	ask := e.askerOf(n, running)
	if ask == nil {
		return nil
	}
	var info wire.NetworkInfo
	began := time.Now()
	err := within(ctx, askTime, func(ctx context.Context) error { return ask(ctx, nil, &info) })
	if ctx.Err() != nil {
		return nil // there was no time for an answer
	}
	n.API = doctor.API{Asked: true, Err: err, Took: time.Since(began)}
	if err != nil {
		n.API.Heard = running && e.heardSince(ctx, n)
		return nil
	}
	if n.API.Clock = !info.Time.IsZero(); n.API.Clock {
		n.API.Ahead = began.Add(n.API.Took / 2).Sub(info.Time)
	}
	n.API.Big = true
	padding := strings.Repeat("x", 8<<10) // some packets of full size, whatever the MTU
	n.API.BigErr = within(ctx, askBigTime, func(ctx context.Context) error { return ask(ctx, padding, &info) })
	return info.Endpoints
}

func within(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, d, errNoAnswerInTime)
	defer cancel()
	return f(ctx)
}

var errNoAnswerInTime = errors.New("no answer in time")

// askerOf returns how the coordinator can be asked: by the daemon, or without
// it through the tunnel that the kernel has kept; nil: not at all.
func (e *env) askerOf(n *doctor.Network, running bool) asker {
	if running {
		return func(ctx context.Context, body any, info *wire.NetworkInfo) error {
			return e.client().Coordinator(ctx, n.Name, "GET", wire.PathNetwork, body, info)
		}
	}
	id, err := state.Read(state.Path(e.paths.state, n.Name))
	if err != nil || !n.Net.Up || id.Address == id.Coordinator.Address {
		return nil
	}
	remote, err := daemon.Remote(e.system(quiet).Sockets, n.Link(), &id, id.PrivateKey)
	if err != nil {
		return nil
	}
	return func(ctx context.Context, body any, info *wire.NetworkInfo) error {
		r := &http1.Request{Method: "GET", Path: wire.PathNetwork}
		if body != nil {
			r.Body = wire.Encode(body)
		}
		resp, err := remote.Forward(ctx, r)
		if err != nil {
			return err
		}
		if resp.Status != wire.StatusOK {
			p := &wire.Problem{Status: resp.Status, Detail: wire.StatusText(resp.Status)}
			_ = json.Unmarshal(resp.Body, p) // the status says enough
			return p
		}
		return json.Unmarshal(resp.Body, info)
	}
}

// heardSince tells whether the tunnel has received something from the
// coordinator since n was told, and takes what is known now.
func (e *env) heardSince(ctx context.Context, n *doctor.Network) bool {
	before := received(n.Status, n.Coordinator)
	st, err := e.client().Status(ctx)
	if err != nil {
		return false
	}
	for i := range st.Networks {
		if st.Networks[i].Name == n.Name {
			n.Status = &st.Networks[i]
		}
	}
	return received(n.Status, n.Coordinator) > before
}

// received is how many bytes came from a peer.
func received(n *local.Network, from netip.Addr) uint64 {
	if n == nil {
		return 0
	}
	for i := range n.Peers {
		if p := &n.Peers[i]; p.Address == from {
			return p.Rx
		}
	}
	return 0
}
