package network

import (
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"time"

	"ginnel/key"
)

// Book is one network at one revision. It never changes, so any number of
// goroutines may read it; what it returns is part of it and must not be
// changed either. Get one from [New] or [Load], the next from [Book.Apply].
type Book struct {
	s  Snapshot
	up []int // of each CIDR the index of its parent; -1 for the root, which is first
}

// FirstRevision is that of a book that no command has changed yet.
const FirstRevision = 1

// New makes the book of a new network, at [FirstRevision], with the Change that
// writes down all of it: the root CIDR, called as the network; infra; and the
// coordinator's own peer, an admin, at the root's first assignable address.
// Root is masked, has two assignable addresses at least (/31, /127 or larger)
// and no loopback, link-local, multicast or unspecified ones. The endpoints,
// perhaps none yet, are where the coordinator is found. Errors are [*Refusal]s.
func New(name string, root netip.Prefix, coordinatorName string, k key.PublicKey, endpoints ...string) (*Book, Change, error) {
	if err := CheckNetworkName(name); err != nil {
		return nil, Change{}, err
	}
	if err := CheckRoot(root); err != nil {
		return nil, Change{}, err
	}
	if err := CheckName(coordinatorName); err != nil {
		return nil, Change{}, err
	}
	if err := k.Check(); err != nil {
		return nil, Change{}, refuse(Weak, "the coordinator's %v", err)
	}
	if err := checkNewEndpoints(root, endpoints); err != nil {
		return nil, Change{}, err
	}
	self := FirstAssignable(root)
	s := Snapshot{Name: name, Revision: FirstRevision, Coordinator: self, Records: Records{
		CIDRs: []CIDR{{Name: name, Prefix: root}, {Name: InfraName, Prefix: host(self)}},
		Peers: []Peer{{Address: self, Name: coordinatorName, Key: k, Admin: true}},

		Endpoints: slices.Clone(endpoints),
	}}
	return newBook(s), Change{Revision: FirstRevision, Put: s.Records}, nil
}

func newBook(s Snapshot) *Book { return &Book{s: s, up: parents(s.CIDRs)} }

// parents finds each CIDR's parent: the nearest one before it that covers it.
func parents(cidrs []CIDR) []int {
	up := make([]int, len(cidrs))
	for i := range cidrs {
		p := i - 1
		for p >= 0 && !covers(cidrs[p].Prefix, cidrs[i].Prefix) {
			p = up[p]
		}
		up[i] = p
	}
	return up
}

// Snapshot returns the whole book as plain data, which is shared with it.
func (b *Book) Snapshot() Snapshot { return b.s }

// Name returns the network's name.
func (b *Book) Name() string { return b.s.Name }

// Revision returns the number of accepted commands, at least 1.
func (b *Book) Revision() uint64 { return b.s.Revision }

// Root returns the range of the whole network.
func (b *Book) Root() netip.Prefix { return b.s.CIDRs[0].Prefix }

// Coordinator returns the coordinator's own peer.
func (b *Book) Coordinator() *Peer {
	p, _ := b.Peer(b.s.Coordinator)
	return p
}

// Peers returns all peers, sorted by address; invited and disabled ones too.
func (b *Book) Peers() []Peer { return b.s.Peers }

// Peer returns the peer at an address, in any state.
func (b *Book) Peer(a netip.Addr) (*Peer, bool) {
	i, ok := b.searchPeer(a)
	if !ok {
		return nil, false
	}
	return &b.s.Peers[i], true
}

// searchPeer returns where the peer at an address is, or belongs.
func (b *Book) searchPeer(a netip.Addr) (int, bool) {
	return sort.Find(len(b.s.Peers), func(i int) int { return a.Compare(b.s.Peers[i].Address) })
}

// PeerNamed returns the peer with a name, in any state. It reads all peers.
func (b *Book) PeerNamed(name string) (*Peer, bool) {
	for i := range b.s.Peers {
		if b.s.Peers[i].Name == name {
			return &b.s.Peers[i], true
		}
	}
	return nil, false
}

