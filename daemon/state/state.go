// Package state keeps what one machine must remember of one network: who it is
// there, the last map, so that the tunnels come back without the coordinator,
// and the pins: the keys it has accepted, map or no map. Each network has a bbolt file of its own, NETWORK.state, which
// only one process has open at a time.
//
// A state that cannot be read is an error, never an empty state: an empty one
// would cut the machine off, or have no pins. The file then stays as it is. The
// map alone can be had again from the coordinator. Nothing is written while
// nothing changes.
//
// # Joining
//
// The file is made before the invitation is redeemed, with a key of its own
// and the invitation's temporary key as [Identity.Pending]. Once the
// coordinator has confirmed, [State.Confirm] clears it. Should the reply get
// lost, or the machine stop in between, the same key is submitted again, which
// the coordinator accepts: redeeming is idempotent for the same key.
//
// The section of such a join is written once the coordinator has accepted, so
// that [State.Finish] may confirm it later. Where the section was there before
// it tells nothing: Finish refuses what is marked [Identity.BySection].
//
// # Layout
//
// Bucket "meta" has "schema" (8 bytes, big endian) and "identity" (JSON), which
// keeps the redeemed invitation's public key, and "by section" (one byte) where
// that was in a section: in the identity older versions would not read it.
// Bucket "keys" has "private" and, while a join is pending, "pending" (32
// bytes each): private keys are apart, so that all else can be shown.
// Bucket "map" has "head" (JSON: position and self) once there is a map.
// Bucket "members" has a record for each member (JSON), under its address, so
// that saving a map writes the members that changed and not all of them.
// Bucket "pins" has a public key (32 bytes) for each address that has one
// pinned. Schema 1 had no pins; those of the map it has are made.
package state

import (
	"errors"
	"fmt"
	"path/filepath"

	"go.etcd.io/bbolt"

	"ginnel/daemon/core"
	"ginnel/key"
	"ginnel/platform/dbfile"
)

// Path returns where the state of a network lies in the state directory.
func Path(dir, network string) string { return filepath.Join(dir, network+".state") }

// State is one network's open file. It is used by one goroutine at a time.
type State struct {
	path     string
	db       *dbfile.DB
	identity Identity
}

// Create makes the file at path, mode 0600, for i, which must be complete but
// for Pending. The directory must exist. Where a file is already the error
// wraps platform.ErrExist and the file is not touched.
func Create(path string, i Identity) error {
	if i.IsPending() {
		i.Invitation = i.Pending.Public()
	}
	if err := i.check(); err != nil {
		return fmt.Errorf("create state %s: %w", path, err)
	}
	return dbfile.Create(path, func(tx *bbolt.Tx) error { return initialise(tx, &i) })
}

// Open opens the file at path, which must exist, and brings an older schema up
// to date, unless there is no room for it: then the next Save that finds some
// does. Errors wrap platform.ErrNotExist, platform.ErrInUse,
// dbfile.ErrDamaged or ErrNewer where that is the reason. The caller closes
// the State.
func Open(path string) (*State, error) {
	db, err := dbfile.Open(path, dbfile.Options{})
	if err != nil {
		return nil, err
	}
	s := &State{path: path, db: db}
	if err := s.load(); err != nil {
		db.Close()
		return nil, fmt.Errorf("open state %s: %w", path, err)
	}
	return s, nil
}

// Read returns who this machine is by the file at path, which another process
// may have open. Errors are Open's.
func Read(path string) (Identity, error) {
	db, err := dbfile.OpenCopy(path)
	if err != nil {
		return Identity{}, err
	}
	s := &State{path: path, db: db}
	defer s.Close()
	if err := s.load(); err != nil {
		return Identity{}, fmt.Errorf("read state %s: %w", path, err)
	}
	return s.identity, nil
}

func (s *State) load() error {
	if err := migrate(s.db); err != nil {
		return err
	}
	return s.db.View(func(tx *bbolt.Tx) error { return readIdentity(tx, &s.identity) })
}

// Identity returns who this machine is in the network.
func (s *State) Identity() Identity { return s.identity }

// IsPending tells whether redeeming the invitation is not confirmed yet.
func (s *State) IsPending() bool { return s.identity.IsPending() }

// Confirm says that the coordinator has accepted the key: the identity's
// Pending is cleared for good. Repeating it is harmless.
func (s *State) Confirm() error {
	if !s.identity.IsPending() {
		return nil
	}
	err := s.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketKeys).Delete(keyPending)
	})
	if err != nil {
		return fmt.Errorf("confirm the join in %s: %w", s.path, err)
	}
	s.identity.Pending = key.PrivateKey{}
	return nil
}

// Finish is Confirm for a join that was stopped and has a section without an
// invitation. Where that does not prove that the coordinator has accepted it is
// an error.
func (s *State) Finish() error {
	if s.IsPending() && s.identity.BySection {
		return errors.New("this machine has not joined yet: put option invitation back into the section, or run `ginnel leave`")
	}
	return s.Confirm()
}

// MarkBySection sets the identity's BySection for good.
func (s *State) MarkBySection() error {
	if s.identity.BySection {
		return nil
	}
	err := s.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketMeta).Put(keyBySection, []byte{1})
	})
	s.identity.BySection = err == nil
	return err
}

// Map returns the map saved last; nil when none was. The caller owns it.
func (s *State) Map() (m *core.Map, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		m, err = readMap(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("map in %s: %w", s.path, err)
	}
	return m, nil
}

// Pins returns the pins saved last, sorted by address. The caller owns them.
func (s *State) Pins() (pins []core.Pin, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		pins, err = readPins(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pins in %s: %w", s.path, err)
	}
	return pins, nil
}

// Save replaces the saved map by k's, where it has one, and the saved pins by
// k's, in one transaction: after a crash both are k's or both are those before.
// What equals what is saved is not written. It keeps nothing of k.
func (s *State) Save(k core.Save) error {
	err := update(s.db, func(tx *bbolt.Tx) error { return write(tx, &k) })
	if err != nil {
		return fmt.Errorf("save the map and the pins in %s: %w", s.path, err)
	}
	return nil
}

// Close releases the file for other processes. The State is not used after.
func (s *State) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close state %s: %w", s.path, err)
	}
	return nil
}
