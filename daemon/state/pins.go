package state

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"

	"go.etcd.io/bbolt"

	"ginnel/daemon/core"
	"ginnel/key"
	"ginnel/platform/dbfile"
)

// readPins returns the pins in the order of their addresses, which is the
// records'. A file of schema 1 has those of its map.
func readPins(tx *bbolt.Tx) (pins []core.Pin, err error) {
	b := tx.Bucket(bucketPins)
	if b == nil {
		return pinsOfMap(tx)
	}
	err = b.ForEach(func(k, v []byte) error {
		a, ok := netip.AddrFromSlice(k)
		if !ok || len(v) != key.Size {
			return damaged("a pin has %d bytes of address and %d of key", len(k), len(v))
		}
		pin := core.Pin{Address: a, PublicKey: key.PublicKey(v)}
		if err := pin.PublicKey.Check(); err != nil {
			return damaged("pin of %s: %w", a, err)
		}
		pins = append(pins, pin)
		return nil
	})
	return pins, err
}

// writePins makes the records those of pins and tells whether any differed.
func writePins(tx *bbolt.Tx, pins []core.Pin) (changed bool, err error) {
	b := tx.Bucket(bucketPins)
	for i := range pins {
		at, want := pins[i].Address.AsSlice(), pins[i].PublicKey[:]
		if bytes.Equal(b.Get(at), want) {
			continue
		}
		if err := b.Put(at, want); err != nil {
			return false, err
		}
		changed = true
	}
	gone, err := deleteOthers(b, len(pins), func(i int) netip.Addr { return pins[i].Address })
	return changed || gone, err
}

// pinSavedMap leads from schema 1 to 2.
func pinSavedMap(tx *bbolt.Tx) error {
	pins, err := pinsOfMap(tx)
	if err != nil {
		return err
	}
	if _, err := tx.CreateBucket(bucketPins); err != nil {
		return fmt.Errorf("bucket %s: %w", bucketPins, err)
	}
	_, err = writePins(tx, pins)
	return err
}

// pinsOfMap returns pins for the keys that this machine has in its map: they
// were accepted by an older ginnel. A coordinator pins nobody. Of a map that is
// damaged there are none: whoever reads the map tells, and goes on without it.
func pinsOfMap(tx *bbolt.Tx) (pins []core.Pin, err error) {
	var i Identity
	if err := readIdentity(tx, &i); err != nil {
		return nil, err
	}
	if i.Address == i.Coordinator.Address {
		return nil, nil
	}
	m, err := readMap(tx)
	if errors.Is(err, dbfile.ErrDamaged) {
		return nil, nil
	}
	if m == nil || err != nil {
		return nil, err
	}
	for _, member := range m.Members {
		if member.Address != i.Coordinator.Address {
			pins = append(pins, core.Pin{Address: member.Address, PublicKey: member.PublicKey})
		}
	}
	return pins, nil
}
