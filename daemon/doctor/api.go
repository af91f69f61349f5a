package doctor

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"ginnel/daemon/local"
	"ginnel/wire"
)

// refusal returns the coordinator's own refusal; nil where err says that it was
// not reached, or had no room.
func refusal(err error) *wire.Problem {
	var p *wire.Problem
	if !errors.As(err, &p) {
		return nil
	}
	switch p.Status {
	case wire.StatusBadGateway, wire.StatusUnavailable, wire.StatusGatewayTimeout, wire.StatusTooMany, wire.StatusNotFound:
		return nil
	}
	return p
}

// checkAPI looks whether the coordinator answers inside the tunnel.
func checkAPI(x *exam) *Finding {
	n := x.n
	switch {
	case !n.API.Asked:
		return unknown("it was not asked")
	case n.answered():
		return ok("it answers within %d ms", n.API.Took.Milliseconds())
	case n.IsCoordinator():
		return failed("%v"+do+"The log says more: %s", n.API.Err, x.log())
	}
	return failed("the tunnel is there, and the coordinator does not answer: %s"+
		do+"Does the daemon run there? The kernel keeps the tunnel without it. There: ginnel doctor"+
		do+"The coordinator's firewall may drop TCP to port %d that comes by its interface %s.", reason(n.API.Err), n.APIPort, n.Name)
}

// reason shortens what the daemon says before the reason.
func reason(err error) string {
	text := err.Error()
	if _, after, ok := strings.Cut(text, "cannot be reached: "); ok {
		return strings.TrimPrefix(after, "connect: ")
	}
	return text
}

// checkToken looks whether the coordinator believes who this machine is.
func checkToken(x *exam) *Finding {
	n := x.n
	p := refusal(n.API.Err)
	switch {
	case !n.answered():
		return unknown("it takes an answer")
	case p != nil && p.Status == wire.StatusUnauthorized:
		return failed("the coordinator does not take this machine for %s"+
			do+"The state of this machine may be an old copy, or another machine's: leave, and join with a new invitation."+
			do+"The coordinator may have been restored from a backup of before this machine joined.", n.Address)
	}
	return ok("the coordinator takes this machine for %s", n.Address)
}

// checkStanding looks at what this machine may do in the network.
func checkStanding(x *exam) *Finding {
	n := x.n
	p := refusal(n.API.Err)
	switch {
	case !n.answered():
		return unknown("it takes an answer")
	case p == nil && n.Status != nil && n.Status.Self.Admin:
		return ok("%s, an admin", orNobody(n.Status.Self.Name))
	case p == nil && n.Status != nil:
		return ok("%s, in %s", orNobody(n.Status.Self.Name), n.Status.Self.CIDR)
	case p == nil:
		return ok("a member")
	case strings.Contains(p.Detail, "not redeemed"):
		return failed("%s"+do+"Run `ginnel join` with the invitation again; if it has expired an admin makes a new one.", p.Detail)
	}
	return failed("%s"+do+"An admin can enable it again: ginnel peer enable", p.Detail)
}

// lateContact is how old the news may be: the daemon asks every few minutes.
const lateContact = 15 * time.Minute

func checkContact(x *exam) *Finding {
	const later = do + "It tries again by itself; the log says more: %[1]s"
	n := x.n
	switch {
	case n.Status == nil:
		return unknown("the daemon does not tell")
	case n.Status.LastContact.IsZero():
		return warning("the daemon has had no map since it started"+later, x.log())
	case x.Now.Sub(n.Status.LastContact) > lateContact:
		return warning("the map is from %[2]s ago"+later, x.log(), x.ago(n.Status.LastContact))
	}
	return ok("the map, revision %d, is from %s ago", n.Status.Revision, x.ago(n.Status.LastContact))
}

// shownPeers is how many peers that are not reached are named.
const shownPeers = 5

// checkPeers looks at the peers that are not reached. That may well be because
// they are switched off, so it is a doubt at most.
func checkPeers(x *exam) *Finding {
	n := x.n
	if n.Status == nil {
		return unknown("the daemon does not tell")
	}
	all := 0
	var why []string
	for i := range n.Status.Peers {
		p := &n.Status.Peers[i]
		if p.Role == wire.RoleInvitee || p.Address == n.Coordinator {
			continue
		}
		all++
		if !p.Connected && (p.Reach == local.ReachNone || p.Reach == "") {
			why = append(why, fmt.Sprintf("%s: %s", p.Name, x.whyNot(p)))
		}
	}
	switch {
	case all == 0:
		return ok("there are no others")
	case len(why) == 0:
		return ok("%d, and each is reached or being tried", all)
	}
	f := warning("%d of %d are not reached", len(why), all)
	if f.Advice = why; len(why) > shownPeers {
		f.Advice = append(why[:shownPeers], fmt.Sprintf("and %d more: ginnel status", len(why)-shownPeers))
	}
	return f
}

// whyNot says the likeliest reason why a peer is not reached.
func (x *exam) whyNot(p *local.Peer) string {
	self := x.n.Status.Self.Endpoints
	switch e := p.Endpoints; {
	case !e.Seen.IsValid() && len(e.Candidates) == 0:
		return "the coordinator does not know where it is: it is off, or not connected"
	case translated(e, 0) && translated(self, x.n.listenPort()):
		return "both machines are behind NATs that change ports, perhaps anew for every destination; then there is no direct way (forward a UDP port at one of them)"
	case p.LastHandshake.IsZero():
		return "it never answered: it is off, or a firewall or NAT on its side is in the way"
	}
	return fmt.Sprintf("it last answered %s ago: it is off, or has moved", x.ago(p.LastHandshake))
}

// translated tells whether a member is seen with another port than it has: 0 is
// any of its candidates'.
func translated(e wire.Endpoints, port uint16) bool {
	if !e.Seen.IsValid() {
		return false
	}
	for _, c := range e.Candidates {
		if c.Port() == e.Seen.Port() {
			return false
		}
	}
	return port != e.Seen.Port() && (port != 0 || len(e.Candidates) > 0)
}

// checkReports has what the daemon complains of, when nothing else was found to
// be the reason.
func checkReports(x *exam) *Finding {
	n := x.n
	switch {
	case n.Status == nil:
		return unknown("the daemon does not tell")
	case len(n.Status.Problems) == 0:
		return ok("the daemon complains of nothing")
	case len(x.broken) > 0:
		return unknown("what the daemon complains of follows from the above")
	}
	return warning("%s", strings.Join(n.Status.Problems, do))
}
