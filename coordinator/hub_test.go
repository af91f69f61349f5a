package coordinator

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"ginnel/coordinator/commandtest"
	"ginnel/network"
	"ginnel/wire"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func addr(s string) netip.Addr         { return netip.MustParseAddr(s) }
func prefix(s string) netip.Prefix     { return netip.MustParsePrefix(s) }
func addrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// follower is a peer that follows its map by updates alone.
type follower struct {
	pos     wire.Position
	self    wire.Member
	members map[netip.Addr]wire.Member
}

// apply does what the wire's documentation says.
func (f *follower) apply(u *wire.Update) error {
	if err := u.Check(); err != nil {
		return err
	}
	for a := range f.members {
		if within(u.Ranges, a) {
			delete(f.members, a)
		}
	}
	for _, m := range u.Members {
		f.members[m.Address] = m
	}
	for _, p := range u.Patches {
		m, ok := f.members[p.Address]
		if !ok {
			return fmt.Errorf("patch of %s, which the peer does not see", p.Address)
		}
		m.Endpoints = p.Endpoints
		f.members[p.Address] = m
	}
	f.pos, f.self = u.Position, u.Self
	return nil
}

// hubModel is a hub among random events, with a plain model of what is true.
type hubModel struct {
	*hub
	src       *commandtest.Source
	now       time.Time
	durable   []network.Change // what a store would have kept
	reported  map[netip.Addr]wire.Endpoints
	followers map[netip.Addr]*follower
}

func newHubModel(t testing.TB, seed uint64, root string) *hubModel {
	src := commandtest.New(seed)
	book, change, err := network.New("home", prefix(root), "hub", src.Key())
	if err != nil {
		t.Fatal(err)
	}
	m := &hubModel{src: src, now: start, durable: []network.Change{change}, followers: map[netip.Addr]*follower{}}
	m.restart(book)
	return m
}

// restart begins another epoch.
func (m *hubModel) restart(book *network.Book) {
	m.hub = newHub(book, m.durable, m.src.Uint64())
	m.reported = map[netip.Addr]wire.Endpoints{}
}

func (m *hubModel) command() {
	cmd := m.src.Next(m.book, m.now)
	before := m.book
	book, change, err := before.Apply(m.now, cmd)
	if err != nil || change.Revision == 0 {
		return
	}
	m.adopt(book, change)
	m.durable = append(m.durable, network.Change{Revision: change.Revision, Parts: change.Parts})
	for _, p := range change.Delete.Peers {
		delete(m.followers, p.Address)
		delete(m.reported, p.Address)
	}
	if r, ok := cmd.(network.Redeem); ok && m.src.IntN(2) == 0 {
		p, _ := before.Peer(r.Address)
		m.holds[r.Address] = &hold{key: p.Invited.Key, change: change}
	}
}

func (m *hubModel) endpointNews() {
	a := m.book.Peers()[m.src.IntN(len(m.book.Peers()))].Address
	var e wire.Endpoints
	if m.src.IntN(4) > 0 {
		e.Seen = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(m.src.IntN(250))}), 51820)
	}
	e.Announced = [][]string{nil, {":4000"}, {"home.example:1", ":4000"}}[m.src.IntN(3)]
	if m.setEndpoints(a, e) {
		m.reported[a] = e
	}
}

func (m *hubModel) event() {
	m.now = m.now.Add(time.Second)
	switch n := m.src.IntN(100); {
	case n < 60:
		m.endpointNews()
	case n < 94:
		m.command()
	case n < 96:
		m.restart(m.book)
	case n < 97:
		m.tail = m.tail[len(m.tail)/2:]
	default:
		for a := range m.holds {
			delete(m.holds, a)
			break
		}
	}
}

// fetch has a random active peer fetch, and compares its map with the truth.
func (m *hubModel) fetch() error {
	p := &m.book.Peers()[m.src.IntN(len(m.book.Peers()))]
	if !isActive(p) {
		return nil
	}
	f := m.followers[p.Address]
	if f == nil {
		f = &follower{members: map[netip.Addr]wire.Member{}}
		m.followers[p.Address] = f
	}
	pos := f.pos
	switch m.src.IntN(20) {
	case 0:
		pos = wire.Position{}
	case 1:
		pos.Revision += uint64(m.src.IntN(2000)) // from a book that was not this one
	case 2:
		pos.Seq += uint64(m.src.IntN(20))
	}
	if pos.Revision != f.pos.Revision && pos.Revision <= m.book.Revision() {
		pos = f.pos // it would claim to know what it does not
	}
	if pos.Epoch == m.epoch && pos.Seq <= m.seq {
		pos.Seq = min(pos.Seq, f.pos.Seq)
	}
	if err := f.apply(m.update(pos, p)); err != nil {
		return err
	}
	return m.compare(p, f)
}

