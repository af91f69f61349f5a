// Package coordinatortest sets up a small network with its coordinator's role,
// for tests, and speaks to it as any of its peers.
//
//	home     10.42.0.0/16  hub    10.42.0.1, the coordinator
//	servers  10.42.1.0/24  ann    an admin
//	                       bob
//	                       dan    disabled
//	phones   10.42.2.0/24  carl
//	                       eve    invited, for an hour
package coordinatortest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ginnel/coordinator"
	"ginnel/coordinator/commandtest"
	"ginnel/key"
	"ginnel/network"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// ErrFull is what a full Store answers.
var ErrFull = errors.New("no space left on device")

// Store keeps changes in memory. It may be used concurrently.
type Store struct {
	mu      sync.Mutex
	full    bool
	changes []network.Change
}

// Commit keeps changes unless the store is full.
func (s *Store) Commit(changes ...network.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return ErrFull
	}
	s.changes = append(s.changes, changes...)
	return nil
}

// SetFull makes commits fail, or work again.
func (s *Store) SetFull(full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = full
}

// Changes returns what was committed.
func (s *Store) Changes() []network.Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]network.Change(nil), s.changes...)
}

// Network is the role with its network. The time is time.Now's, which a
// synctest bubble makes the test's own.
type Network struct {
	*coordinator.Role
	T      testing.TB
	Source *commandtest.Source
	Store  *Store
	Keys   map[string]key.PrivateKey // what each peer holds, by its name; an invitee the temporary one
	// Configure, when set, may change what Start makes the role of.
	Configure func(*coordinator.Config)

	handle http1.Handler
	local  http1.Handler

	mu     sync.Mutex
	nudges map[netip.Addr][]wire.Signal
	wakes  int
}

// New sets up the network. Run is not running.
func New(t testing.TB) *Network {
	t.Helper()
	src := commandtest.New(1)
	n := &Network{
		T: t, Source: src, Store: &Store{}, Keys: map[string]key.PrivateKey{"hub": src.PrivateKey()},
		nudges: map[netip.Addr][]wire.Signal{},
	}
	book, change, err := network.New("home", netip.MustParsePrefix("10.42.0.0/16"), "hub", n.Keys["hub"].Public(), "hub.example:51820")
	if err != nil {
		t.Fatal(err)
	}
	n.Start(book, []network.Change{change})
	n.MustDo(
		network.AddCIDR{Name: "servers", Prefix: netip.MustParsePrefix("10.42.1.0/24")},
		network.AddCIDR{Name: "phones", Prefix: netip.MustParsePrefix("10.42.2.0/24")},
	)
	n.Join("ann", "servers")
	n.Join("bob", "servers")
	n.Join("dan", "servers")
	n.Join("carl", "phones")
	n.Invite("eve", "phones")
	n.MustDo(network.SetAdmin{Name: "ann", Admin: true}, network.SetDisabled{Name: "dan", Disabled: true})
	return n
}

// Start makes a role for book, as a start of the process does.
func (n *Network) Start(book *network.Book, tail []network.Change) {
	n.T.Helper()
	cfg := coordinator.Config{
		Store: n.Store, Book: book, Changes: tail, PrivateKey: n.Keys["hub"],
		APIPort: 51820,
		Now:     time.Now, Rand: reader{n},
		Send: n.send, Wake: n.wake,
	}
	if n.Configure != nil {
		n.Configure(&cfg)
	}
	role, err := coordinator.New(cfg)
	if err != nil {
		n.T.Fatal(err)
	}
	n.Role, n.handle, n.local = role, role.Handler(), role.LocalHandler()
}

