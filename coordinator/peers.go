package coordinator

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"ginnel/coordinator/api"
	"ginnel/key"
	"ginnel/network"
	"ginnel/wire"
)

// holdLife is how long a redeemed peer's temporary key is kept at most while
// the answer is on its way.
const holdLife = 5 * time.Second

// Fetch returns what changed in the map of the coordinator's own peer.
func (r *Role) Fetch(_ context.Context, pos wire.Position) (*wire.Update, error) {
	return r.Update(r.own, pos)
}

// Report replaces what is known of the coordinator's own peer's endpoints.
func (r *Role) Report(_ context.Context, rep wire.Report) error {
	return r.SetCandidates(r.own, rep)
}

// Authenticate tells who speaks from an address with a token. A Caller of
// standing Stranger is nobody.
func (r *Role) Authenticate(from netip.Addr, t key.Token) api.Caller {
	now := r.cfg.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.hub.book.Peer(from)
	if !ok {
		return api.Caller{}
	}
	c := api.Caller{Address: from, Standing: standing(p)}
	switch held := r.hub.holds[from]; {
	case p.IsInvited() && r.tokens.match(p.Invited.Key, t):
		c.Key = p.Invited.Key
	case !p.IsInvited() && r.tokens.match(p.Key, t):
		c.Key = p.Key
	case held != nil && !p.Disabled && r.tokens.match(held.key, t):
		c.Key, c.Standing = held.key, api.Invitee // it has not heard that it is one no more
	default:
		return api.Caller{}
	}
	if c.Standing >= api.Peer && r.nudger.hear(from, now, now) {
		r.awake()
	}
	return c
}

func standing(p *network.Peer) api.Standing {
	switch {
	case p.Disabled:
		return api.Disabled
	case p.IsInvited():
		return api.Invitee
	case p.Admin:
		return api.Admin
	}
	return api.Peer
}

// Update takes the map of the peer at from to the current position.
func (r *Role) Update(from netip.Addr, pos wire.Position) (*wire.Update, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, err := r.active(from)
	if err != nil {
		return nil, err
	}
	r.nudger.fetched(from, pos)
	return r.hub.update(pos, p), nil
}

// active returns the peer at a unless it may not be told anything. The caller
// holds r.mu.
func (r *Role) active(a netip.Addr) (*network.Peer, error) {
	p, ok := r.hub.book.Peer(a)
	if !ok || !isActive(p) {
		return nil, wire.Errorf(wire.StatusForbidden, "%s is not an active peer of this network any more", a)
	}
	return p, nil
}

// SetCandidates replaces what the peer at from said of its endpoints, and has
// those nudged who may see it: reportBurst times at once, and then every
// reportPause at most.
func (r *Role) SetCandidates(from netip.Addr, rep wire.Report) error {
	if err := r.checkReport(&rep); err != nil {
		return err
	}
	now := r.cfg.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.active(from); err != nil {
		return err
	}
	known := r.hub.endpoints[from]
	if slices.Equal(known.Candidates, rep.Candidates) && slices.Equal(known.Announced, rep.Announced) && !r.reports.waits(from) {
		return nil
	}
	rep = wire.Report{Candidates: slices.Clone(rep.Candidates), Announced: slices.Clone(rep.Announced)}
	if r.reports.pass(from, rep, now) {
		r.spread(from, rep, now)
	}
	r.awake()
	return nil
}

// spread has all who may see the peer at a hear of what it reported. The caller
// holds r.mu.
func (r *Role) spread(a netip.Addr, rep wire.Report, now time.Time) {
	e := r.hub.endpoints[a].Endpoints
	e.Candidates, e.Announced = rep.Candidates, rep.Announced
	if !r.hub.setEndpoints(a, e) {
		return
	}
	for w := range r.hub.watchers(a) {
		if w != a {
			r.tellEndpoints(w, now)
		}
	}
}

// Polled tells the peer at from whether there is news since its last Fetch,
// which was answered in an epoch. One that may not be told anything hears
// nothing: its Fetch is told why.
func (r *Role) Polled(from netip.Addr, epoch uint64) {
	if s, ok := r.pollAnswer(from, epoch); ok {
		r.cfg.Send(from, s)
	}
}

func (r *Role) pollAnswer(from netip.Addr, epoch uint64) (wire.Signal, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.active(from); err != nil {
		return wire.Signal{}, false
	}
	if epoch == r.hub.epoch && r.nudger.current(from) {
		return wire.Signal{Kind: wire.SignalCurrent, Value: epoch}, true
	}
	return wire.Signal{Kind: wire.SignalNudge, Value: r.hub.book.Revision()}, true
}

