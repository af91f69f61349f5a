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
// is done only once the coordinator has accepted. Of one by an invitation in the
// section that is not known: an error says so. While a daemon has the state open
// a join that is finished is told all the same; of another the error wraps
// platform.ErrInUse.
func Finish(stateDir string, inv *wire.Invitation) (Finished, error) {
	path := state.Path(stateDir, inv.Network)
	s, err := state.Open(path)
	switch {
	case errors.Is(err, platform.ErrNotExist):
		return Foreign, nil
	case errors.Is(err, platform.ErrInUse):
		return beside(path, inv, err)
	case err != nil:
		return Foreign, err
	}
	id := s.Identity()
	how := Before
	switch {
	case !isOf(&id, inv):
		how = Foreign
	case id.IsPending():
		how = Now
		err = s.Finish()
	}
	if err := errors.Join(err, s.Close()); err != nil {
		return Foreign, fmt.Errorf("finish the join: %w", err)
	}
	return how, nil
}

// beside is Finish for a state that another process has open; inUse says so.
func beside(path string, inv *wire.Invitation, inUse error) (Finished, error) {
	id, err := state.Read(path)
	switch {
	case err != nil:
		return Foreign, err
	case !isOf(&id, inv):
		return Foreign, nil
	case id.IsPending():
		return Foreign, inUse
	}
	return Before, nil
}

// isOf tells whether id was made by redeeming inv. An address says nothing: it
// is given to somebody else once its peer is removed. Of a state that does not
// remember what was redeemed it is not claimed.
func isOf(id *state.Identity, inv *wire.Invitation) bool {
	if id.IsPending() { // perhaps of a version that kept nothing else
		return id.Pending.Equal(inv.Key)
	}
	return id.Invitation == inv.Key.Public()
}
