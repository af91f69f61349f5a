package coordinator

import (
	"iter"
	"net/netip"
	"slices"
	"sort"

	"ginnel/network"
	"ginnel/wire"
)

// located is where a peer is reached, as far as it and its tunnel say.
type located struct {
	wire.Endpoints        // Announced as the peer reported it: ports alone among them
	seq            uint64 // of the latest news of it
}

// endpointsOf is where the peer at a is reached, as others are told. Where the
// coordinator itself is found from outside the book says.
func (h *hub) endpointsOf(a netip.Addr) wire.Endpoints {
	e := h.endpoints[a].Endpoints
	if h.isOwn(a) {
		e.Announced = h.book.Endpoints()
		return e
	}
	e.Announced = filledIn(e.Announced, e.Seen.Addr())
	return e
}

// filledIn gives the ports that stand alone the address at which the peer is
// seen. They follow it, and are left out until it is known.
func filledIn(announced []string, seen netip.Addr) []string {
	var list []string
	for _, s := range announced {
		host, port, err := wire.SplitAnnounced(s)
		if err == nil && host == "" {
			s = netip.AddrPortFrom(seen, port).String()
		}
		if err == nil && (host != "" || seen.IsValid()) && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// news is that a peer had other endpoints from then on. Of one peer only the
// latest counts.
type news struct {
	seq uint64
	of  netip.Addr
}

// counts tells whether n is the latest news of a peer that is in the book.
func (h *hub) counts(n news) bool { return h.endpoints[n.of].seq == n.seq }

// setEndpoints records where the peer at a is reached and tells whether that
// is news.
func (h *hub) setEndpoints(a netip.Addr, e wire.Endpoints) bool {
	old := h.endpoints[a]
	if old.Seen == e.Seen && slices.Equal(old.Candidates, e.Candidates) && slices.Equal(old.Announced, e.Announced) {
		return false
	}
	h.seq++
	h.endpoints[a] = located{e, h.seq}
	h.news = append(h.news, news{h.seq, a})
	if len(h.news) > 2*len(h.endpoints) {
		h.news = slices.DeleteFunc(h.news, func(n news) bool { return !h.counts(n) })
	}
	return true
}

// patches are the endpoint news for p since pos, of members outside ranges.
func (h *hub) patches(pos wire.Position, p *network.Peer, ranges []netip.Prefix) []wire.Patch {
	var patches []wire.Patch
	for _, n := range h.newsSince(pos) {
		if h.counts(n) && !within(ranges, n.of) && h.sees(p, n.of) {
			patches = append(patches, wire.Patch{Address: n.of, Endpoints: h.endpointsOf(n.of)})
		}
	}
	return patches
}

// newsSince returns the news after pos: all of them when it is of another
// epoch, or ahead of this one.
func (h *hub) newsSince(pos wire.Position) []news {
	if pos.Epoch != h.epoch || pos.Seq > h.seq {
		return h.news
	}
	return h.news[sort.Search(len(h.news), func(i int) bool { return h.news[i].seq > pos.Seq }):]
}

// watchers yields the active peers that see any of those at the addresses, some
// perhaps twice, and perhaps those themselves.
func (h *hub) watchers(of ...netip.Addr) iter.Seq[netip.Addr] {
	ranges := h.rangesOfWatchers(of)
	return func(yield func(netip.Addr) bool) {
		for r := range ranges {
			for a := range activeIn(h.book, r) {
				if !yield(a) {
					return
				}
			}
		}
	}
}

// rangesOfWatchers looks once at each CIDR: after a restart there is news of
// everybody at once, and all that belong to one CIDR are seen by the same.
func (h *hub) rangesOfWatchers(of []netip.Addr) map[netip.Prefix]bool {
	ranges, seen := map[netip.Prefix]bool{}, map[netip.Prefix]bool{}
	for _, a := range of {
		p, ok := h.book.Peer(a)
		if !ok || p.Disabled {
			continue
		}
		if p.IsInvited() {
			own := h.book.Coordinator().Address
			ranges[netip.PrefixFrom(own, own.BitLen())] = true
			continue
		}
		cidr := h.book.CIDROf(a).Prefix
		if seen[cidr] {
			continue
		}
		seen[cidr] = true
		for _, r := range h.book.VisibleRanges(a) {
			ranges[r] = true
		}
	}
	return ranges
}
