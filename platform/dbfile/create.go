package dbfile

import (
	"errors"
	"fmt"
	"io"
	"os"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// Create makes a database at path with what init puts into it, in one
// transaction, with mode 0600 and the owner of its directory, which must exist.
// When a file is there
// already the error wraps platform.ErrExist and fs.ErrExist and the file is
// not touched; when init fails its error is wrapped and nothing is left
// behind. The database is closed afterwards: open it with Open.
func Create(path string, init func(*bbolt.Tx) error) error {
	ram, size, err := inMemory(init)
	if err != nil {
		return fmt.Errorf("make database %s: %w", path, err)
	}
	defer ram.Close()
	return put(path, 0o600, handOver, moveNew, func(w io.Writer) error {
		all := make([]byte, size) // io.Copy would bring all that files can do into the binary
		if _, err := io.ReadFull(ram, all); err != nil {
			return err
		}
		_, err := w.Write(all)
		return err
	})
}

// inMemory makes a database in a file without a name, and returns it at its
// beginning, with the number of bytes in use: bbolt makes it longer.
func inMemory(init func(*bbolt.Tx) error) (ram *os.File, size int64, err error) {
	if ram, err = newMemory(); err != nil {
		return nil, 0, err
	}
	if size, err = fillMemory(ram, init); err != nil {
		ram.Close()
		return nil, 0, err
	}
	return ram, size, nil
}

// newMemory makes a file without a name.
func newMemory() (*os.File, error) {
	fd, err := unix.MemfdCreate("ginnel", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a file in memory: %w", err)
	}
	return os.NewFile(uintptr(fd), "memory"), nil
}

func fillMemory(ram *os.File, init func(*bbolt.Tx) error) (size int64, err error) {
	// bbolt closes the descriptor it is given, and with the last one the file
	// would be gone.
	file, err := duplicate(ram)
	if err != nil {
		return 0, err
	}
	db, err := openBolt("memory", file, mapRoom, defaultWait)
	if err != nil {
		return 0, err
	}
	err = db.Update(init)
	if err == nil {
		err = db.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil })
	}
	return size, errors.Join(err, db.Close())
}
