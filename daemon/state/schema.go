package state

import (
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"ginnel/platform/dbfile"
)

// ErrNewer is wrapped by Open's error when the file was written by a newer
// ginnel than this one.
var ErrNewer = errors.New("written by a newer ginnel: install that version, or a later one")

// schema is the version of the layout in the package comment.
const schema = 2

// migrations bring a file up by one version each: migrations[v] is given a
// file of version v and leaves one of version v+1. All that are needed run in
// one transaction. There has been no version 0. Where there is no room for them
// what reads has to manage with the older file: a full flash must not cut a
// router off when it is upgraded.
var migrations = [schema]func(*bbolt.Tx) error{1: pinSavedMap}

// The buckets and their keys.
var (
	bucketMeta    = []byte("meta")
	bucketKeys    = []byte("keys")
	bucketMap     = []byte("map")
	bucketMembers = []byte("members")
	bucketPins    = []byte("pins")

	keySchema    = []byte("schema")
	keyIdentity  = []byte("identity")
	keyBySection = []byte("by section")
	keyPrivate   = []byte("private")
	keyPending   = []byte("pending")
	keyHead      = []byte("head")
)

// buckets are all that a file has; those of schema 1 had no bucketPins.
var buckets = [][]byte{bucketMeta, bucketKeys, bucketMap, bucketMembers, bucketPins}

// errUnchanged ends a transaction that has nothing to write.
var errUnchanged = errors.New("nothing changed")

// damaged says that a record is not what this package writes.
func damaged(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, dbfile.ErrDamaged)...)
}

// migrate brings an older file up to date; one of this version is not written.
// One for which there is no room stays as it is until something is written.
func migrate(db *dbfile.DB) error {
	err := update(db, func(*bbolt.Tx) error { return errUnchanged })
	if dbfile.IsFull(err) {
		return nil
	}
	return err
}

// update lets f write to a file that is up to date, in the transaction that
// brings it there. It is nothing to do if f returns errUnchanged and it was.
func update(db *dbfile.DB, f func(*bbolt.Tx) error) error {
	err := db.Update(func(tx *bbolt.Tx) error {
		migrated, err := upgrade(tx)
		if err != nil {
			return err
		}
		if err = f(tx); migrated && errors.Is(err, errUnchanged) {
			return nil
		}
		return err
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

// upgrade runs the migrations that the file needs, and tells whether it did.
func upgrade(tx *bbolt.Tx) (migrated bool, err error) {
	version, err := readSchema(tx)
	if err != nil || version == schema {
		return false, err
	}
	for ; version < schema; version++ {
		if err := migrations[version](tx); err != nil {
			return false, fmt.Errorf("bring schema %d to %d: %w", version, version+1, err)
		}
	}
	return true, writeSchema(tx)
}

func readSchema(tx *bbolt.Tx) (uint64, error) {
	meta := tx.Bucket(bucketMeta)
	if meta == nil {
		return 0, damaged("it is not a ginnel state")
	}
	b := meta.Get(keySchema)
	if len(b) != 8 {
		return 0, damaged("it has no schema version")
	}
	version := binary.BigEndian.Uint64(b)
	switch {
	case version > schema:
		return 0, fmt.Errorf("schema %d is not known, the newest known is %d: %w", version, schema, ErrNewer)
	case version == 0:
		return 0, damaged("it has schema version 0")
	}
	return version, nil
}

func writeSchema(tx *bbolt.Tx) error {
	return tx.Bucket(bucketMeta).Put(keySchema, binary.BigEndian.AppendUint64(nil, schema))
}
