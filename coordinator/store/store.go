// Package store keeps the coordinator's book on disk: one bbolt file, usually
// NETWORK.book. The file holds public keys only.
//
// # Schema 2
//
//	meta          schema, name, revision, coordinator -> text
//	              endpoints                           -> [host:port, ...]
//	cidrs         address bytes, prefix length        -> {name, isolated}
//	peers         address bytes                       -> {name, key, ...}
//	associations  key of CIDR A, key of CIDR B        -> nothing
//	retired       address bytes                       -> nothing
//	changes       revision, 8 bytes big-endian        -> parts of that change
//
// Keys sort as the book does, since all addresses of a network are of one
// family. Values are JSON. The last [TailLength] changes are kept with their
// parts alone, so that peers get deltas across a restart; older ones go in the
// transaction that adds new ones.
//
// Schema 1 had no endpoints: they were in the configuration alone.
//
// # Backups
//
// A database is of one byte order, and its file must not be copied while it is
// written to. A [Backup] is a text that every kind of machine reads, with all that
// makes a machine the coordinator, the private key included. It is made from
// what is on the disk ([Read]), beside a running daemon and without one; so the
// key is given to those who may read the files, and never leaves by the daemon's
// socket, which more people may open.
//
// # Failures
//
// A commit is one bbolt transaction, which the next start finds whole or not
// at all. A transaction may also reach the disk and be reported as failed: the
// file is then ahead of the book, every later commit finds that out and fails
// with [ErrOutOfStep], and whoever opens the file anew goes on from there. A damaged file is an error and is never
// written to.
package store

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"go.etcd.io/bbolt"

	"ginnel/network"
	"ginnel/platform/dbfile"
)

// TailLength is how many of the last changes are kept.
const TailLength = 1000

// ErrNewer is wrapped by Open's error when a newer ginnel wrote the file.
var ErrNewer = errors.New("written by a newer ginnel: install that version, or a later one")

// ErrOutOfStep is wrapped by Commit's error when the file is at another revision
// than the one before the change: all that follows will be refused as well.
var ErrOutOfStep = errors.New("the book and its file are out of step")

// ErrNoSpace is wrapped by Commit's error when the file system is full: nothing
// is written down, and the next Commit may be.
var ErrNoSpace = dbfile.ErrNoSpace

// Store is an open book file. Commit and Close may be called concurrently.
type Store struct{ db *dbfile.DB }

// Create makes the file at path, mode 0600, with book in it and change, the
// one that led to it, as its tail; a zero change leaves the tail empty. An
// existing file is an error that wraps fs.ErrExist.
func Create(path string, book *network.Book, change network.Change) error {
	return dbfile.Create(path, func(tx *bbolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucket(name); err != nil {
				return fmt.Errorf("make bucket %s: %w", name, err)
			}
		}
		s := book.Snapshot()
		w := writer{tx: tx}
		w.put(metaBucket, schemaKey, []byte(strconv.Itoa(schema)))
		w.put(metaBucket, nameKey, []byte(s.Name))
		w.put(metaBucket, coordinatorKey, []byte(s.Coordinator.String()))
		w.put(metaBucket, revisionKey, revisionText(s.Revision))
		w.putEndpoints(nil) // the book may have none
		w.putRecords(s.Records)
		if change.Revision != 0 {
			w.putChange(change)
		}
		return w.err
	})
}

// Open opens the book file at path, brings it up to the current schema, unless
// there is no room for that now, and returns it with its book and its last
// changes, oldest first, which have no records. The caller closes the Store.
// Errors wrap fs.ErrNotExist, dbfile.ErrDamaged, ErrNewer or platform.ErrInUse
// where that is the cause.
func Open(path string) (*Store, *network.Book, []network.Change, error) {
	return open(path, migrations[:])
}

func open(path string, steps []migration) (*Store, *network.Book, []network.Change, error) {
	db, err := dbfile.Open(path, dbfile.Options{})
	if err != nil {
		return nil, nil, nil, err
	}
	book, tail, err := load(db, steps)
	if err != nil {
		db.Close()
		return nil, nil, nil, fmt.Errorf("read book %s: %w", path, err)
	}
	return &Store{db: db}, book, tail, nil
}

// Read returns the book in the file at path, which another process may have open
// and write to. Errors are Open's.
func Read(path string) (*network.Book, error) {
	db, err := dbfile.OpenCopy(path)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	book, _, err := load(db, migrations[:])
	if err != nil {
		return nil, fmt.Errorf("read book %s: %w", path, err)
	}
	return book, nil
}

func load(db *dbfile.DB, steps []migration) (book *network.Book, tail []network.Change, err error) {
	if err := migrate(db, steps); err != nil {
		return nil, nil, err
	}
	err = db.View(func(tx *bbolt.Tx) error {
		s, err := readSnapshot(tx)
		if err != nil {
			return err
		}
		if book, err = network.Load(s); err != nil {
			return fmt.Errorf("%w (%w)", err, dbfile.ErrDamaged)
		}
		tail, err = readChanges(tx)
		return err
	})
	return book, tail, err
}

// Commit writes changes, of consecutive revisions, in one transaction. After
// an error none of them counts, and one that wraps ErrOutOfStep ends the use of
// the Store.
func (s *Store) Commit(changes ...network.Change) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		if err := upgrade(tx, migrations[:]); err != nil {
			return err
		}
		w := writer{tx: tx}
		for _, c := range changes {
			if err := checkRevision(tx, c.Revision-1); err != nil {
				return err
			}
			w.deleteRecords(c.Delete)
			w.putRecords(c.Put)
			w.putChange(c)
			w.put(metaBucket, revisionKey, revisionText(c.Revision))
			if w.err != nil {
				return w.err
			}
		}
		return w.err
	})
}

// checkRevision makes sure that the file is at revision want.
func checkRevision(tx *bbolt.Tx, want uint64) error {
	have, err := readRevision(tx)
	if err != nil {
		return err
	}
	if have != want {
		return fmt.Errorf("%w: the file is at revision %d, the book at %d", ErrOutOfStep, have, want)
	}
	return nil
}

// Close closes the file. Commits after it fail.
func (s *Store) Close() error { return s.db.Close() }

func readRevision(tx *bbolt.Tx) (uint64, error) {
	n, err := strconv.ParseUint(string(tx.Bucket(metaBucket).Get(revisionKey)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("revision is not a number: %w", dbfile.ErrDamaged)
	}
	return n, nil
}

func readCoordinator(tx *bbolt.Tx) (netip.Addr, error) {
	a, err := netip.ParseAddr(string(tx.Bucket(metaBucket).Get(coordinatorKey)))
	if err != nil {
		return a, fmt.Errorf("coordinator is not an address: %w", dbfile.ErrDamaged)
	}
	return a, nil
}
