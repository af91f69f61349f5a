// Package dbfile puts files where they must survive: bbolt databases, and
// plain files that are replaced as a whole.
//
// A file appears under its name complete or not at all. It is written under
// another name in the same directory, synced, put in its place by rename(2)
// or, where nothing may be replaced, by link(2), and then the directory is
// synced. A power cut or a kill in between can leave a file ".NAME.tmp-*" behind,
// which nobody reads, and which the next writer of NAME removes. Where path is a symbolic link, the link is replaced, not what
// it points to.
//
// A new database is made in RAM first (memfd_create), since bbolt cannot start
// an empty file everywhere; see [Open].
//
// [Open] reads every page of the tree before it hands a database out. Ours
// have some hundred kilobytes, so this takes milliseconds, and a page that
// flash has lost is then an error with a name, instead of a panic or a fatal
// fault in the middle of a transaction. For the same reason the list of free
// pages is kept in the file: without it bbolt rebuilds the list in a goroutine
// of its own, where a panic over a damaged page cannot be caught. That costs
// one page more in each commit. The list is an array: ours is short, and the
// map would only take more memory.
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

// defaultWait is how long Open waits for a lock when nobody says: a program
// that is just ending has let go by then.
const defaultWait = time.Second

// mapSize is how much of a database is mapped at first, in bytes. bbolt makes
// a file that grows as long as its mapping, with a hole at the end.
const mapSize = 128 << 10

// Options are how a database is opened. The zero value is fine.
type Options struct {
	// Wait is how long to wait for another process to let go of the file, at
	// least 100 ms. 0: one second.
	Wait time.Duration
}

// Open opens the database at path, which must exist, and locks it against
// every other process. The caller closes it. The file is never created,
// replaced or repaired. Errors wrap
//
//   - platform.ErrNotExist and fs.ErrNotExist when there is no file,
//   - platform.ErrInUse when another process has it open,
//   - ErrDamaged when the file is not a sound database of this machine.
func Open(path string, o Options) (*bbolt.DB, error) {
	if o.Wait == 0 {
		o.Wait = defaultWait
	}
	db, err := openChecked(path, o)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("database %s %w: %w", path, platform.ErrNotExist, fs.ErrNotExist)
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("database %s is %w: another ginnel has it open", path, platform.ErrInUse)
	case err != nil:
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return db, nil
}

// openChecked opens the database and looks at every page. After a panic in
// bbolt.Open the lock and the descriptor are taken back, and the mapping leaks,
// which alone would keep the lock: the program is about to end anyway.
func openChecked(path string, o Options) (db *bbolt.DB, err error) {
	var file *os.File
	err = guard(func() (err error) {
		file, err = openFile(path)
		if err != nil {
			return err
		}
		if err := checkHead(file); err != nil {
			return err
		}
		if db, err = openBolt(path, file, o.Wait); err != nil {
			return err
		}
		return checkPages(db, file)
	})
	switch {
	case err == nil:
		return db, nil
	case db != nil:
		db.Close()
	case file != nil: // perhaps closed by bbolt already, which is harmless
		unix.Flock(int(file.Fd()), unix.LOCK_UN)
		file.Close()
	}
	return nil, err
}

// openFile opens an existing file for bbolt. jffs2, and overlayfs over it,
// will want another descriptor here than the one bbolt writes with (a later
// milestone): a read-only one to map, and a writable one in its place after
// openBolt, with a mapping well above the file's size.
func openFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// openBolt hands file to bbolt, which closes it with the database.
func openBolt(path string, file *os.File, wait time.Duration) (*bbolt.DB, error) {
	return bbolt.Open(path, 0, &bbolt.Options{
		Timeout:         wait,
		FreelistType:    bbolt.FreelistArrayType,
		InitialMmapSize: mapSize,
		NoStatistics:    true,
		OpenFile:        func(string, int, os.FileMode) (*os.File, error) { return file, nil },
	})
}
