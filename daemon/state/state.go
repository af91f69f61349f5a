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
// # Layout
//
// Bucket "meta" has "schema" (8 bytes, big endian) and "identity" (JSON), which
// keeps the redeemed invitation's public key.
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
	"net/netip"
	"path/filepath"

	"go.etcd.io/bbolt"

	"ginnel/daemon/core"
	"ginnel/key"
	"ginnel/platform/dbfile"
)

// Path returns where the state of a network lies in the state directory.
func Path(dir, network string) string { return filepath.Join(dir, network+".state") }

// Identity is who this machine is in one network.
type Identity struct {
	Network     string         `json:"network"` // the network's name
	Root        netip.Prefix   `json:"root"`    // the network's root CIDR
	Name        string         `json:"name"`    // this peer's name when it joined; the map knows the present one
	Address     netip.Addr     `json:"address"` // this peer's overlay address
	PrivateKey  key.PrivateKey `json:"-"`       // this peer's own; never zero
	Coordinator Coordinator    `json:"coordinator"`
	// Pending is the invitation's temporary key while redeeming it is not
	// confirmed. Zero: this machine is a peer.
	Pending key.PrivateKey `json:"-"`
	// Invitation is the public half of the key of the invitation that was, or is
	// being, redeemed; Create derives it from Pending. Zero: there was none, or
	// the file is of a version that did not remember.
	Invitation key.PublicKey `json:"invitation,omitzero"`
}

// IsPending tells whether redeeming the invitation is not confirmed yet.
func (i *Identity) IsPending() bool { return !i.Pending.IsZero() }

// Coordinator is the coordinator this machine has joined. On the coordinator's
// own machine its address and key are the machine's own. Where it is found on
// the underlay is configuration, not state.
type Coordinator struct {
	Address   netip.Addr    `json:"address"`    // overlay address
	PublicKey key.PublicKey `json:"public_key"` // never zero
	APIPort   uint16        `json:"api_port"`   // TCP port of its API on Address; never 0
}

// check tells what an identity lacks.
func (i *Identity) check() error {
	switch {
	case i.Network == "" || i.Name == "":
		return errors.New("identity has no name of the network or of the peer")
	case i.Root != i.Root.Masked() || !i.Root.Contains(i.Address):
		return fmt.Errorf("identity's address %s is not in its network %s", i.Address, i.Root)
	case !i.Root.Contains(i.Coordinator.Address) || i.Coordinator.APIPort == 0:
		return fmt.Errorf("identity's coordinator %s, port %d, is not in its network %s", i.Coordinator.Address, i.Coordinator.APIPort, i.Root)
	case i.PrivateKey.IsZero() || i.Coordinator.PublicKey.IsZero():
		return errors.New("identity has no private key or no coordinator's key")
	}
	return nil
}

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
