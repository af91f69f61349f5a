package apidoc

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ginnel/coordinator/coordinatortest"
	"ginnel/daemon/local"
	"ginnel/key"
	"ginnel/network"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// record makes the requests of all operations, each operation's of a world of
// its own, and returns the first body of each status.
func record(t *testing.T, each func(*operation, show, *http1.Response)) map[string]map[int][]byte {
	t.Helper()
	all := map[string]map[int][]byte{}
	for i := range operations {
		o := &operations[i]
		all[o.route] = map[int][]byte{}
		synctest.Test(t, func(t *testing.T) { // time stands still: examples are always the same
			w := newWorld(t)
			for _, s := range o.shows {
				r := w.ask(o, s)
				if r.Status != s.want {
					t.Errorf("%s: the answer is %d %s, want %d", request(s, o.route), r.Status, r.Body, s.want)
				}
				if all[o.route][r.Status] == nil {
					all[o.route][r.Status] = r.Body
				}
				if each != nil {
					each(o, s, r)
				}
			}
		})
		for status := range o.out {
			if _, ok := all[o.route][status]; !ok {
				t.Errorf("%s: no request shows the answer %d: add one to its shows in operations_test.go", o.route, status)
			}
		}
	}
	return all
}

// world is a network and a daemon on one of its machines.
type world struct {
	*coordinatortest.Network
	daemon http1.Handler
}

func newWorld(t *testing.T) *world {
	n := coordinatortest.New(t)
	n.MustDo(network.AddCIDR{Name: "empty", Prefix: netip.MustParsePrefix("10.42.7.0/24")}, network.Associate{A: "servers", B: "empty"},
		network.AddCIDR{Name: "spare", Prefix: netip.MustParsePrefix("10.42.6.0/24")})
	return &world{n, local.Handler(&daemon{network: n})}
}

// ask makes one request.
func (w *world) ask(o *operation, s show) *http1.Response {
	method, _, _ := strings.Cut(o.route, " ")
	var body any
	if s.body != "" {
		body = s.body
	}
	if s.as != "" {
		return w.Call(s.as, method, s.target, body)
	}
	return w.daemon(context.Background(), coordinatortest.Request(method, s.target, body))
}

// daemon is one that has the network "home" and nothing below it.
type daemon struct{ network *coordinatortest.Network }

func (d *daemon) Status(context.Context) (*local.Status, error) {
	return &local.Status{Version: "1.0", Networks: []local.Network{d.home()}}, nil
}

func (d *daemon) Reload(context.Context) error { return nil }

func (d *daemon) Coordinator(_ context.Context, name string, r *http1.Request) (*http1.Response, error) {
	if name != "home" {
		return nil, wire.Errorf(wire.StatusNotFound, "there is no network %s up on this machine", name)
	}
	return d.network.LocalHandler()(context.Background(), r), nil
}

func (d *daemon) Running(name string) (local.Running, error) {
	if name != "home" {
		return nil, wire.Errorf(wire.StatusNotFound, "there is no network %s up on this machine", name)
	}
	return d, nil
}

func (d *daemon) Fetch(context.Context) (*local.Network, error) {
	n := d.home()
	return &n, nil
}

func (d *daemon) Pins(context.Context) ([]local.Pin, error) {
	bob, _ := d.network.Book().PeerNamed("bob")
	return []local.Pin{{Address: bob.Address, Name: "bob", PublicKey: bob.Key, InMap: true}}, nil
}

func (d *daemon) Forget(_ context.Context, a netip.Addr, k key.PublicKey) error {
	if bob, _ := d.network.Book().PeerNamed("bob"); a != bob.Address {
		return wire.Errorf(wire.StatusNotFound, "nothing is pinned for %s", a)
	}
	if !k.IsZero() {
		return wire.Errorf(wire.StatusConflict, "the coordinator does not present the key %s for %s", k, a)
	}
	return nil
}

// home is ann's network, in which she sees bob.
func (d *daemon) home() local.Network {
	book := d.network.Book()
	ann, _ := book.PeerNamed("ann")
	bob, _ := book.PeerNamed("bob")
	self := wire.Member{Address: ann.Address, Name: "ann", CIDR: "servers", PublicKey: ann.Key, Admin: true}
	at := netip.MustParseAddrPort("192.0.2.7:51820")
	peer := wire.Member{Address: bob.Address, Name: "bob", CIDR: "servers", PublicKey: bob.Key, Endpoints: wire.Endpoints{Seen: at}}
	return local.Network{
		Name: "home", State: local.Up, Role: "peer", Root: book.Root(), PublicKey: ann.Key, Backend: "kernel", ListenPort: 51820,
		Self: self, Revision: book.Revision(), LastContact: time.Now().UTC(),
		Peers: []local.Peer{{Member: peer, Endpoint: at, LastHandshake: time.Now().UTC(), Rx: 1, Tx: 2, Connected: true, Reach: local.ReachDirect}},
	}
}
