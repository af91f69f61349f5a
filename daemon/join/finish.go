package join

import (
	"errors"
	"fmt"

	"ginnel/daemon/state"
	"ginnel/platform"
	"ginnel/wire"
)

// Finished tells how far the join by an invitation had come whose section is in
// the configuration.
type Finished int

// How far it had come.
const (
	Foreign Finished = iota // this machine's state is not of this invitation, or missing
	Now                     // it was stopped before it was confirmed, which is done now
	Before                  // there was nothing left to do
)

// Finish confirms a join that was stopped after its section was written: that
// is done only once the coordinator has accepted. Its error wraps
// platform.ErrInUse while a daemon has the state open.
func Finish(stateDir string, inv *wire.Invitation) (Finished, error) {
	s, err := state.Open(state.Path(stateDir, inv.Network))
	if errors.Is(err, platform.ErrNotExist) {
		return Foreign, nil
	} else if err != nil {
		return Foreign, err
	}
	id := s.Identity()
	how := Before
	switch {
	case !isOf(&id, inv):
		how = Foreign
	case id.IsPending():
		how = Now
		err = s.Confirm()
	}
	if err := errors.Join(err, s.Close()); err != nil {
		return Foreign, fmt.Errorf("finish the join: %w", err)
	}
	return how, nil
}

// isOf tells whether id was made by redeeming inv. Of a finished join the
// invitation's key is not known any more, but its address is given out once.
func isOf(id *state.Identity, inv *wire.Invitation) bool {
	c := &inv.Coordinator
	same := id.Root == inv.Root && id.Address == inv.Address && id.Coordinator.Address == c.Address && id.Coordinator.PublicKey == c.PublicKey
	return same && (!id.IsPending() || id.Pending.Equal(inv.Key))
}