// peersIn returns the peers whose addresses are in p.
func (b *Book) peersIn(p netip.Prefix) []Peer {
	i, _ := b.searchPeer(p.Addr())
	rest := b.s.Peers[i:]
	return rest[:sort.Search(len(rest), func(j int) bool { return !p.Contains(rest[j].Address) })]
}

// CIDRs returns all CIDRs, sorted by prefix, so that each comes before those
// within it; the root is the first.
func (b *Book) CIDRs() []CIDR { return b.s.CIDRs }

// CIDRNamed returns the CIDR with a name. It reads all CIDRs.
func (b *Book) CIDRNamed(name string) (*CIDR, bool) {
	i := b.cidrNamed(name)
	if i < 0 {
		return nil, false
	}
	return &b.s.CIDRs[i], true
}

// CIDROf returns the CIDR that a peer at a belongs to: the smallest one that
// contains a. It is nil outside the root.
func (b *Book) CIDROf(a netip.Addr) *CIDR {
	i := b.cidrOf(a)
	if i < 0 {
		return nil
	}
	return &b.s.CIDRs[i]
}

// Parent returns the smallest CIDR around c; nil for the root, and for a CIDR
// that is not in the book.
func (b *Book) Parent(c *CIDR) *CIDR {
	i, ok := b.searchPrefix(c.Prefix)
	if !ok || b.up[i] < 0 {
		return nil
	}
	return &b.s.CIDRs[b.up[i]]
}

// Associations returns all associations, sorted by A, then B.
func (b *Book) Associations() []Association { return b.s.Associations }

// Retired returns the addresses of removed peers that are not given out, sorted.
func (b *Book) Retired() []netip.Addr { return b.s.Retired }

// Endpoints returns where the coordinator is found from outside, best first;
// none: nobody has said yet.
func (b *Book) Endpoints() []string { return b.s.Endpoints }

// NextExpiry returns when the next invitation ends; zero: none is open.
func (b *Book) NextExpiry() time.Time {
	var next time.Time
	for i := range b.s.Peers {
		e := b.s.Peers[i].Invited.Expires
		if b.s.Peers[i].IsInvited() && (next.IsZero() || e.Before(next)) {
			next = e
		}
	}
	return next
}

// String returns the CIDR as messages name it: "servers (10.42.1.0/24)".
func (c *CIDR) String() string { return fmt.Sprintf("%s (%v)", c.Name, c.Prefix) }

// searchPrefix returns where the CIDR with a prefix is, or belongs.
func (b *Book) searchPrefix(p netip.Prefix) (int, bool) {
	return sort.Find(len(b.s.CIDRs), func(i int) int { return p.Compare(b.s.CIDRs[i].Prefix) })
}

func (b *Book) cidrNamed(name string) int {
	return slices.IndexFunc(b.s.CIDRs, func(c CIDR) bool { return c.Name == name })
}

// cidrOf returns the index of the smallest CIDR that contains a; -1 outside
// the root. The last one not after a is that CIDR, or lies within it.
func (b *Book) cidrOf(a netip.Addr) int {
	i, found := b.searchPrefix(host(a))
	if !found {
		i--
	}
	for i >= 0 && !b.s.CIDRs[i].Prefix.Contains(a) {
		i = b.up[i]
	}
	return i
}

// children returns the indices of the CIDRs whose parent is the i-th.
func (b *Book) children(i int) []int {
	var in []int
	for j := i + 1; j < len(b.s.CIDRs) && covers(b.s.CIDRs[i].Prefix, b.s.CIDRs[j].Prefix); j++ {
		if b.up[j] == i {
			in = append(in, j)
		}
	}
	return in
}

// direct returns the ranges whose addresses belong to the i-th CIDR itself:
// its prefix without its children.
func (b *Book) direct(i int) []netip.Prefix {
	var holes []netip.Prefix
	for _, j := range b.children(i) {
		holes = append(holes, b.s.CIDRs[j].Prefix)
	}
	return subtract([]netip.Prefix{b.s.CIDRs[i].Prefix}, holes)
}
