package dbfile

import (
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

const (
	// mapRoom is the least that is mapped of a database, in bytes. The book of
	// 1,000 peers has half a megabyte. A mapping costs address space until it is
	// read; 32-bit MIPS has 2 GB of it, and two databases for each network.
	mapRoom = 32 << 20

	// growStep is how much longer than needed a file becomes when it grows, in
	// bytes: each time costs a sync more, and never more than this is empty.
	growStep = 32 << 10
)

// mapSize is how much to map of a file that has size bytes.
func mapSize(size int64) int { return int(min(max(mapRoom, 2*size), math.MaxInt)) }

// openFiles opens the database over both descriptions.
func openFiles(path string, o Options) (*DB, error) {
	writable, readable, err := openTwice(path)
	if err != nil {
		return nil, err
	}
	defer writable.Close()
	info, err := readable.Stat()
	if err != nil {
		readable.Close()
		return nil, err
	}
	lock, err := duplicate(readable)
	if err != nil {
		readable.Close()
		return nil, err
	}
	db := &DB{lock: lock, size: mapSize(info.Size())}
	if db.bolt, err = openChecked(path, readable, db.size, o.Wait); err != nil {
		lock.Close()
		return nil, err
	}
	// bbolt only reads while it opens, and all its calls use this number.
	err = unix.Dup3(int(writable.Fd()), int(readable.Fd()), unix.O_CLOEXEC)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("put the writable descriptor in place: %w", err), db.Close())
	}
	return db, nil
}

// openTwice opens an existing file for writing and then for reading.
func openTwice(path string) (writable, readable *os.File, err error) {
	if writable, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		return nil, nil, err
	}
	if readable, err = os.Open(path); err == nil {
		if err = sameFile(writable, readable); err == nil {
			return writable, readable, nil
		}
		readable.Close()
	}
	writable.Close()
	return nil, nil, err
}

// sameFile makes sure that two descriptors are of one regular file.
func sameFile(a, b *os.File) error {
	infoA, err := a.Stat()
	if err != nil {
		return err
	}
	infoB, err := b.Stat()
	switch {
	case err != nil:
		return err
	case !infoA.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", a.Name())
	case !os.SameFile(infoA, infoB):
		return errors.New("the file was replaced while it was being opened: try again")
	}
	return nil
}

// duplicate returns another descriptor of f's description, which ends with the
// last of them, and with it its lock.
func duplicate(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("duplicate a descriptor: %w", err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// openChecked has bbolt open file and looks at every page. It takes file over
// also when it fails. After a panic in bbolt.Open the lock and the descriptor
// are taken back, and the mapping leaks: the program is about to end anyway.
func openChecked(path string, file *os.File, size int, wait time.Duration) (db *bbolt.DB, err error) {
	err = guard(func() (err error) {
		if err := checkHead(file); err != nil {
			return err
		}
		if db, err = openBolt(path, file, size, wait); err != nil {
			return err
		}
		return checkPages(db, file)
	})
	switch {
	case err == nil:
		return db, nil
	case db != nil:
		db.Close()
	default: // perhaps closed by bbolt already, which is harmless
		unix.Flock(int(file.Fd()), unix.LOCK_UN)
		file.Close()
	}
	return nil, err
}

// openBolt hands file to bbolt, which closes it with the database, and maps
// size bytes of it.
func openBolt(path string, file *os.File, size int, wait time.Duration) (*bbolt.DB, error) {
	db, err := bbolt.Open(path, 0, &bbolt.Options{
		Timeout:         wait,
		FreelistType:    bbolt.FreelistArrayType,
		InitialMmapSize: size,
		// bbolt looks at this before it would map anew: with growStep on top of
		// what it needs it always finds this too small then.
		MaxSize:      size,
		NoStatistics: true,
		OpenFile:     func(string, int, os.FileMode) (*os.File, error) { return file, nil },
	})
	if err != nil {
		return nil, err
	}
	db.AllocSize = growStep
	return db, nil
}