func (r *Role) checkReport(rep *wire.Report) error {
	if len(rep.Candidates) > wire.MaxCandidates {
		return wire.Errorf(wire.StatusTooLarge, "%d candidates, at most %d are taken: report the best", len(rep.Candidates), wire.MaxCandidates)
	}
	if len(rep.Announced) > wire.MaxAnnounced {
		return wire.Errorf(wire.StatusTooLarge, "%d announced endpoints, at most %d are taken: announce the best", len(rep.Announced), wire.MaxAnnounced)
	}
	if err := rep.Check(); err != nil {
		return wire.Errorf(wire.StatusUnprocessable, "%v", err)
	}
	root := r.Book().Root()
	for _, c := range rep.Candidates {
		if root.Contains(c.Addr()) {
			return wire.Errorf(wire.StatusUnprocessable, "candidate %s is an overlay address: report addresses of the underlay", c)
		}
	}
	return nil
}

// Seen takes what the coordinator's own tunnel shows. An endpoint counts while
// a handshake of the last 180 s speaks for it: others are guesses of the
// daemon's own.
func (r *Role) Seen(now time.Time, sightings []wire.Sighting) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var moved []netip.Addr
	for i := range sightings {
		s := &sightings[i]
		if p, ok := r.hub.book.Peer(s.Address); ok && !p.Disabled && r.sight(now, s) {
			moved = append(moved, s.Address)
			if isActive(p) {
				r.tellEndpoints(p.Address, now) // it orders its own candidates by it
			}
		}
	}
	for w := range r.hub.watchers(moved...) {
		if w != r.own { // the news came from there
			r.tellEndpoints(w, now)
		}
	}
	r.awake()
}

// sight takes one sighting of a peer in the book and tells whether the peer has
// another endpoint. The caller holds r.mu.
func (r *Role) sight(now time.Time, s *wire.Sighting) bool {
	if s.LastHandshake.IsZero() {
		return false
	}
	last := r.hub.handshakes[s.Address]
	if !s.LastHandshake.Equal(last.shown) {
		// Another one, though the wall clock may have been set back since the
		// one before it, or between it and now.
		ago := max(0, now.Sub(s.LastHandshake))
		last = handshake{shown: s.LastHandshake, at: now.Add(-ago)}
		r.hub.handshakes[s.Address] = last
		r.nudger.hear(s.Address, last.at, now)
	}
	e := r.hub.endpoints[s.Address].Endpoints
	e.Seen = netip.AddrPortFrom(s.Endpoint.Addr().Unmap(), s.Endpoint.Port())
	// Peers refuse an update with an endpoint that cannot be one.
	usable := wire.CheckUnderlay(e.Seen) == nil && !r.hub.book.Root().Contains(e.Seen.Addr())
	return usable && now.Sub(last.at) <= aliveFor && r.hub.setEndpoints(s.Address, e)
}

// Redeem gives c, an invited peer, its key. The coordinator's own tunnel keeps
// the temporary key until every function returned, which may be nil, was called
// or holdLife is over.
func (r *Role) Redeem(c api.Caller, k key.PublicKey) (wire.Redeemed, func(), error) {
	r.writing.Lock()
	defer r.writing.Unlock()
	if r.holdsKey(k) {
		return wire.Redeemed{}, nil, wire.Errorf(wire.StatusConflict, "the public key is in use in this network already: generate a new key pair")
	}
	book, changes, err := r.apply(network.Redeem{Address: c.Address, Invited: c.Key, Key: k})
	if err != nil {
		return wire.Redeemed{}, nil, err
	}
	if err := r.write(changes); err != nil {
		return wire.Redeemed{}, nil, err
	}
	now := r.cfg.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.publish(book, changes)
	for _, change := range changes {
		r.hub.holds[c.Address] = &hold{key: c.Key, change: change, until: now.Add(holdLife)}
	}
	p, _ := book.Peer(c.Address)
	answer := wire.Redeemed{Self: r.hub.member(p, p), Root: book.Root()}
	held := r.hub.holds[c.Address]
	if held == nil {
		return answer, nil, nil
	}
	held.awaiting++
	r.awake() // Run may have a deadline more
	return answer, func() { r.arrived(c.Address, held) }, nil
}

// holdsKey tells whether k is a temporary key that the own tunnel still has,
// although the book has it no more.
func (r *Role) holdsKey(k key.PublicKey) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, held := range r.hub.holds {
		if held.key == k {
			return true
		}
	}
	return false
}

// arrived says that one answer to a redeem has reached its peer, or never
// will.
func (r *Role) arrived(a netip.Addr, held *hold) {
	now := r.cfg.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	held.awaiting--
	if held.awaiting == 0 && r.hub.holds[a] == held {
		r.release(a, now)
	}
}

// release ends a hold: the local daemon swaps the keys, and everybody hears of
// the new peer. The caller holds r.mu.
func (r *Role) release(a netip.Addr, now time.Time) {
	held := r.hub.holds[a]
	delete(r.hub.holds, a)
	r.nudger.hear(a, now, now) // it redeemed a moment ago
	r.waker.news(now)
	r.tell(held.change, now)
}
