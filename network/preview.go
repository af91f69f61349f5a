package network

import (
	"net/netip"
	"slices"
	"sort"
	"time"
)

// Pairs are peers that would see each other from now on, or no more.
type Pairs struct {
	Count int // of all of them: there can be as many as peers squared
	// Names are those of the first pairs, sorted within and among each other.
	Names [][2]string
}

// Regrouping is a command on ranges that changes who sees whom: AddCIDR,
// Associate or Dissociate.
type Regrouping interface {
	Command
	// side returns a range that one of each pair is in whose sight of each
	// other may change. The book accepts the command.
	side(b *Book) netip.Prefix
}

func (c AddCIDR) side(*Book) netip.Prefix      { return c.Prefix }
func (c Associate) side(b *Book) netip.Prefix  { return b.sideOf(c.A, c.B) }
func (c Dissociate) side(b *Book) netip.Prefix { return b.sideOf(c.A, c.B) }

func (b *Book) sideOf(x, y string) netip.Prefix {
	as, _, _ := b.association(x, y) // the book accepts them
	return as.A
}

// Preview returns who would gain and who would lose sight of whom by cmd:
// active peers, each pair once, at most so many by name. Its errors are
// Apply's.
func (b *Book) Preview(cmd Regrouping, most int) (gained, lost Pairs, err error) {
	next, _, err := b.Apply(time.Time{}, cmd) // none of these looks at the time
	if err != nil {
		return Pairs{}, Pairs{}, err
	}
	side := cmd.side(b)
	return b.newPairs(next, side, most), next.newPairs(b, side, most), nil
}

// newPairs returns the active peers that do not see each other in b and do in
// next, one of each pair in side.
func (b *Book) newPairs(next *Book, side netip.Prefix, most int) Pairs {
	var out Pairs
	for _, here := range alike(b, next, side) {
		there := subtract(next.VisibleRanges(here.Addr()), b.VisibleRanges(here.Addr()))
		if len(there) == 0 {
			continue
		}
		out.addAll(b.activeIn(here), b.activeIn(intersect(there, []netip.Prefix{side})...),
			namesOf(b.activeIn(subtract(there, []netip.Prefix{side})...)), most)
	}
	sort.Slice(out.Names, func(i, j int) bool { return slices.Compare(out.Names[i][:], out.Names[j][:]) < 0 })
	return out
}

// alike splits side into ranges each of which belongs to one CIDR in b and in
// next: all addresses of one see the same.
func alike(b, next *Book, side netip.Prefix) []netip.Prefix {
	finer := b
	if len(next.s.CIDRs) > len(b.s.CIDRs) {
		finer = next
	}
	var ranges []netip.Prefix
	for i, c := range finer.s.CIDRs {
		if covers(side, c.Prefix) {
			ranges = append(ranges, finer.direct(i)...)
		}
	}
	return ranges
}

// addAll adds the pairs of every peer here with those inside the side that come
// after it, whose turn it is not to find it too, and with those outside.
func (p *Pairs) addAll(here, inside []Peer, outside []string, most int) {
	names := namesOf(inside)
	for i := range here {
		after := sort.Search(len(inside), func(j int) bool { return here[i].Address.Less(inside[j].Address) })
		p.add(here[i].Name, names[after:], most)
		p.add(here[i].Name, outside, most)
	}
}

func (p *Pairs) add(name string, others []string, most int) {
	p.Count += len(others)
	for _, other := range others[:min(len(others), most-len(p.Names))] {
		p.Names = append(p.Names, [2]string{min(name, other), max(name, other)})
	}
}

// activeIn returns the active peers in disjoint ranges, which are sorted.
func (b *Book) activeIn(ranges ...netip.Prefix) []Peer {
	var peers []Peer
	for _, r := range ranges {
		for _, p := range b.peersIn(r) {
			if p.active() {
				peers = append(peers, p)
			}
		}
	}
	return peers
}

func namesOf(peers []Peer) []string {
	names := make([]string, len(peers))
	for i := range peers {
		names[i] = peers[i].Name
	}
	return names
}
