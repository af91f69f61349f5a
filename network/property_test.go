package network_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"ginnel/key"
	"ginnel/network"
)

// TestRandomCommands drives books and models with random commands, most of
// them sensible, and compares them after each. GINNEL_SEED repeats one run.
func TestRandomCommands(t *testing.T) {
	seeds := []uint64{rand.Uint64(), 1, 2, 3}
	if s := os.Getenv("GINNEL_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seeds = []uint64{seed}
	}
	for _, seed := range seeds {
		for _, root := range []string{"10.42.0.0/26", "fd42::/122"} {
			t.Run(fmt.Sprintf("%s,GINNEL_SEED=%d", root, seed), func(t *testing.T) {
				r := &run{world: newWorld(t, root), Rand: rand.New(rand.NewPCG(seed, 0)), now: now}
				r.model = newModel(r.Book)
				r.remember(network.Change{})
				for range 500 {
					r.step()
					if t.Failed() {
						return
					}
				}
			})
		}
	}
}

// run is one sequence of random commands.
type run struct {
	*world
	*rand.Rand
	model *model
	now   time.Time
	past  []moment
}

// moment is a book of the past, with a copy made then.
type moment struct {
	book   *network.Book
	copied network.Snapshot
	model  *model
	change network.Change // that led to it
}

func (r *run) remember(c network.Change) {
	r.past = append(r.past, moment{r.Book, cloneSnapshot(r.Snapshot()), r.model.clone(), c})
}

func (r *run) step() {
	cmd := r.command()
	before := r.model.clone()
	next, change, err := r.Apply(r.now, cmd)
	if allowed := r.model.apply(r.now, cmd); allowed != (err == nil) {
		r.Fatalf("%T%+v: %v, but allowed is %v", cmd, cmd, err, allowed)
	}
	if err == nil {
		r.checkPreview(cmd, before)
	}
	if next == r.Book {
		if change.Revision != 0 || len(change.Parts) != 0 || !reflect.DeepEqual(before, r.model) {
			r.Errorf("%T%+v changed nothing but says %+v", cmd, cmd, change)
		}
		return
	}
	r.checkChange(cmd, next, change)
	r.Book = next
	r.remember(change)
	r.checkBook()
	r.checkDelta(r.past[r.IntN(len(r.past))])
	r.checkDelta(r.past[len(r.past)-2])
	r.checkAudience(cmd, before, change)
}

// checkChange checks that what is written down makes the earlier records the
// new ones.
func (r *run) checkChange(cmd network.Command, next *network.Book, c network.Change) {
	s := next.Snapshot()
	if c.Revision != r.Revision()+1 || s.Revision != c.Revision {
		r.Errorf("%T: revision %d, then %d, in the change %d", cmd, r.Revision(), s.Revision, c.Revision)
	}
	want := r.model.records()
	old := r.Snapshot().Records
	written := network.Records{
		CIDRs:        write(old.CIDRs, c.Delete.CIDRs, c.Put.CIDRs, func(a, b network.CIDR) int { return a.Prefix.Compare(b.Prefix) }),
		Peers:        write(old.Peers, c.Delete.Peers, c.Put.Peers, func(a, b network.Peer) int { return a.Address.Compare(b.Address) }),
		Associations: write(old.Associations, c.Delete.Associations, c.Put.Associations, compareAssociations),
		Retired:      write(old.Retired, c.Delete.Retired, c.Put.Retired, netip.Addr.Compare),
		Endpoints:    old.Endpoints,
	}
	if len(c.Put.Endpoints) > 0 {
		written.Endpoints = c.Put.Endpoints
	}
	for what, got := range map[string]network.Records{"the book has": s.Records, "written down was": written} {
		if !equalRecords(got, want) {
			r.Errorf("%T%+v: %s\n%+v, want\n%+v", cmd, cmd, what, got, want)
		}
	}
}

func write[T any](old, gone, put []T, compare func(a, b T) int) []T {
	same := func(list []T, x T) bool {
		return slices.ContainsFunc(list, func(y T) bool { return compare(x, y) == 0 })
	}
	out := slices.DeleteFunc(slices.Clone(old), func(x T) bool { return same(gone, x) || same(put, x) })
	out = append(out, put...)
	slices.SortFunc(out, compare)
	return out
}

func equalRecords(a, b network.Records) bool {
	return slices.Equal(a.CIDRs, b.CIDRs) && slices.Equal(a.Peers, b.Peers) &&
		slices.Equal(a.Associations, b.Associations) && slices.Equal(a.Retired, b.Retired) &&
		slices.Equal(a.Endpoints, b.Endpoints)
}

