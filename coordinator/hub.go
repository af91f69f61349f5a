package coordinator

import (
	"iter"
	"net/netip"
	"slices"
	"sort"
	"time"

	"ginnel/coordinator/store"
	"ginnel/key"
	"ginnel/network"
	"ginnel/wire"
)

// ringSize is how many endpoint news the hub remembers. Who missed more is
// told the endpoints of everybody it may see.
const ringSize = 4096

// hub knows what each peer is to be told. It is pure: its owner guards it and
// passes the time.
type hub struct {
	book *network.Book
	// tail are the last durable changes with their Parts alone, of
	// consecutive revisions, the last one the book's.
	tail []network.Change

	epoch uint64       // never zero
	seq   uint64       // of the latest endpoint news; 0: none in this epoch
	ring  []netip.Addr // news s is at s modulo its length
	// endpoints has an entry, possibly a zero one, for every peer that ever
	// had news in this epoch and is still in the book.
	endpoints  map[netip.Addr]wire.Endpoints
	handshakes map[netip.Addr]time.Time
	holds      map[netip.Addr]*hold
}

// hold keeps a redeemed peer's temporary key in the coordinator's own map.
type hold struct {
	key      key.PublicKey // the temporary one
	change   network.Change
	began    time.Time
	until    time.Time // released then at the latest
	awaiting int       // responses that are still on their way
}

// newHub starts an epoch. tail are the last changes of book, oldest first; of
// a tail with a gap only what follows it is used.
func newHub(book *network.Book, tail []network.Change, epoch uint64) *hub {
	first := len(tail)
	for want := book.Revision(); first > 0 && tail[first-1].Revision == want; want-- {
		first--
	}
	return &hub{
		book: book, tail: slices.Clone(tail[first:]),
		epoch: max(epoch, 1), ring: make([]netip.Addr, ringSize),
		endpoints:  map[netip.Addr]wire.Endpoints{},
		handshakes: map[netip.Addr]time.Time{},
		holds:      map[netip.Addr]*hold{},
	}
}

// adopt makes book, which change led to, the current one.
func (h *hub) adopt(book *network.Book, change network.Change) {
	h.book = book
	h.tail = append(h.tail, network.Change{Revision: change.Revision, Parts: change.Parts})
	if extra := len(h.tail) - store.TailLength; extra > 0 {
		h.tail = h.tail[extra:]
	}
	for _, p := range change.Delete.Peers {
		delete(h.endpoints, p.Address)
		delete(h.handshakes, p.Address)
		delete(h.holds, p.Address)
	}
}

// setEndpoints records where the peer at a is reached and tells whether that
// is news.
func (h *hub) setEndpoints(a netip.Addr, e wire.Endpoints) bool {
	old := h.endpoints[a]
	if old.Seen == e.Seen && slices.Equal(old.Candidates, e.Candidates) {
		return false
	}
	h.endpoints[a] = e
	h.seq++
	h.ring[h.seq%uint64(len(h.ring))] = a
	return true
}

// update takes p's map from pos to the current position.
func (h *hub) update(pos wire.Position, p *network.Peer) *wire.Update {
	u := &wire.Update{
		Position: h.position(p), Network: h.book.Name(), Root: h.book.Root(),
		Self: h.member(p, p),
	}
	changes, ok := h.since(pos.Revision)
	if !ok {
		u.Ranges = []netip.Prefix{h.book.Root()}
		u.Members = h.members(p, nil)
		return u
	}
	u.From = pos
	if u.Ranges = network.Touched(changes, p.Address); len(u.Ranges) > 0 {
		u.Members = h.members(p, u.Ranges)
	}
	u.Patches = h.patches(pos, p, u.Ranges)
	return u
}

// position is where p stands after an update. While something is held back
// from the coordinator's own map it stays before that.
func (h *hub) position(p *network.Peer) wire.Position {
	pos := wire.Position{Revision: h.book.Revision(), Epoch: h.epoch, Seq: h.seq}
	if h.isOwn(p.Address) {
		for _, held := range h.holds {
			pos.Revision = min(pos.Revision, held.change.Revision-1)
		}
	}
	return pos
}

