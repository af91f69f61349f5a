// Package api is the coordinator's API over HTTP: it authenticates,
// authorises and decodes requests, has the role do what they ask, and encodes
// the answers. It holds no state. The paths are listed in [wire.PathMap]'s
// block.
//
// # Who is asking
//
// A caller is who its source address says, proven by the token that only the
// holder of that peer's private key can make. Whatever fails in that is 401 and
// says no more. A request that names another origin (X-Forwarded-For and its
// kin) passed a proxy or pretends to: its source address proves nothing, so it
// is 401 as well. Then come, in this order: 403 for disabled peers, and for
// invitees everywhere but at redeem, 404 and 405 for the path, 403 for calls
// of an admin by others, 400 and 422 for what the request says.
package api

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"ginnel/journal"
	"ginnel/key"
	"ginnel/network"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// Standing is what a caller is in the network.
type Standing int

// The standings, in rising order of rights.
const (
	Stranger Standing = iota // nobody the network knows
	Disabled
	Invitee // may redeem and nothing else
	Peer
	Admin
)

// Caller is who asks. The zero Caller is a stranger.
type Caller struct {
	Address  netip.Addr // overlay address; of a stranger, zero
	Standing Standing
	Key      key.PublicKey // whose holder it is, proven by its token; zero of local callers
}

// Peers is what the role does for every peer. Methods may be called
// concurrently; errors are *wire.Problem or *network.Refusal where the caller
// is at fault.
type Peers interface {
	// Authenticate tells who speaks from an address with a token.
	Authenticate(from netip.Addr, t key.Token) Caller
	// Update takes the map of the peer at from to the current position. The
	// answer may share memory with others: it is not to be changed.
	Update(from netip.Addr, pos wire.Position) (*wire.Update, error)
	// SetCandidates replaces what the peer at from says of its endpoints. It
	// keeps nothing of rep.
	SetCandidates(from netip.Addr, rep wire.Report) error
	// Redeem gives c its key, by the invitation whose key c holds. The
	// function, unless nil, is to be called once, when the answer has arrived
	// or never will.
	Redeem(c Caller, k key.PublicKey) (wire.Redeemed, func(), error)
}

// Admins is what the role does for admins, on the same terms.
type Admins interface {
	// Book returns the current book.
	Book() *network.Book
	// Do applies commands, all or none, and returns the book after them.
	Do(cmds ...network.Command) (*network.Book, error)
	Invitations
	// Describe returns p of b as an admin sees it.
	Describe(b *network.Book, p *network.Peer) wire.Peer
}

// Invitations is what the role does for admins who invite peers.
type Invitations interface {
	// Invite makes an invitation.
	Invite(req wire.InvitationRequest) (wire.InvitationIssued, error)
	// Reinvite makes another one for a peer that has not redeemed its own.
	Reinvite(name string, req wire.InvitationRenewal) (wire.InvitationIssued, error)
}

// Overlay returns the handler for the overlay's listener. It trusts nothing
// but a request's source address and token.
func Overlay(p Peers, a Admins, now func() time.Time, log *journal.Logger) http1.Handler {
	s := &server{peers: p, admins: a, now: now, started: now(), log: log}
	return func(_ context.Context, r *http1.Request) *http1.Response {
		c, err := s.authenticate(r)
		if err != nil {
			return s.fail(r, err)
		}
		return s.serve(r, c)
	}
}

// Local returns the handler for callers that may act as the coordinator's own
// peer, at own, with the rights of an admin: the reach to it is the proof.
func Local(p Peers, a Admins, now func() time.Time, log *journal.Logger, own netip.Addr) http1.Handler {
	s := &server{peers: p, admins: a, now: now, started: now(), log: log}
	return func(_ context.Context, r *http1.Request) *http1.Response {
		return s.serve(r, Caller{Address: own, Standing: Admin})
	}
}

type server struct {
	peers   Peers
	admins  Admins
	now     func() time.Time
	started time.Time
	log     *journal.Logger
}

// forwarded are the headers by which a proxy names where a request came from.
var forwarded = []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"}

var errUnauthorized = wire.Errorf(wire.StatusUnauthorized,
	"this address and token are not those of a peer of the network: call from the peer's own daemon, straight over the overlay")

func (s *server) authenticate(r *http1.Request) (Caller, error) {
	for _, h := range forwarded {
		if len(r.Header[h]) > 0 {
			return Caller{}, errUnauthorized
		}
	}
	credentials := r.Header["Authorization"]
	if len(credentials) != 1 {
		return Caller{}, errUnauthorized
	}
	scheme, text, _ := strings.Cut(credentials[0], " ")
	token, err := key.ParseToken(strings.TrimSpace(text))
	if err != nil || !strings.EqualFold(scheme, "Bearer") {
		return Caller{}, errUnauthorized
	}
	c := s.peers.Authenticate(r.Remote.Addr().Unmap(), token)
	if c.Standing == Stranger {
		return Caller{}, errUnauthorized
	}
	return c, nil
}

// serve answers an authenticated request.
func (s *server) serve(r *http1.Request, c Caller) *http1.Response {
	response, err := s.answer(r, c)
	if err != nil {
		return s.fail(r, err)
	}
	return response
}

func (s *server) answer(r *http1.Request, c Caller) (*http1.Response, error) {
	switch {
	case c.Standing == Disabled:
		return nil, wire.Errorf(wire.StatusForbidden, "peer %s is disabled: an admin can enable it", c.Address)
	case c.Standing == Invitee && r.Path != wire.PathRedeem:
		return nil, wire.Errorf(wire.StatusForbidden, "the invitation of %s is not redeemed yet: until then nothing but POST %s is allowed", c.Address, wire.PathRedeem)
	}
	route, names, err := find(r)
	if err != nil {
		return nil, err
	}
	if c.Standing < route.min {
		return nil, wire.Errorf(wire.StatusForbidden, "only admins may do this, and the peer of this machine, %s, is none: `ginnel peer grant-admin` on an admin's machine makes it one", c.Address)
	}
	if err := http1.CheckQuery(r, route.query); err != nil {
		return nil, err
	}
	return route.serve(s, &call{Request: r, caller: c, names: names})
}

// fail answers with an error; those of our own making go to the log.
func (s *server) fail(r *http1.Request, err error) *http1.Response {
	if wrong, ok := err.(*wrongMethod); ok {
		return http1.FailMethod(r, wrong.allow)
	}
	p := problemOf(err)
	if p == nil {
		s.log.Error("request failed", "method", r.Method, "path", r.Path, "err", err)
		return http1.Fail(err)
	}
	response := http1.Fail(p)
	if p.Status == wire.StatusUnauthorized {
		response.Header.Set("WWW-Authenticate", "Bearer") // RFC 9110, section 11.6.1
	}
	return response
}
