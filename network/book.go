package network

import (
	"net/netip"
	"time"

	"ginnel/key"
)

// Book is one network at one revision. It never changes; see [Book.Apply].
type Book struct {
	s Snapshot
}

// New makes the book of a new network, at revision 1.
func New(name string, root netip.Prefix, coordinatorName string, k key.PublicKey) (*Book, Change, error) {
	return nil, Change{}, &Refusal{Kind: Invalid, Reason: "not written yet"}
}

// Load makes a book of its records, and checks every rule a book keeps.
func Load(s Snapshot) (*Book, error) { return &Book{s: s}, nil }

// Snapshot returns the book as plain data. It shares memory with the book:
// callers must not change it.
func (b *Book) Snapshot() Snapshot { return b.s }

// Apply carries out a command. Errors are [*Refusal]s.
func (b *Book) Apply(now time.Time, cmd Command) (*Book, Change, error) {
	return b, Change{}, &Refusal{Kind: Invalid, Reason: "not written yet"}
}

// Name returns the network's name.
func (b *Book) Name() string { return b.s.Name }

// Revision returns the number of accepted commands.
func (b *Book) Revision() uint64 { return b.s.Revision }

// Root returns the range of the whole network.
func (b *Book) Root() netip.Prefix { return b.s.CIDRs[0].Prefix }

// Coordinator returns the coordinator's own peer.
func (b *Book) Coordinator() *Peer { return nil }

// Peers returns all peers, sorted by address. It is shared: do not change it.
func (b *Book) Peers() []Peer { return b.s.Peers }

// Peer returns the peer at an address.
func (b *Book) Peer(a netip.Addr) (*Peer, bool) { return nil, false }

// PeerNamed returns the peer with a name.
func (b *Book) PeerNamed(name string) (*Peer, bool) { return nil, false }

// CIDRs returns all CIDRs, sorted by prefix. It is shared: do not change it.
func (b *Book) CIDRs() []CIDR { return b.s.CIDRs }

// CIDRNamed returns the CIDR with a name.
func (b *Book) CIDRNamed(name string) (*CIDR, bool) { return nil, false }

// CIDROf returns the smallest CIDR that contains a; nil outside the root.
func (b *Book) CIDROf(a netip.Addr) *CIDR { return nil }

// Parent returns the CIDR around c; nil for the root.
func (b *Book) Parent(c *CIDR) *CIDR { return nil }

// Associations returns all associations, sorted. It is shared.
func (b *Book) Associations() []Association { return b.s.Associations }

// Sees tells whether peers at p and q may see each other.
func (b *Book) Sees(p, q netip.Addr) bool { return false }

// VisibleRanges returns where p may see peers: masked, sorted, disjoint.
func (b *Book) VisibleRanges(p netip.Addr) []netip.Prefix { return nil }

// View returns what p may see within ranges; nil: everywhere.
func (b *Book) View(p netip.Addr, within []netip.Prefix) []Peer { return nil }

// Preview tells who would gain and lose sight of whom.
func (b *Book) Preview(cmd AddCIDR) (gained, lost [][2]string, err error) { return nil, nil, nil }

// NextExpiry returns when the next invitation ends; zero: none is open.
func (b *Book) NextExpiry() time.Time { return time.Time{} }

// Touched returns what p must look at again after changes. It is never nil.
func Touched(changes []Change, p netip.Addr) []netip.Prefix { return []netip.Prefix{} }

// CheckNetworkName tells what is wrong with a network's name.
func CheckNetworkName(s string) error { return nil }

// CheckName tells what is wrong with a peer's or CIDR's name.
func CheckName(s string) error { return nil }

// FirstAssignable returns the first address of p a peer may have.
func FirstAssignable(p netip.Prefix) netip.Addr { return netip.Addr{} }
