package daemon

import (
	"context"
	"errors"
	"time"

	"ginnel/daemon/config"
	"ginnel/daemon/state"
	"ginnel/platform"
)

// lastJoin is how long a join that failed waits before it is tried again, at
// most. Each try looks for the coordinator for half a minute: a line that comes
// days later is found soon enough, and an invitation that is of no use is a
// burden to nobody.
const lastJoin = 5 * time.Minute

// notYet is why a network is not joined yet.
type notYet struct{ why error }

// Error implements error.
func (e *notYet) Error() string { return e.why.Error() }

func isNotYet(err error) bool {
	_, is := err.(*notYet)
	return is
}

// errNotJoined: the invitation in the section is to be redeemed.
var errNotJoined error = &notYet{errors.New("the coordinator is being asked")}

// mustJoin decides whether the invitation in a section, if there is one, is to
// be redeemed; err is why the state could not be opened. A join that is pending
// may be accepted already, or not: redeeming the same invitation again tells.
func mustJoin(cfg *config.Network, s *state.State, err error) bool {
	switch {
	case cfg.Invitation == nil:
		return false
	case err != nil:
		return errors.Is(err, platform.ErrNotExist)
	}
	return s.IsPending()
}

// ignored is what is to be said of a member's section that has an invitation
// that is not the one it has joined by.
const ignored = "option invitation is ignored, because this machine is in the network already: to join by it, run `ginnel leave` first, and write the section anew"

func isIgnored(cfg *config.Network, id *state.Identity) bool {
	return cfg.Invitation != nil && cfg.Invitation.Key.Public() != id.Invitation
}

// tryJoin redeems the invitation in the section as it is now. Of a row of
// failures of one kind the first is logged.
func (n *network) tryJoin(ctx context.Context) error {
	_, before := n.running()
	if !isNotYet(before) {
		before = errNotJoined
		n.set(nil, before)
		n.opened() // a coordinator that is away keeps nobody waiting
	}
	err := n.d.Join(ctx, n.config())
	if err == nil {
		n.log.Info("joined")
		return nil
	}
	if ctx.Err() == nil && err.Error() != before.Error() {
		n.log.Warn("not joined yet, will go on trying", "err", err)
	}
	return &notYet{err}
}