func (m *hubModel) compare(p *network.Peer, f *follower) error {
	var want []netip.Addr
	for i := range m.book.Peers() {
		q := &m.book.Peers()[i]
		own := p.Address == m.book.Coordinator().Address
		if q.Address == p.Address || q.Disabled || q.IsInvited() && !own || !m.book.Sees(p.Address, q.Address) {
			continue
		}
		want = append(want, q.Address)
		got, wantMember := f.members[q.Address], m.member(p, q)
		if _, known := m.reported[q.Address]; !known {
			wantMember.Endpoints = got.Endpoints // of an earlier epoch
		}
		if !reflect.DeepEqual(got, wantMember) {
			return fmt.Errorf("%s has\n%+v\nwant\n%+v", p.Address, got, wantMember)
		}
	}
	if len(f.members) != len(want) {
		return fmt.Errorf("%s sees %d members, want %d", p.Address, len(f.members), len(want))
	}
	if f.self.Name != p.Name || f.self.Admin != p.Admin || f.self.PublicKey != p.Key || f.self.Endpoints.Seen != m.reported[p.Address].Seen {
		return fmt.Errorf("%s has itself as %+v, want %+v", p.Address, f.self, p)
	}
	return nil
}

// TestDeltasAreTheWholeMap: who follows by deltas, from any position and
// through restarts, has the map that the book and the endpoints make.
func TestDeltasAreTheWholeMap(t *testing.T) {
	first := uint64(time.Now().UnixNano())
	for run := range uint64(6) {
		m := newHubModel(t, first+run, []string{"10.42.0.0/16", "fd00::/48"}[run%2])
		for range 1000 {
			m.event()
			if m.src.IntN(3) == 0 {
				if err := m.fetch(); err != nil {
					t.Fatalf("seed %d: %v", first+run, err)
				}
			}
		}
	}
}

// TestDeltaWhenNothingChangedIsEmpty keeps polls small.
func TestDeltaWhenNothingChangedIsEmpty(t *testing.T) {
	m := newHubModel(t, 1, "10.42.0.0/16")
	for range 500 {
		m.event()
	}
	clear(m.holds)
	for i := range m.book.Peers() {
		p := &m.book.Peers()[i]
		if !isActive(p) {
			continue
		}
		pos := m.position(p)
		u := m.update(pos, p)
		if len(u.Ranges)+len(u.Members)+len(u.Patches) > 0 || u.Position != pos {
			t.Errorf("an update from the current position is %+v", u)
		}
	}
}

// TestEndpointNewsIsToldOnceAndLatest: many news of one member are one patch.
func TestEndpointNewsIsToldOnceAndLatest(t *testing.T) {
	h, own := threePeers(t)
	pos := h.position(own)
	a := addr("10.42.0.2")
	for i := range 5 {
		h.setEndpoints(a, wire.Endpoints{Seen: netip.AddrPortFrom(addr("192.0.2.1"), uint16(1000+i))})
	}
	if h.setEndpoints(a, wire.Endpoints{Seen: addrPort("192.0.2.1:1004")}) {
		t.Error("the same endpoint is news")
	}
	want := []wire.Patch{{Address: a, Endpoints: wire.Endpoints{Seen: addrPort("192.0.2.1:1004")}}}
	if u := h.update(pos, own); !reflect.DeepEqual(u.Patches, want) || len(u.Ranges) > 0 {
		t.Errorf("update is %+v, want the patches %+v alone", u, want)
	}
}

// TestOnePeersNewsStaysOne: however much one peer has to tell, nobody is told
// of others because of it, and no more is remembered.
func TestOnePeersNewsStaysOne(t *testing.T) {
	h, own := threePeers(t)
	a, b := addr("10.42.0.2"), addr("10.42.0.3")
	h.setEndpoints(b, wire.Endpoints{Seen: addrPort("192.0.2.3:1")})
	pos := h.position(own)
	for i := range 10000 {
		h.setEndpoints(a, wire.Endpoints{Seen: netip.AddrPortFrom(addr("192.0.2.1"), uint16(1+i%2))})
	}
	if u := h.update(pos, own); len(u.Patches) != 1 || u.Patches[0].Address != a {
		t.Errorf("patches are %+v, want one of %s", u.Patches, a)
	}
	if u := h.update(wire.Position{Revision: pos.Revision, Epoch: pos.Epoch + 1}, own); len(u.Patches) != 2 {
		t.Errorf("from another epoch the patches are %+v, want both", u.Patches)
	}
	if len(h.news) > 4 {
		t.Errorf("%d news are remembered of two peers", len(h.news))
	}
}