// checkBook checks the book against its own rules and sight against the model.
func (r *run) checkBook() {
	if _, err := network.Load(r.Snapshot()); err != nil {
		r.Errorf("the book does not load: %v", err)
	}
	for _, p := range r.Peers() {
		if got, want := render(r.Book, r.View(p.Address, nil)), r.model.view(p.Address); !maps.Equal(got, want) {
			r.Errorf("%s sees %v, want %v", p.Name, got, want)
		}
	}
	p := r.address()
	ranges := r.VisibleRanges(p)
	for q := r.Root().Addr(); r.Root().Contains(q); q = q.Next() {
		want := r.model.sees(p, q)
		if r.Sees(p, q) != want || r.Sees(q, p) != want {
			r.Errorf("%v sees %v is not %v", p, q, want)
		}
		in := slices.ContainsFunc(ranges, func(x netip.Prefix) bool { return x.Contains(q) })
		if in != want && p != q {
			r.Errorf("%v sees %v is %v, but its ranges are %v", p, q, want, ranges)
		}
		if got, want := *r.CIDROf(q), r.model.cidrOf(q); got != want {
			r.Errorf("%v belongs to %v, want %v", q, got, want)
		}
	}
}

func render(b *network.Book, peers []network.Peer) map[netip.Addr]string {
	out := map[netip.Addr]string{}
	for _, p := range peers {
		out[p.Address] = fmt.Sprintf("%+v in %s", p, b.CIDROf(p.Address).Name)
		if p.Address == b.Coordinator().Address {
			out[p.Address] += fmt.Sprint(" at ", b.Endpoints())
		}
	}
	return out
}

// checkDelta takes every peer's view from an earlier moment to now by looking
// only at what was touched since.
func (r *run) checkDelta(m moment) {
	if !reflect.DeepEqual(m.book.Snapshot(), m.copied) {
		r.Fatalf("the book of revision %d has changed", m.book.Revision())
	}
	var since []network.Change
	for _, later := range r.past {
		if later.change.Revision > m.book.Revision() {
			since = append(since, later.change)
		}
	}
	for _, p := range r.Peers() {
		touched := network.Touched(since, p.Address)
		in := func(a netip.Addr) bool {
			return slices.ContainsFunc(touched, func(x netip.Prefix) bool { return x.Contains(a) })
		}
		view := render(m.book, m.book.View(p.Address, nil))
		maps.DeleteFunc(view, func(a netip.Addr, _ string) bool { return in(a) })
		maps.Copy(view, render(r.Book, r.View(p.Address, touched)))
		if want := r.model.view(p.Address); !maps.Equal(view, want) {
			r.Errorf("%s looked at %v since revision %d and sees\n%v, want\n%v", p.Name, touched, m.book.Revision(), view, want)
		}
		old, ok := m.model.peers[p.Address]
		if active := !p.Disabled && !p.IsInvited(); ok && active && m.model.render(old) != r.model.render(p) && !in(p.Address) {
			r.Errorf("%s does not hear that its own record changed since revision %d", p.Name, m.book.Revision())
		}
	}
}

// checkAudience checks that of a peer's news only those active peers hear whom
// it concerns: they see something else than before, or are it.
func (r *run) checkAudience(cmd network.Command, before *model, c network.Change) {
	switch cmd.(type) {
	case network.AddCIDR, network.RenameCIDR, network.Associate, network.Dissociate:
		return // these may tell more
	}
	for a, p := range r.model.peers {
		if p.Disabled || p.IsInvited() {
			continue // cannot ask
		}
		concerned := !maps.Equal(before.view(a), r.model.view(a)) || before.render(before.peers[a]) != r.model.render(p)
		if hears := len(network.Touched([]network.Change{c}, a)) > 0; hears && !concerned {
			r.Errorf("%T%+v: %s hears of it for nothing: %v", cmd, cmd, p.Name, c.Parts)
		}
	}
}

