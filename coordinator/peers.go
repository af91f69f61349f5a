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

// Report replaces the candidates of the coordinator's own peer.
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
	case !p.IsInvited() && r.tokens.match(p.Key, t):
	case held != nil && !p.Disabled && r.tokens.match(held.key, t):
		c.Standing = api.Invitee // it has not heard that it is one no more
	default:
		return api.Caller{}
	}
	if c.Standing >= api.Peer {
		r.nudger.hear(from, now, now)
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
	r.nudger.fetched(from)
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

// SetCandidates replaces what is known of the candidates of the peer at from,
// and has those nudged who may see it.
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
	e := r.hub.endpoints[from]
	e.Candidates = slices.Clone(rep.Candidates)
	if r.hub.setEndpoints(from, e) {
		r.tell(r.hub.witnesses(from), now.Add(newsPause))
	}
	return nil
}

func (r *Role) checkReport(rep *wire.Report) error {
	if len(rep.Candidates) > wire.MaxCandidates {
		return wire.Errorf(wire.StatusTooLarge, "%d candidates, at most %d are taken: report the best", len(rep.Candidates), wire.MaxCandidates)
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
	for i := range sightings {
		if p, ok := r.hub.book.Peer(sightings[i].Address); ok && !p.Disabled {
			r.sight(now, &sightings[i])
		}
	}
	r.awake()
}

// sight takes one sighting of a peer in the book. The caller holds r.mu.
func (r *Role) sight(now time.Time, s *wire.Sighting) {
	if s.LastHandshake.IsZero() {
		return
	}
	if s.LastHandshake.After(r.hub.handshakes[s.Address]) {
		r.hub.handshakes[s.Address] = s.LastHandshake
	}
	r.nudger.hear(s.Address, s.LastHandshake, now)
	if held := r.hub.holds[s.Address]; held != nil && s.LastHandshake.After(held.began) {
		r.release(s.Address, now)
	}
	seen := netip.AddrPortFrom(s.Endpoint.Addr().Unmap(), s.Endpoint.Port())
	// Peers refuse an update with an endpoint that cannot be one.
	usable := wire.CheckUnderlay(seen) == nil && !r.hub.book.Root().Contains(seen.Addr())
	if usable && now.Sub(s.LastHandshake) <= aliveFor {
		r.sightEndpoint(now, s.Address, seen)
	}
}

// sightEndpoint takes where the peer at a was seen. The caller holds r.mu.
func (r *Role) sightEndpoint(now time.Time, a netip.Addr, seen netip.AddrPort) {
	e := r.hub.endpoints[a]
	e.Seen = seen
	if !r.hub.setEndpoints(a, e) {
		return
	}
	due := now.Add(newsPause)
	for w := range r.hub.witnesses(a) {
		if w != r.own { // the news came from there
			r.nudger.news(w, due)
		}
	}
	if p, _ := r.hub.book.Peer(a); isActive(p) {
		r.nudger.news(a, due) // it orders its own candidates by it
	}
}

// Redeem gives the invited peer at from its key. The coordinator's own tunnel
// keeps the temporary key until every function returned, which may be nil, was
// called or holdLife is over.
func (r *Role) Redeem(from netip.Addr, k key.PublicKey) (wire.Redeemed, func(), error) {
	r.writing.Lock()
	defer r.writing.Unlock()
	before, _ := r.Book().Peer(from)
	book, changes, err := r.commit(network.Redeem{Address: from, Key: k})
	if err != nil {
		return wire.Redeemed{}, nil, err
	}
	now := r.cfg.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.publish(book, changes)
	for _, c := range changes {
		r.hub.holds[from] = &hold{key: before.Invited.Key, change: c, began: now}
	}
	p, _ := book.Peer(from)
	answer := wire.Redeemed{Self: r.hub.member(p, p), Root: book.Root()}
	held := r.hub.holds[from]
	if held == nil {
		return answer, nil, nil
	}
	held.awaiting++
	held.until = now.Add(holdLife)
	r.awake() // Run has a deadline more
	return answer, func() { r.arrived(from, held) }, nil
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
	r.nudger.news(r.own, now)
	r.tell(r.hub.concerned(held.change), now)
}
