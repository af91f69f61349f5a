package network

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// Apply carries out a command at a time and returns the next book with the
// change that leads to it. A command that changes nothing is accepted too: the
// book is then b itself and the Change zero. Errors are [*Refusal]s; b is
// returned with them.
func (b *Book) Apply(now time.Time, cmd Command) (*Book, Change, error) {
	e := &edit{Book: *b}
	if err := cmd.apply(e, now); err != nil {
		return b, Change{}, err
	}
	if e.change.Put.empty() && e.change.Delete.empty() {
		return b, Change{}, nil
	}
	e.s.Revision++
	e.change.Revision = e.s.Revision
	return &e.Book, e.change, nil
}

func (r *Records) empty() bool {
	return len(r.CIDRs)+len(r.Peers)+len(r.Associations)+len(r.Retired)+len(r.Endpoints) == 0
}

// edit is a book in the making, with what was done to it. It shares with the
// book before it all records that were not edited; a slice is never written
// to, but replaced by an edited copy.
type edit struct {
	Book
	change Change
}

// tell adds that those in the audience must look again at what is touched. It
// leaves out ranges without peers, so it is called while the peers it is about
// are in the book: after making, before deleting them.
func (e *edit) tell(audience []netip.Prefix, touched ...netip.Prefix) {
	nobody := func(p netip.Prefix) bool { return len(e.peersIn(p)) == 0 }
	touched = slices.DeleteFunc(slices.Clone(touched), nobody)
	for _, a := range audience {
		if nobody(a) {
			continue
		}
		for _, t := range touched {
			e.change.Parts = append(e.change.Parts, Part{Audience: a, Touched: t})
		}
	}
}

// tellCoordinator tells what only the coordinator sees.
func (e *edit) tellCoordinator(touched ...netip.Prefix) {
	e.tell([]netip.Prefix{host(e.s.Coordinator)}, touched...)
}

// tellOf tells p, and those who see it, that its record has news. Of a
// disabled peer nobody hears; it gets its own record when it is enabled.
func (e *edit) tellOf(p Peer) {
	switch {
	case p.Disabled:
	case p.IsInvited():
		e.tellCoordinator(host(p.Address))
	default:
		e.tell(union(append(e.VisibleRanges(p.Address), host(p.Address))), host(p.Address))
	}
}

// tellAll tells p that it sees others now, or no longer.
func (e *edit) tellAll(p Peer) { e.tell([]netip.Prefix{host(p.Address)}, e.Root()) }

func (e *edit) putCIDR(c CIDR) {
	i, found := e.searchPrefix(c.Prefix)
	e.s.CIDRs = with(e.s.CIDRs, c, i, found)
	e.up = parents(e.s.CIDRs)
	e.change.Put.CIDRs = append(e.change.Put.CIDRs, c)
}

func (e *edit) deleteCIDR(c CIDR) {
	i, _ := e.searchPrefix(c.Prefix)
	e.s.CIDRs = without(e.s.CIDRs, i)
	e.up = parents(e.s.CIDRs)
	e.change.Delete.CIDRs = append(e.change.Delete.CIDRs, c)
}

func (e *edit) putPeer(p Peer) {
	i, found := e.searchPeer(p.Address)
	e.s.Peers = with(e.s.Peers, p, i, found)
	e.change.Put.Peers = append(e.change.Put.Peers, p)
}

// deletePeers deletes the peers that gone tells, in one pass.
func (e *edit) deletePeers(gone func(*Peer) bool) {
	kept := make([]Peer, 0, len(e.s.Peers))
	for _, p := range e.s.Peers {
		if gone(&p) {
			e.change.Delete.Peers = append(e.change.Delete.Peers, p)
		} else {
			kept = append(kept, p)
		}
	}
	e.s.Peers = kept
}

func (e *edit) putAssociation(a Association) {
	i, found := e.searchAssociation(a)
	e.s.Associations = with(e.s.Associations, a, i, found)
	e.change.Put.Associations = append(e.change.Put.Associations, a)
}

func (e *edit) deleteAssociation(a Association) {
	i, _ := e.searchAssociation(a)
	e.s.Associations = without(e.s.Associations, i)
	e.change.Delete.Associations = append(e.change.Delete.Associations, a)
}

func (e *edit) retire(a netip.Addr) {
	i, found := e.searchRetired(a)
	e.s.Retired = with(e.s.Retired, a, i, found)
	e.change.Put.Retired = append(e.change.Put.Retired, a)
}

func (e *edit) free(a netip.Addr) {
	i, _ := e.searchRetired(a)
	e.s.Retired = without(e.s.Retired, i)
	e.change.Delete.Retired = append(e.change.Delete.Retired, a)
}

func compareCIDRs(a, b CIDR) int { return a.Prefix.Compare(b.Prefix) }
func comparePeers(a, b Peer) int { return a.Address.Compare(b.Address) }
func compareAssociations(a, b Association) int {
	return cmp.Or(a.A.Compare(b.A), a.B.Compare(b.B))
}

// with returns a copy of the list with x in it at i, in place of what is there
// or before it.
func with[T any](list []T, x T, i int, replace bool) []T {
	out := make([]T, 0, len(list)+1)
	out = append(append(out, list[:i]...), x)
	if replace {
		i++
	}
	return append(out, list[i:]...)
}

// without returns the list without what is at i, and leaves the list itself as
// it is.
func without[T any](list []T, i int) []T { return append(list[:i:i], list[i+1:]...) }
