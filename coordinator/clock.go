package coordinator

import (
	"fmt"
	"time"

	"ginnel/key"
	"ginnel/network"
)

// clockJump is by how much a wall clock has to differ from one that is not set to
// have jumped.
const clockJump = time.Hour

// issued are the invitations that this role has made. The book dates their ends
// by the wall clock, which on a router is 1970's, or the last shutdown's, until
// somebody sets it: then an invitation that was made before would end at once,
// or, where the clock is set back, not for years. So their ends are moved with
// it. Those of earlier runs were, as far as anybody knows, dated rightly: the
// clock alone ends them. Time that the machine sleeps counts as a jump, since the
// clock that is not set stands still then.
type issued struct {
	keys []key.PublicKey // the temporary ones; some may be redeemed or gone
	seen time.Time       // when the clocks were compared last
}

// followClock moves the ends of invitations with the wall clock. The caller holds
// r.writing.
func (r *Role) followClock(now time.Time) error {
	elapsed := now.Sub(r.issued.seen) // by the clock that is not set
	jump := now.Round(0).Sub(r.issued.seen.Round(0)) - elapsed
	if jump.Abs() >= clockJump && len(r.issued.keys) > 0 {
		if err := r.redate(now, jump.Round(time.Second)); err != nil {
			return fmt.Errorf("the clock was set, and the ends of invitations with it: %w", err)
		}
	}
	r.issued.seen = now
	return nil
}

func (r *Role) redate(now time.Time, by time.Duration) error {
	book, change, err := r.Book().Apply(now, network.Redate{Keys: r.issued.keys, By: by})
	if err != nil || change.Revision == 0 {
		return err
	}
	r.cfg.Log.Info("the clock was set: invitations end as long after now as before", "by", by)
	return r.carryOut(book, []network.Change{change})
}
