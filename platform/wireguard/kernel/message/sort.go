package message

import (
	"encoding/binary"
	"net/netip"
	"sort"

	"ginnel/platform"
)

// sorter sorts peers by key without moving them more than once: they are large.
// The kernel tells of peers in the order in which they were added, so that one
// dump's order is most often the next one's, too: it is tried first, and then
// sorting is a comparison for each peer. That takes 16 bytes of memory for each.
//
// It is for sort.Sort, which unlike slices.SortFunc is compiled once, not for
// each type.
type sorter struct {
	places []place // in the order of the keys
	peers  []platform.Peer
}

// place is where a peer is to be found.
type place struct {
	key   uint64 // how its key begins
	index uint32 // of the peer, before peers are moved
}

func (s *sorter) Len() int      { return len(s.places) }
func (s *sorter) Swap(i, j int) { s.places[i], s.places[j] = s.places[j], s.places[i] }
func (s *sorter) Less(i, j int) bool {
	a, b := &s.places[i], &s.places[j]
	if a.key != b.key {
		return a.key < b.key
	}
	return s.peers[a.index].PublicKey.Compare(s.peers[b.index].PublicKey) < 0
}

// sort sorts peers, and remembers how.
func (s *sorter) sort(peers []platform.Peer) {
	if len(s.places) > len(peers) {
		s.places = s.places[:0] // some have gone, who knows where
	}
	for i := len(s.places); i < len(peers); i++ {
		s.places = append(s.places, place{index: uint32(i)})
	}
	for i := range s.places {
		p := &s.places[i]
		p.key = binary.BigEndian.Uint64(peers[p.index].PublicKey[:])
	}
	s.peers = peers
	sort.Sort(s) // notices at once when they are sorted
	s.move()
	s.peers = nil
}

// moved marks a place that was filled.
const moved = 1 << 31

// move moves every peer to its place: along the cycles of which a permutation
// consists.
func (s *sorter) move() {
	for start := range s.places {
		if s.places[start].index&moved != 0 {
			continue
		}
		first, to := s.peers[start], start
		for {
			from := int(s.places[to].index)
			s.places[to].index |= moved
			if from == start {
				break
			}
			s.peers[to], to = s.peers[from], from
		}
		s.peers[to] = first
	}
	for i := range s.places {
		s.places[i].index &^= moved
	}
}

// compact keeps the first of peers, sorted, with the same key.
func compact(peers []platform.Peer) []platform.Peer {
	n := 0
	for i := range peers {
		if i > 0 && peers[i].PublicKey == peers[n-1].PublicKey {
			continue
		}
		if n != i {
			peers[n] = peers[i]
		}
		n++
	}
	return peers[:n]
}

// byPrefix is for sort.Sort.
type byPrefix []netip.Prefix

func (s *byPrefix) Len() int           { return len(*s) }
func (s *byPrefix) Less(i, j int) bool { return less(&(*s)[i], &(*s)[j]) }
func (s *byPrefix) Swap(i, j int)      { (*s)[i], (*s)[j] = (*s)[j], (*s)[i] }

// sorted tells whether there is nothing to do.
func (s *byPrefix) sorted() bool {
	for i := 1; i < len(*s); i++ {
		if less(&(*s)[i], &(*s)[i-1]) {
			return false
		}
	}
	return true
}

// less is the order of netip.Prefix.Compare, for prefixes that are masked.
func less(a, b *netip.Prefix) bool {
	if c := a.Addr().BitLen() - b.Addr().BitLen(); c != 0 {
		return c < 0
	}
	if a.Bits() != b.Bits() && a.Addr() == b.Addr() {
		return a.Bits() < b.Bits()
	}
	return a.Addr().Less(b.Addr())
}
