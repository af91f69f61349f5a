package join_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"ginnel/coordinator/coordinatortest"
	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/join"
	"ginnel/daemon/state"
	"ginnel/key"
	"ginnel/platform"
	"ginnel/platform/fake"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// The underlay addresses of the world's two machines.
var (
	hubAddr  = netip.MustParseAddr("192.0.2.1")
	peerAddr = netip.MustParseAddr("192.0.2.2")
)

// world is a coordinator's machine, which serves the API through its tunnel,
// and a machine that wants to join.
type world struct {
	*fake.World
	t        *testing.T
	net      *coordinatortest.Network
	hub      *fake.OS
	peer     *fake.OS
	stateDir string
	empty    string            // the peer before it joined
	answer   http1.Handler     // serves the API
	dns      map[string]string // what names resolve to; "": nothing
	lookUps  int

	mu     sync.Mutex // guards tunnel
	tunnel platform.Tunnel
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		World: fake.NewWorld(time.Now()), t: t, net: coordinatortest.New(t), stateDir: t.TempDir(),
		dns: map[string]string{"hub.example": hubAddr.String()},
	}
	w.hub, w.peer = w.NewOS("hub"), w.NewOS("peer")
	w.hub.SetLink("eth0", netip.PrefixFrom(hubAddr, 24))
	w.peer.SetLink("eth0", netip.PrefixFrom(peerAddr, 24))
	w.empty = w.peer.String()
	w.answer = w.role
	w.startHub()
	return w
}

// startHub brings the coordinator's tunnel up and serves the API in it.
func (w *world) startHub() {
	tunnel, err := w.hub.Open("home", 1280)
	must(w.t, err)
	w.tunnel = tunnel
	must(w.t, tunnel.Apply(&platform.TunnelChange{Set: platform.SetPrivateKey | platform.SetListenPort, PrivateKey: w.net.Keys["hub"], ListenPort: 51820}))
	own := w.net.Book().Coordinator().Address
	must(w.t, w.hub.Apply("home", &platform.NetChange{SetUp: true, AddAddresses: []netip.Prefix{netip.PrefixFrom(own, 16)}}))
	w.sync()
	l, err := w.hub.ListenTCP("home", netip.AddrPortFrom(own, 51820))
	must(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		s := http1.Server{Handler: func(ctx context.Context, r *http1.Request) *http1.Response { return w.answer(ctx, r) }}
		if err := s.Serve(ctx, l); err != nil {
			w.t.Errorf("serve the API: %v", err)
		}
	})
	w.t.Cleanup(func() {
		cancel()
		serving.Wait()
	})
}

// role answers as the coordinator does. Once the answer has arrived its tunnel
// has the new key.
func (w *world) role(_ context.Context, r *http1.Request) *http1.Response {
	resp := w.net.Handle(r)
	if done := resp.Done; done != nil {
		resp.Done = func() {
			done()
			w.sync()
		}
	}
	return resp
}

// sync gives the coordinator's tunnel the keys of the book, as its daemon does.
func (w *world) sync() {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := platform.TunnelChange{ReplacePeers: true}
	book := w.net.Book()
	for _, p := range book.Peers() {
		k := p.Key
		if p.IsInvited() {
			k = p.Invited.Key
		}
		if p.Address != book.Coordinator().Address {
			c.Peers = append(c.Peers, platform.PeerChange{PublicKey: k, AllowedIPs: []netip.Prefix{netip.PrefixFrom(p.Address, 32)}})
		}
	}
	must(w.t, w.tunnel.Apply(&c))
}

// invite makes an invitation, which the coordinator's tunnel then knows.
func (w *world) invite(name string) *wire.Invitation {
	w.t.Helper()
	issued, err := w.net.Role.Invite(wire.InvitationRequest{Name: name, CIDR: "servers"})
	must(w.t, err)
	inv, err := wire.ParseInvitation(issued.Token)
	must(w.t, err)
	w.sync()
	return inv
}

func (w *world) system() daemon.System {
	return daemon.System{
		Tunnels: func(n *config.Network) platform.Tunnels {
			if n.Existing {
				return w.peer.Others()
			}
			return w.peer
		},
		Network: w.peer, Sockets: w.peer,
		Names:   func(string) platform.Names { return w.peer },
		Resolve: w.resolve,
		Rand:    rand.Reader,
	}
}

func (w *world) resolve(_ context.Context, host string) ([]netip.Addr, error) {
	w.lookUps++
	switch text, ok := w.dns[host]; {
	case !ok:
		return nil, errors.New("no such host")
	case text == "":
		return nil, nil
	default:
		return []netip.Addr{netip.MustParseAddr(text)}, nil
	}
}

func (w *world) redeem(ctx context.Context, inv *wire.Invitation) (*join.Join, error) {
	return join.Redeem(ctx, w.system(), w.stateDir, inv, config.New("", ""))
}

// confirmed ends a join that succeeded and checks that this machine holds the
// key that the book has.
func (w *world) confirmed(j *join.Join, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("join: %v", err)
	}
	must(w.t, j.Confirm())
	s, err := state.Open(w.statePath())
	must(w.t, err)
	defer s.Close()
	id := s.Identity()
	p, _ := w.net.Book().Peer(id.Address)
	if id.IsPending() || id.Network != "home" || p.IsInvited() || p.Key != id.PrivateKey.Public() || p.Name != id.Name {
		w.t.Errorf("this machine is %s at %s, pending %v; the book has %+v", id.Name, id.Address, id.IsPending(), p)
	}
	w.untouched()
}

// untouched checks that the system is as it was before.
func (w *world) untouched() {
	w.t.Helper()
	if got := w.peer.String(); got != w.empty {
		w.t.Errorf("the machine is not as before:\n%s\nwant\n%s", got, w.empty)
	}
}

// nothingLeft checks that a failed join left nothing, on disk either.
func (w *world) nothingLeft() {
	w.t.Helper()
	w.untouched()
	files, err := filepath.Glob(filepath.Join(w.stateDir, "*"))
	must(w.t, err)
	if len(files) > 0 {
		w.t.Errorf("these files are left: %q", files)
	}
}

func (w *world) statePath() string { return state.Path(w.stateDir, "home") }

// pendingKey returns the own key of a join that is not finished.
func (w *world) pendingKey() key.PrivateKey {
	w.t.Helper()
	s, err := state.Open(w.statePath())
	must(w.t, err)
	defer s.Close()
	id := s.Identity()
	if !id.IsPending() {
		w.t.Error("the join is not pending")
	}
	return id.PrivateKey
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