func (r *run) checkPreview(cmd network.Command, before *model) {
	c, ok := cmd.(network.Regrouping)
	if !ok {
		return
	}
	const all = 1 << 20
	gained, lost, err := r.Preview(c, all)
	was, is := before.pairs(), r.model.pairs()
	without := func(a, b map[[2]string]bool) [][2]string {
		var out [][2]string
		for pair := range a {
			if !b[pair] {
				out = append(out, pair)
			}
		}
		slices.SortFunc(out, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
		return out
	}
	same := func(p network.Pairs, want [][2]string) bool {
		return p.Count == len(want) && slices.Equal(p.Names, want)
	}
	if !same(gained, without(is, was)) || !same(lost, without(was, is)) || err != nil {
		r.Errorf("%+v: the preview is gained %v, lost %v, %v; want %v and %v", c, gained, lost, err, without(is, was), without(was, is))
	}
}

// address picks any address in the root, or just outside.
func (r *run) address() netip.Addr {
	a := r.Root().Addr()
	for range r.IntN(65) {
		a = a.Next()
	}
	return a
}

// peerName picks a name: most often a peer's, else a new or a bad one.
func (r *run) peerName() string {
	if peers := r.Peers(); r.IntN(8) > 0 {
		return peers[r.IntN(len(peers))].Name
	}
	return r.freshName()
}

func (r *run) cidrName() string {
	if cidrs := r.CIDRs(); r.IntN(10) > 0 {
		return cidrs[r.IntN(len(cidrs))].Name
	}
	return r.freshName()
}

func (r *run) freshName() string {
	if r.IntN(20) == 0 {
		return "Not-Good-"
	}
	return fmt.Sprintf("n%d", r.IntN(60))
}

// key picks a new key, or at times one that is in the book or no good.
func (r *run) key() key.PublicKey {
	p := r.Peers()[r.IntN(len(r.Peers()))]
	switch r.IntN(20) {
	case 0:
		return p.Key
	case 1:
		return p.Invited.Key
	}
	return r.newKey()
}

func (r *run) prefix() netip.Prefix {
	bits := r.Root().Bits() + r.IntN(r.Root().Addr().BitLen()-r.Root().Bits()+1)
	p := netip.PrefixFrom(r.address(), bits)
	if r.IntN(10) == 0 {
		return p
	}
	return p.Masked()
}

func (r *run) command() network.Command {
	r.now = r.now.Add(time.Duration(r.IntN(10)) * time.Minute)
	expires := r.now.Add(time.Duration(r.IntN(240)-5) * time.Minute)
	switch r.IntN(22) {
	case 0, 1:
		return network.AddCIDR{Name: r.freshName(), Prefix: r.prefix(), Isolated: r.IntN(2) == 0}
	case 2:
		return network.RenameCIDR{Name: r.cidrName(), NewName: r.freshName()}
	case 3:
		return network.RemoveCIDR{Name: r.cidrName()}
	case 4, 5:
		return network.Associate{A: r.cidrName(), B: r.cidrName()}
	case 6:
		if as := r.Associations(); len(as) > 0 && r.IntN(2) == 0 {
			x := as[r.IntN(len(as))]
			return network.Dissociate{A: r.CIDROf(x.B.Addr()).Name, B: r.CIDROf(x.A.Addr()).Name}
		}
		return network.Dissociate{A: r.cidrName(), B: r.cidrName()}
	case 7, 8, 9:
		c := network.Invite{Name: r.freshName(), Admin: r.IntN(4) == 0, Key: r.key(), Expires: expires}
		if r.IntN(3) > 0 {
			c.CIDR = r.cidrName()
		}
		if r.IntN(2) == 0 {
			c.Address = r.address()
		}
		return c
	case 10, 11, 12, 13:
		return r.redeem()
	case 14:
		return network.RenamePeer{Name: r.peerName(), NewName: r.freshName()}
	case 15:
		return network.SetDisabled{Name: r.peerName(), Disabled: r.IntN(3) > 0}
	case 16:
		return network.SetAdmin{Name: r.peerName(), Admin: r.IntN(2) == 0}
	case 17, 18:
		if retired := r.Retired(); len(retired) > 0 && r.IntN(4) == 0 {
			return network.FreeAddress{Address: retired[r.IntN(len(retired))]}
		}
		if r.IntN(16) == 0 {
			return network.FreeAddress{Address: r.address()}
		}
		return network.RemovePeer{Name: r.peerName(), FreeAddress: r.IntN(2) == 0}
	case 19:
		return network.Reinvite{Name: r.peerName(), Key: r.key(), Expires: expires}
	case 20:
		return network.SetEndpoints{Endpoints: r.endpoints()}
	}
	if peers := r.Peers(); r.IntN(2) == 0 {
		return network.Redate{Keys: []key.PublicKey{peers[r.IntN(len(peers))].Invited.Key, r.key()}, By: time.Duration(r.IntN(60)-30) * time.Second}
	}
	return network.Expire{}
}

// endpoints picks one or two of the coordinator, or at times what is none.
func (r *run) endpoints() []string {
	return [][]string{{"a:1"}, {"a:1", "b:2"}, {"b:2", "a:1"}, {}, {""}}[r.IntN(5)]
}

// redeem is that of some peer's invitation, or at times of another one.
func (r *run) redeem() network.Redeem {
	p, other := r.Peers()[r.IntN(len(r.Peers()))], r.Peers()[r.IntN(len(r.Peers()))]
	c := network.Redeem{Address: p.Address, Invited: p.Invited.Key, Key: r.key()}
	if r.IntN(20) == 0 {
		c.Invited = other.Invited.Key
	}
	return c
}
