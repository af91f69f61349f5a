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

// hub knows what each peer is to be told. It is pure: its owner guards it and
// passes the time.
type hub struct {
	book *network.Book
	// tail are the last durable changes with their Parts alone, of
	// consecutive revisions, the last one the book's.
	tail []network.Change

	epoch uint64 // never zero
	first uint64 // the book's revision when the epoch began
	seq   uint64 // of the latest endpoint news; 0: none in this epoch
	news  []news // sorted by seq; no more than twice as many as count
	// endpoints has an entry, possibly without any, for every peer that ever
	// had news in this epoch and is still in the book.
	endpoints  map[netip.Addr]located
	handshakes map[netip.Addr]handshake
	holds      map[netip.Addr]*hold
}

// handshake is the last one that the coordinator's own tunnel showed of a peer.
type handshake struct {
	shown time.Time // by a clock that may have been set since: compared, no more
	at    time.Time // by the clock that the role goes by, and never in its future
}

// hold keeps a redeemed peer's temporary key in the coordinator's own map.
type hold struct {
	key      key.PublicKey // the temporary one
	change   network.Change
	until    time.Time // released then at the latest, however often it asks again
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
		epoch: max(epoch, 1), first: book.Revision(),
		endpoints:  map[netip.Addr]located{},
		handshakes: map[netip.Addr]handshake{},
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

// update takes p's map from pos to the current position.
func (h *hub) update(pos wire.Position, p *network.Peer) *wire.Update {
	u := &wire.Update{
		Position: h.position(p), Network: h.book.Name(), Root: h.book.Root(),
		Self: h.member(p, p),
	}
	changes, ok := h.since(pos)
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

// current is the latest position there is.
func (h *hub) current() wire.Position {
	return wire.Position{Revision: h.book.Revision(), Epoch: h.epoch, Seq: h.seq}
}

// position is where p stands after an update. While something is held back
// from the coordinator's own map it stays before that.
func (h *hub) position(p *network.Peer) wire.Position {
	pos := h.current()
	if h.isOwn(p.Address) {
		for _, held := range h.holds {
			pos.Revision = min(pos.Revision, held.change.Revision-1)
		}
	}
	return pos
}

// since returns the changes after pos, and false when they are not, or not
// all, known. A position of an earlier epoch that is ahead of where this one
// began is of another book: an older file was put in the place of its own.
func (h *hub) since(pos wire.Position) ([]network.Change, bool) {
	current := h.book.Revision()
	switch {
	case pos.Revision == 0, pos.Revision > current, current-pos.Revision > uint64(len(h.tail)):
		return nil, false
	case pos.Epoch != h.epoch && pos.Revision > h.first:
		return nil, false
	}
	return h.tail[uint64(len(h.tail))-(current-pos.Revision):], true
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
	m.Endpoints = h.endpointsOf(q.Address)
	if held := h.holds[q.Address]; held != nil && h.isOwn(p.Address) {
		m.Role, m.PublicKey = wire.RoleInvitee, held.key
	}
	return m
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
