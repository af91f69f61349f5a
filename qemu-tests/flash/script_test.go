package flash

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"ginnel/key"
	"ginnel/network"
	"ginnel/wire"
)

// The network of these tests.
const (
	networkName     = "home"
	coordinatorName = "hub"
)

var root = netip.MustParsePrefix("10.42.0.0/16")

// newBook is the book of a new network, with keys that stand for those that
// the machine makes up.
func newBook() *network.Book {
	book, _, err := network.New(networkName, root, coordinatorName, standIn(0))
	if err != nil {
		panic(err)
	}
	return book
}

// standIn is a key that no other n has.
func standIn(n uint64) key.PublicKey {
	var b [key.Size]byte
	for i := range 8 {
		b[1+i] = byte(n >> (8 * i))
	}
	return key.NewPrivate(b).Public()
}

// step draws the next command that book accepts, and applies it. Host and guest
// draw the same from the same seed and books that differ in keys alone.
func step(r *rand.Rand, book *network.Book) (network.Command, *network.Book, network.Change) {
	for {
		cmd := draw(r, book)
		next, change, err := book.Apply(time.Now(), cmd)
		if err == nil && change.Revision != 0 {
			return cmd, next, change
		}
	}
}

// draw draws a command such as admins give. As many take away as add, so the
// book stays small, and the flash sees pages come and go.
func draw(r *rand.Rand, book *network.Book) network.Command {
	cidr := pick(r, book.CIDRs()).Name
	peer := pick(r, book.Peers()).Name
	fresh := fmt.Sprint(book.Revision())
	switch r.IntN(10) {
	case 0, 1:
		third := byte(r.IntN(256))
		return network.AddCIDR{Name: "c" + fresh, Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 42, third, 0}), 24), Isolated: r.IntN(4) == 0}
	case 2:
		return network.RenameCIDR{Name: cidr, NewName: "c" + fresh}
	case 3:
		return network.RemoveCIDR{Name: cidr}
	case 4:
		return network.Associate{A: cidr, B: pick(r, book.CIDRs()).Name}
	case 5:
		return network.Dissociate{A: cidr, B: pick(r, book.CIDRs()).Name}
	case 6, 7:
		return network.Invite{
			Name: "p" + fresh, CIDR: cidr, Admin: r.IntN(4) == 0,
			Key: standIn(book.Revision()), Expires: time.Now().Add(14 * 24 * time.Hour),
		}
	case 8:
		return network.RenamePeer{Name: peer, NewName: "p" + fresh}
	}
	return network.RemovePeer{Name: peer, FreeAddress: r.IntN(2) == 0}
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// request is the command as one to the coordinator's API.
func request(cmd network.Command) (method, path string, body any) {
	switch c := cmd.(type) {
	case network.AddCIDR:
		return "POST", wire.PathCIDRs, wire.CIDR{Name: c.Name, Prefix: c.Prefix, Isolated: c.Isolated}
	case network.RenameCIDR:
		return "PATCH", wire.PathCIDRs + "/" + c.Name, wire.Rename{Name: c.NewName}
	case network.RemoveCIDR:
		return "DELETE", wire.PathCIDRs + "/" + c.Name, nil
	case network.Associate:
		return "POST", wire.PathAssociations, wire.Association{c.A, c.B}
	case network.Dissociate:
		return "DELETE", wire.PathAssociations + "/" + c.A + "/" + c.B, nil
	case network.Invite:
		return "POST", wire.PathInvitations, wire.InvitationRequest{Name: c.Name, CIDR: c.CIDR, Admin: c.Admin, ExpiresIn: 14 * 24 * 3600}
	case network.RenamePeer:
		return "PATCH", wire.PathPeers + "/" + c.Name, wire.PeerPatch{Name: &c.NewName}
	case network.RemovePeer:
		path := wire.PathPeers + "/" + c.Name
		if c.FreeAddress {
			path += "?free_address=1"
		}
		return "DELETE", path, nil
	}
	panic(fmt.Sprintf("no such command %T", cmd))
}

// facts are all that a book says, but for keys and times, in lines.
func facts(book *network.Book) []string {
	s := book.Snapshot()
	lines := []string{fmt.Sprintf("network %s revision %d coordinator %s", s.Name, s.Revision, s.Coordinator)}
	for _, c := range s.CIDRs {
		lines = append(lines, fmt.Sprintf("cidr %s %s isolated=%v", c.Name, c.Prefix, c.Isolated))
	}
	for i := range s.Peers {
		p := &s.Peers[i]
		lines = append(lines, fmt.Sprintf("peer %s %s invited=%v admin=%v disabled=%v", p.Name, p.Address, p.IsInvited(), p.Admin, p.Disabled))
	}
	for _, a := range s.Associations {
		lines = append(lines, fmt.Sprintf("association %s %s", a.A, a.B))
	}
	for _, a := range s.Retired {
		lines = append(lines, fmt.Sprintf("retired %s", a))
	}
	slices.Sort(lines)
	return lines
}