// since returns the changes after revision, and false when they are not, or
// not all, known.
func (h *hub) since(revision uint64) ([]network.Change, bool) {
	current := h.book.Revision()
	if revision == 0 || revision > current || current-revision > uint64(len(h.tail)) {
		return nil, false
	}
	return h.tail[uint64(len(h.tail))-(current-revision):], true
}

// members are the peers that p may see within ranges; nil: everywhere.
func (h *hub) members(p *network.Peer, ranges []netip.Prefix) []wire.Member {
	view := h.book.View(p.Address, ranges)
	members := make([]wire.Member, len(view))
	for i := range view {
		members[i] = h.member(p, &view[i])
	}
	return members
}

// member is q as p sees it.
func (h *hub) member(p, q *network.Peer) wire.Member {
	m := describe(h.book, q)
	m.Endpoints = h.endpoints[q.Address]
	if held := h.holds[q.Address]; held != nil && h.isOwn(p.Address) {
		m.Role, m.PublicKey = wire.RoleInvitee, held.key
	}
	return m
}

// patches are the endpoint news for p since pos, of members outside ranges.
func (h *hub) patches(pos wire.Position, p *network.Peer, ranges []netip.Prefix) []wire.Patch {
	var patches []wire.Patch
	for a := range h.newsSince(pos, p) {
		if !within(ranges, a) {
			patches = append(patches, wire.Patch{Address: a, Endpoints: h.endpoints[a]})
		}
	}
	return patches
}

// newsSince yields, once each, the members p may see that had news since pos,
// or all with known endpoints when the ring does not reach back to pos.
func (h *hub) newsSince(pos wire.Position, p *network.Peer) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		if pos.Epoch != h.epoch || pos.Seq > h.seq || h.seq-pos.Seq > uint64(len(h.ring)) {
			for _, q := range h.book.View(p.Address, nil) {
				if _, known := h.endpoints[q.Address]; known && !yield(q.Address) {
					return
				}
			}
			return
		}
		told := map[netip.Addr]bool{}
		for s := pos.Seq + 1; s <= h.seq; s++ {
			a := h.ring[s%uint64(len(h.ring))]
			if told[a] || !h.sees(p, a) {
				continue
			}
			told[a] = true
			if !yield(a) {
				return
			}
		}
	}
}

// sees tells whether the peer at a is in p's map.
func (h *hub) sees(p *network.Peer, a netip.Addr) bool {
	q, ok := h.book.Peer(a)
	return ok && a != p.Address && !q.Disabled && (!q.IsInvited() || h.isOwn(p.Address)) &&
		h.book.Sees(p.Address, a)
}

// isOwn tells whether a is the coordinator itself.
func (h *hub) isOwn(a netip.Addr) bool { return a == h.book.Coordinator().Address }

// concerned yields the active peers whose map change is about, some perhaps
// twice.
func (h *hub) concerned(change network.Change) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for _, part := range change.Parts {
			for a := range activeIn(h.book, part.Audience) {
				if !yield(a) {
					return
				}
			}
		}
	}
}

// witnesses yields the active peers that see the peer at a.
func (h *hub) witnesses(a netip.Addr) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		q, ok := h.book.Peer(a)
		if !ok || q.Disabled {
			return
		}
		if q.IsInvited() {
			yield(h.book.Coordinator().Address)
			return
		}
		for _, r := range h.book.VisibleRanges(a) {
			for w := range activeIn(h.book, r) {
				if w != a && !yield(w) {
					return
				}
			}
		}
	}
}

// activeIn yields the peers in r that are neither disabled nor only invited.
func activeIn(b *network.Book, r netip.Prefix) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		peers := b.Peers()
		first := r.Masked().Addr()
		i := sort.Search(len(peers), func(i int) bool { return !peers[i].Address.Less(first) })
		for ; i < len(peers) && r.Contains(peers[i].Address); i++ {
			if isActive(&peers[i]) && !yield(peers[i].Address) {
				return
			}
		}
	}
}

func isActive(p *network.Peer) bool { return !p.Disabled && !p.IsInvited() }

func within(ranges []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(ranges, func(r netip.Prefix) bool { return r.Contains(a) })
}
