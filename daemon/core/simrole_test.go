package core_test

import (
	"net/netip"
	"slices"
	"time"

	"ginnel/daemon/core"
	"ginnel/platform"
	"ginnel/wire"
)

// role is the coordinator's double: everybody sees everybody.
type role struct {
	n        *node
	revision uint64
	epoch    uint64
	seq      uint64
	members  map[netip.Addr]*roleMember
}

type roleMember struct {
	wire.Member
	seq     uint64 // of its last endpoint news
	fetched wire.Position
}

// newRole starts the coordinator with everybody in nodes.
func (s *sim) newRole(n *node, nodes ...*node) {
	s.epoch++
	s.role = &role{n: n, revision: 1, epoch: s.epoch, members: map[netip.Addr]*roleMember{}}
	for _, o := range append(nodes, n) {
		s.role.members[o.over] = &roleMember{Member: o.member()}
	}
}

func (r *role) serve(from netip.Addr, body any) any {
	me := r.members[from]
	if me == nil {
		return nil
	}
	switch x := body.(type) {
	case wire.Report:
		if !slices.Equal(me.Endpoints.Candidates, x.Candidates) {
			me.Endpoints.Candidates = x.Candidates
			r.news(me)
		}
		return true
	case wire.Position:
		me.fetched = wire.Position{Revision: r.revision, Epoch: r.epoch, Seq: r.seq}
		return r.update(me, x)
	}
	return nil
}

// polled answers as the role does that knows who has fetched what.
func (r *role) polled(from netip.Addr, epoch uint64) {
	now := wire.Position{Revision: r.revision, Epoch: r.epoch, Seq: r.seq}
	answer := wire.Signal{Kind: wire.SignalNudge, Value: r.revision}
	if me := r.members[from]; me == nil {
		return
	} else if epoch == r.epoch && me.fetched == now {
		answer = wire.Signal{Kind: wire.SignalCurrent, Value: epoch}
	}
	r.n.later(simShell, func() { r.n.sendPayload(from, answer) })
}

func (r *role) update(me *roleMember, at wire.Position) *wire.Update {
	u := &wire.Update{Position: me.fetched, Network: "sim", Root: simRoot, Self: me.Member}
	whole := at.Epoch != r.epoch || at.Revision != r.revision
	if whole {
		u.Ranges = []netip.Prefix{simRoot}
	} else {
		u.From = at
	}
	for _, m := range r.sorted() {
		switch {
		case m == me:
		case whole:
			u.Members = append(u.Members, m.Member)
		case m.seq > at.Seq:
			u.Patches = append(u.Patches, wire.Patch{Address: m.Address, Endpoints: m.Endpoints})
		}
	}
	return u
}

func (r *role) sorted() []*roleMember {
	var ms []*roleMember
	for _, m := range r.members {
		ms = append(ms, m)
	}
	slices.SortFunc(ms, func(a, b *roleMember) int { return a.Address.Compare(b.Address) })
	return ms
}

func (r *role) sighted(s *platform.TunnelState) {
	for _, m := range r.sorted() {
		for _, p := range s.Peers {
			if p.PublicKey == m.PublicKey && !p.LastHandshake.IsZero() && p.Endpoint != m.Endpoints.Seen {
				m.Endpoints.Seen = p.Endpoint
				r.news(m)
			}
		}
	}
}

func (r *role) news(m *roleMember) {
	r.seq++
	m.seq = r.seq
	r.n.sim.note("news of %s: %v", m.Name, m.Endpoints)
	r.nudge(m)
}

func (r *role) add(n *node) {
	r.revision++
	r.members[n.over] = &roleMember{Member: n.member()}
	r.nudge(nil)
}

func (r *role) remove(n *node) {
	r.revision++
	delete(r.members, n.over)
	r.nudge(nil)
}

// nudge tells all but m, and repeats until they have fetched.
func (r *role) nudge(m *roleMember) {
	seq, revision := r.seq, r.revision
	for _, o := range r.sorted() {
		if o != m && o.Address != r.n.over {
			r.nudgeOne(o, seq, revision, time.Second)
		}
	}
	if r.n.core != nil {
		r.n.answer(core.Signalled{From: r.n.over, Signal: wire.Signal{Kind: wire.SignalNudge, Value: revision}})
	}
}

func (r *role) nudgeOne(o *roleMember, seq, revision uint64, wait time.Duration) {
	if r.n.sim.role != r || o.fetched.Epoch == r.epoch && o.fetched.Seq >= seq && o.fetched.Revision >= revision || wait > time.Minute {
		return
	}
	r.n.sendPayload(o.Address, wire.Signal{Kind: wire.SignalNudge, Value: revision})
	r.n.later(wait, func() { r.nudgeOne(o, seq, revision, 2*wait) })
}
