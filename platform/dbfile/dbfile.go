// Package dbfile puts files where they must survive: bbolt databases, and
// plain files that are replaced as a whole.
//
// A file appears under its name complete or not at all. It is written under
// another name in the same directory, synced, put in its place by rename(2)
// or, where nothing may be replaced, by link(2), and then the directory is
// synced. A power cut or a kill in between can leave a file ".NAME.tmp-*" behind,
// which nobody reads, and which the next writer of NAME removes. Where path is a
// symbolic link, the link is replaced, not what it points to.
//
// What root makes, as commands do, is given to the owner of its directory: the
// daemon may be an ordinary user's.
//
// # On flash
//
// bbolt maps its file, shared and for reading, through the descriptor that it
// writes with. jffs2, and overlayfs over it, which is /etc on most routers,
// refuse that with EINVAL: they never let a page be written through a mapping,
// and such a mapping could be made writable later (mm/filemap.c,
// generic_file_readonly_mmap). So a database has two open file descriptions, on
// every file system alike:
//
//   - The read-only one is mapped and has the lock, from before the first read
//     to Close. flock(2) belongs to the description, so [DB] keeps a
//     descriptor of it: the mapping alone does not keep it, since overlayfs
//     maps the file below.
//   - The writable one takes the place of the other under bbolt's descriptor,
//     by dup3(2), once bbolt has opened. What is written through it is seen
//     through the mapping: both are the same page cache. It is opened first,
//     because overlayfs copies a file up then, and a descriptor from before
//     would go on showing the one below.
//
// A new mapping would be refused now, and would go without the lock elsewhere.
// So there never is one: room for growth is mapped at once, see mapRoom, and a
// transaction that finds it used up fails with [ErrFull] and changes nothing.
// The file itself is no longer than what it holds and a little; bbolt would
// make it as long as the mapping.
//
// bbolt cannot start an empty file under these conditions: a new database is
// made in RAM (memfd_create) and moved.
//
// NFS is no place for a database: it locks for writing only what is open for
// writing.
//
// # Damage
//
// [Open] reads every page of the tree before it hands a database out. Ours
// have some hundred kilobytes, so this takes milliseconds, and a page that
// flash has lost is then an error with a name, instead of a panic or a fatal
// fault in the middle of a transaction. For the same reason the list of free
// pages is kept in the file: without it bbolt rebuilds the list in a goroutine
// of its own, where a panic over a damaged page cannot be caught. That costs
// one page more in each commit. The list is an array: ours is short, and the
// map would only take more memory.
//
// A mapping that is longer than its file must not be read beyond the file's
// end: that is a fault. bbolt reads no page above the high water mark in its
// meta page, Open compares that with the file's length, and later transactions
// make the file longer before they move the mark.
package dbfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"

	"ginnel/platform"
)

// ErrFull is wrapped by Update's error when the database has outgrown what was
// mapped when it was opened; opened again it has room for as much once more.
var ErrFull = errors.New("the database has no room left until the daemon is restarted")

// ErrNoSpace is wrapped by Update's error when the file system is full; what is
// in the database stays as it was.
var ErrNoSpace = errors.New("the disk is full")

// defaultWait is how long Open waits for a lock when nobody says: a program
// that is just ending has let go by then.
const defaultWait = time.Second

// Options are how a database is opened. The zero value is fine.
type Options struct {
	// Wait is how long to wait for another process to let go of the file, at
	// least 100 ms. 0: one second.
	Wait time.Duration
}

// DB is an open database. Its methods may be called concurrently.
type DB struct {
	bolt *bbolt.DB
	lock *os.File // of the description that is mapped and locked
	size int      // of the mapping, in bytes
}

// Open opens the database at path, which must exist, and locks it against
// every other process. The caller closes it. The file is never created,
// replaced or repaired. Errors wrap
//
//   - platform.ErrNotExist and fs.ErrNotExist when there is no file,
//   - platform.ErrInUse when another process has it open,
//   - ErrDamaged when the file is not a sound database of this machine.
func Open(path string, o Options) (*DB, error) {
	if o.Wait == 0 {
		o.Wait = defaultWait
	}
	db, err := openFiles(path, o)
	if err != nil {
		return nil, explain(path, err)
	}
	return db, nil
}

// explain makes an error that opening path ended with ready for people.
func explain(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("database %s %w: %w", path, platform.ErrNotExist, fs.ErrNotExist)
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("database %s is %w: another ginnel has it open", path, platform.ErrInUse)
	case errors.Is(err, unix.EBADF): // of flock
		return fmt.Errorf("database %s lies on a file system that cannot lock it, such as NFS: move it to a local one: %w", path, err)
	}
	return fmt.Errorf("open database %s: %w", path, err)
}

// IsFull tells whether err says that there was no room to write: none on the
// disk, of a quota, or in the database.
func IsFull(err error) bool {
	return errors.Is(err, ErrFull) || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

// View calls f with a transaction that sees one state of the database.
func (db *DB) View(f func(*bbolt.Tx) error) error { return db.bolt.View(f) }

// Update calls f with the only transaction that writes, and commits what it
// did unless it fails. After an error nothing has changed, as far as this
// process can tell: a commit that reached the disk may have been reported as
// failed.
func (db *DB) Update(f func(*bbolt.Tx) error) error {
	err := db.bolt.Update(f)
	switch {
	case errors.Is(err, berrors.ErrMaxSizeReached):
		return fmt.Errorf("%w: it has %d MB", ErrFull, db.size>>20)
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}

// Close waits for transactions to end and lets go of the file. What is done
// with db afterwards fails.
func (db *DB) Close() error { return errors.Join(db.bolt.Close(), db.lock.Close()) }