// TestPositionsOfAnotherBook: an older file was put in its book's place; who
// knew the lost revisions starts over, who did not goes on.
func TestPositionsOfAnotherBook(t *testing.T) {
	h, own := threePeers(t)
	book, tail := h.book, slices.Clone(h.tail)
	old, _ := network.Load(book.Snapshot())
	h = newHub(old, tail, 2)
	for i := range 4 {
		book, change, err := h.book.Apply(start, network.RenamePeer{Name: []string{"bob", "rob"}[i%2], NewName: []string{"rob", "bob"}[i%2]})
		if err != nil {
			t.Fatal(err)
		}
		h.adopt(book, change)
	}
	for _, test := range []struct {
		pos   wire.Position
		whole bool
	}{
		{wire.Position{Revision: old.Revision(), Epoch: 1}, false},
		{wire.Position{Revision: old.Revision() - 1, Epoch: 1}, false},
		{wire.Position{Revision: old.Revision() + 1, Epoch: 1}, true},
		{wire.Position{Revision: old.Revision() + 1, Epoch: 2}, false},
	} {
		if u := h.update(test.pos, own); (u.From == wire.Position{}) != test.whole || !test.whole && u.From != test.pos {
			t.Errorf("from %+v: the answer starts from %+v, whole map: want %v", test.pos, u.From, test.whole)
		}
	}
}

// threePeers is a hub with the coordinator and two peers in the root.
func threePeers(t testing.TB) (*hub, *network.Peer) {
	t.Helper()
	src := commandtest.New(1)
	book, change, err := network.New("home", prefix("10.42.0.0/16"), "hub", src.Key())
	if err != nil {
		t.Fatal(err)
	}
	tail := []network.Change{change}
	for _, name := range []string{"ann", "bob"} {
		for range 2 {
			var cmd network.Command = network.Invite{Name: name, CIDR: "home", Key: src.Key(), Expires: start.Add(time.Hour)}
			if p, ok := book.PeerNamed(name); ok {
				cmd = network.Redeem{Address: p.Address, Invited: p.Invited.Key, Key: src.Key()}
			}
			if book, change, err = book.Apply(start, cmd); err != nil {
				t.Fatal(err)
			}
			tail = append(tail, change)
		}
	}
	return newHub(book, tail, 1), book.Coordinator()
}

func TestTailWithAGapIsUsedFromTheGapOn(t *testing.T) {
	h, _ := threePeers(t)
	tail := slices.Delete(slices.Clone(h.tail), 1, 2)
	cut := newHub(h.book, tail, 1)
	for revision, known := range map[uint64]bool{0: false, 1: false, 2: true, 4: true, 5: true, 6: false} {
		if _, ok := cut.since(wire.Position{Revision: revision, Epoch: 1}); ok != known {
			t.Errorf("changes since %d are known: %v, want %v", revision, ok, known)
		}
	}
	if stale := newHub(h.book, h.tail[:3], 1); len(stale.tail) > 0 {
		t.Error("a tail that ends before the book is used")
	}
}

// TestAudience: who is nudged for a change is who gets more than an empty
// delta of it.
func TestAudience(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	m := newHubModel(t, seed, "10.42.0.0/16")
	for range 400 {
		m.command()
		m.now = m.now.Add(time.Second)
		last := m.durable[len(m.durable)-1]
		told := map[netip.Addr]bool{}
		for a := range m.concerned(last) {
			told[a] = true
		}
		for i := range m.book.Peers() {
			p := &m.book.Peers()[i]
			hears := isActive(p) && len(network.Touched([]network.Change{last}, p.Address)) > 0
			if hears != told[p.Address] {
				t.Fatalf("seed %d: %s is told of %+v: %v, want %v", seed, p.Address, last, told[p.Address], hears)
			}
			if !isActive(p) {
				continue
			}
			watchers := slices.Collect(m.watchers(p.Address))
			for j := range m.book.Peers() {
				q := &m.book.Peers()[j]
				if sees := isActive(q) && m.sees(q, p.Address); p != q && sees != slices.Contains(watchers, q.Address) {
					t.Fatalf("seed %d: %s watches %s: %v, want %v", seed, q.Address, p.Address, !sees, sees)
				}
			}
		}
	}
}
