// Package commandtest draws random commands for tests: every kind of them,
// most of which a book accepts.
package commandtest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"ginnel/key"
	"ginnel/network"
)

// Source draws commands. Its Rand makes it repeatable: tests print the seed.
type Source struct {
	*rand.Rand
	named   int
	private map[key.PublicKey]key.PrivateKey
}

// New makes a Source that draws the same commands for the same seed.
func New(seed uint64) *Source {
	return &Source{Rand: rand.New(rand.NewPCG(seed, 1)), private: map[key.PublicKey]key.PrivateKey{}}
}

// PrivateKey draws a private key.
func (s *Source) PrivateKey() key.PrivateKey {
	var b [key.Size]byte
	for i := range b {
		b[i] = byte(s.Uint32())
	}
	return key.NewPrivate(b)
}

// Key draws a public key.
func (s *Source) Key() key.PublicKey {
	private := s.PrivateKey()
	public := private.Public()
	s.private[public] = private
	return public
}

// Holder returns the private half of what Key drew.
func (s *Source) Holder(k key.PublicKey) key.PrivateKey { return s.private[k] }

// Next draws a command for b at a time. It may be one that b refuses.
func (s *Source) Next(b *network.Book, now time.Time) network.Command {
	peer, cidr, other := s.peer(b), s.cidr(b), s.cidr(b)
	switch s.IntN(22) {
	case 0, 1:
		return network.AddCIDR{Name: s.name("c"), Prefix: s.inside(cidr), Isolated: s.IntN(4) == 0}
	case 2:
		return network.RenameCIDR{Name: cidr.Name, NewName: s.name("c")}
	case 3:
		return network.RemoveCIDR{Name: cidr.Name}
	case 4, 5:
		return network.Associate{A: cidr.Name, B: other.Name}
	case 6:
		if as := b.Associations(); len(as) > 0 {
			a := as[s.IntN(len(as))]
			return network.Dissociate{A: nameOf(b, a.B), B: nameOf(b, a.A)}
		}
		return network.Dissociate{A: cidr.Name, B: other.Name}
	case 7, 8, 9, 10:
		return network.Invite{
			Name: s.name("p"), CIDR: cidr.Name, Admin: s.IntN(8) == 0, Key: s.Key(),
			Expires: now.Add(time.Duration(1+s.IntN(100)) * time.Second),
		}
	case 11, 12, 13, 14:
		p := s.invitee(b)
		return network.Redeem{Address: p.Address, Invited: p.Invited.Key, Key: s.Key()}
	case 15:
		if s.IntN(2) == 0 {
			return network.Redate{Keys: []key.PublicKey{s.invitee(b).Invited.Key}, By: time.Duration(s.IntN(100)) * time.Second}
		}
		return network.Expire{}
	case 16:
		return network.RenamePeer{Name: peer.Name, NewName: s.name("p")}
	case 17, 18:
		return network.SetDisabled{Name: peer.Name, Disabled: !peer.Disabled}
	case 19:
		return network.SetEndpoints{Endpoints: []string{s.name("vpn") + ".example:51820"}}
	case 20:
		return network.Reinvite{Name: s.invitee(b).Name, Key: s.Key(), Expires: now.Add(time.Duration(1+s.IntN(100)) * time.Second)}
	}
	if s.IntN(2) == 0 {
		return network.SetAdmin{Name: peer.Name, Admin: !peer.Admin}
	}
	if retired := b.Retired(); len(retired) > 0 && s.IntN(3) == 0 {
		return network.FreeAddress{Address: retired[s.IntN(len(retired))]}
	}
	return network.RemovePeer{Name: peer.Name, FreeAddress: s.IntN(2) == 0}
}

func (s *Source) name(kind string) string {
	s.named++
	return fmt.Sprintf("%s%d", kind, s.named)
}

func (s *Source) peer(b *network.Book) network.Peer { return b.Peers()[s.IntN(len(b.Peers()))] }

func (s *Source) cidr(b *network.Book) network.CIDR { return b.CIDRs()[s.IntN(len(b.CIDRs()))] }

// invitee draws a peer with an open invitation, or some other when there is
// none.
func (s *Source) invitee(b *network.Book) network.Peer {
	var open []network.Peer
	for _, p := range b.Peers() {
		if p.IsInvited() {
			open = append(open, p)
		}
	}
	if len(open) == 0 {
		return s.peer(b)
	}
	return open[s.IntN(len(open))]
}

// inside draws a range of 1/4 to 1/16 of c.
func (s *Source) inside(c network.CIDR) netip.Prefix {
	a := c.Prefix.Addr().AsSlice()
	for i := c.Prefix.Bits(); i < len(a)*8; i++ {
		if s.IntN(2) == 0 {
			a[i/8] |= 0x80 >> (i % 8)
		}
	}
	addr, _ := netip.AddrFromSlice(a)
	bits := min(c.Prefix.Bits()+2+s.IntN(3), addr.BitLen())
	return netip.PrefixFrom(addr, bits).Masked()
}

func nameOf(b *network.Book, p netip.Prefix) string {
	for _, c := range b.CIDRs() {
		if c.Prefix == p {
			return c.Name
		}
	}
	return ""
}
