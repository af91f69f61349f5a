package store

import (
	"fmt"
	"strconv"

	"go.etcd.io/bbolt"

	"ginnel/platform/dbfile"
)

// schema is the version this program writes.
const schema = 2

// The buckets and the keys in meta.
var (
	metaBucket         = []byte("meta")
	cidrsBucket        = []byte("cidrs")
	peersBucket        = []byte("peers")
	associationsBucket = []byte("associations")
	retiredBucket      = []byte("retired")
	changesBucket      = []byte("changes")

	buckets = [][]byte{metaBucket, cidrsBucket, peersBucket, associationsBucket, retiredBucket, changesBucket}

	schemaKey      = []byte("schema")
	nameKey        = []byte("name")
	revisionKey    = []byte("revision")
	coordinatorKey = []byte("coordinator")
	endpointsKey   = []byte("endpoints")
)

// migration brings a file from one schema to the next.
type migration func(*bbolt.Tx) error

// migrations[i] leads from schema i+1 to schema i+2; there is one less than
// there are schemas.
var migrations = [schema - 1]migration{noEndpoints}

// noEndpoints leads to schema 2: nobody has told the book where the coordinator
// is found. Who reads takes it so also while this is not written.
func noEndpoints(tx *bbolt.Tx) error {
	w := writer{tx: tx}
	w.putEndpoints(nil)
	return w.err
}

// migrate brings the file up to date, all in one transaction. A file that is
// up to date is not written to. One for which there is no room stays as it is
// until the next commit, and is read nonetheless: a full flash must not cut a
// network off when its coordinator is upgraded.
func migrate(db *dbfile.DB, steps []migration) error {
	newest := len(steps) + 1
	var have int
	if err := db.View(func(tx *bbolt.Tx) (err error) {
		have, err = readSchema(tx)
		return err
	}); err != nil {
		return err
	}
	switch {
	case have > newest:
		return fmt.Errorf("schema is %d, this program knows up to %d: %w", have, newest, ErrNewer)
	case have == newest:
		return db.View(checkBuckets)
	}
	err := db.Update(func(tx *bbolt.Tx) error {
		if err := upgrade(tx, steps); err != nil {
			return err
		}
		return checkBuckets(tx)
	})
	if dbfile.IsFull(err) {
		return db.View(checkBuckets)
	}
	return err
}

// upgrade runs the steps that the file needs.
func upgrade(tx *bbolt.Tx, steps []migration) error {
	have, err := readSchema(tx)
	if err != nil || have > len(steps) {
		return err
	}
	for ; have <= len(steps); have++ {
		if err := steps[have-1](tx); err != nil {
			return fmt.Errorf("migrate schema %d to %d: %w", have, have+1, err)
		}
	}
	if err := tx.Bucket(metaBucket).Put(schemaKey, []byte(strconv.Itoa(have))); err != nil {
		return fmt.Errorf("write schema: %w", err)
	}
	return nil
}

func readSchema(tx *bbolt.Tx) (int, error) {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		return 0, fmt.Errorf("not a book: %w", dbfile.ErrDamaged)
	}
	n, err := strconv.Atoi(string(meta.Get(schemaKey)))
	if err != nil || n < 1 {
		return 0, fmt.Errorf("schema is not a number: %w", dbfile.ErrDamaged)
	}
	return n, nil
}

// checkBuckets lets everybody else rely on the buckets.
func checkBuckets(tx *bbolt.Tx) error {
	for _, name := range buckets {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("bucket %s is missing: %w", name, dbfile.ErrDamaged)
		}
	}
	return nil
}