// Run runs the role until the function it returns is called.
func (n *Network) Run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { n.Role.Run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

// MustDo has commands carried out.
func (n *Network) MustDo(cmds ...network.Command) {
	n.T.Helper()
	if _, err := n.Do(cmds...); err != nil {
		n.T.Fatal(err)
	}
}

// Invite invites a peer for an hour.
func (n *Network) Invite(name, cidr string) {
	n.T.Helper()
	n.Keys[name] = n.Source.PrivateKey()
	n.MustDo(network.Invite{Name: name, CIDR: cidr, Key: n.Keys[name].Public(), Expires: time.Now().Add(time.Hour)})
}

// Join invites a peer and redeems its invitation.
func (n *Network) Join(name, cidr string) {
	n.T.Helper()
	n.Invite(name, cidr)
	temporary := n.Keys[name].Public()
	n.Keys[name] = n.Source.PrivateKey()
	n.MustDo(network.Redeem{Address: n.Address(name), Invited: temporary, Key: n.Keys[name].Public()})
}

// Grow starts the network anew with so many more peers, router-0 and on,
// directly in home from 10.42.128.1 on.
func (n *Network) Grow(count int) {
	n.T.Helper()
	s := n.Book().Snapshot()
	s.Peers = slices.Clone(s.Peers)
	a := netip.MustParseAddr("10.42.128.0")
	for i := range count {
		a = a.Next()
		name := fmt.Sprintf("router-%d", i)
		n.Keys[name] = n.Source.PrivateKey()
		s.Peers = append(s.Peers, network.Peer{Address: a, Name: name, Key: n.Keys[name].Public()})
	}
	book, err := network.Load(s)
	if err != nil {
		n.T.Fatal(err)
	}
	n.Start(book, nil)
}

// Address returns a peer's overlay address.
func (n *Network) Address(name string) netip.Addr {
	n.T.Helper()
	p, ok := n.Book().PeerNamed(name)
	if !ok {
		n.T.Fatalf("there is no peer %s", name)
	}
	return p.Address
}

// Token returns the token that the holder of k uses.
func (n *Network) Token(k key.PrivateKey) string {
	n.T.Helper()
	t, err := k.Token(n.Keys["hub"].Public(), wire.TokenPurpose)
	if err != nil {
		n.T.Fatal(err)
	}
	return t.Reveal()
}

// Call makes a request as a peer, with its address and the token of the key
// it holds. Body is sent as JSON unless it is a string or nil.
func (n *Network) Call(name, method, target string, body any) *http1.Response {
	n.T.Helper()
	return n.CallFrom(n.Address(name), n.Keys[name], method, target, body)
}

// CallFrom is Call for any address and key.
func (n *Network) CallFrom(a netip.Addr, k key.PrivateKey, method, target string, body any) *http1.Response {
	n.T.Helper()
	return n.Handle(n.from(a, k, Request(method, target, body)))
}

// As makes r a request of a peer, with its address and the token of the key it
// holds.
func (n *Network) As(name string, r *http1.Request) *http1.Request {
	n.T.Helper()
	return n.from(n.Address(name), n.Keys[name], r)
}

func (n *Network) from(a netip.Addr, k key.PrivateKey, r *http1.Request) *http1.Request {
	n.T.Helper()
	r.Remote = netip.AddrPortFrom(a, 40000)
	r.Header.Set("Authorization", "Bearer "+n.Token(k))
	return r
}

// CallLocally makes a request as the administrator of the coordinator's
// machine.
func (n *Network) CallLocally(method, target string, body any) *http1.Response {
	return n.local(context.Background(), Request(method, target, body))
}

// Handle hands a request to the overlay's handler.
func (n *Network) Handle(r *http1.Request) *http1.Response {
	return n.handle(context.Background(), r)
}

// Request makes a request without credentials; see Call for its body.
func Request(method, target string, body any) *http1.Request {
	path, query, _ := strings.Cut(target, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		panic(err)
	}
	r := &http1.Request{Method: method, Path: path, Query: values, Header: textproto.MIMEHeader{}}
	switch b := body.(type) {
	case nil:
	case string:
		r.Body = []byte(b)
	default:
		r.Body = wire.Encode(b)
	}
	return r
}

// Nudges returns what was sent to a peer since the last call, and forgets it.
func (n *Network) Nudges(name string) []wire.Signal {
	n.mu.Lock()
	defer n.mu.Unlock()
	a := n.Address(name)
	sent := n.nudges[a]
	delete(n.nudges, a)
	return sent
}

// Wakes returns how often the local daemon was woken since the last call.
func (n *Network) Wakes() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	wakes := n.wakes
	n.wakes = 0
	return wakes
}

// Forget forgets nudges and wakes so far.
func (n *Network) Forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.nudges)
	n.wakes = 0
}

func (n *Network) send(to netip.Addr, s wire.Signal) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.nudges[to] = append(n.nudges[to], s)
}

func (n *Network) wake() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wakes++
}

// reader makes the network's Source the role's randomness.
type reader struct{ n *Network }

// Read fills b.
func (r reader) Read(b []byte) (int, error) {
	r.n.mu.Lock()
	defer r.n.mu.Unlock()
	for i := range b {
		b[i] = byte(r.n.Source.Uint32())
	}
	return len(b), nil
}
