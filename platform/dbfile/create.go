package dbfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// Create makes a database at path with what init puts into it, in one
// transaction, with mode 0600. The directory must exist. When a file is there
// already the error wraps platform.ErrExist and fs.ErrExist and the file is
// not touched; when init fails its error is wrapped and nothing is left
// behind. The database is closed afterwards: open it with Open.
func Create(path string, init func(*bbolt.Tx) error) error {
	ram, err := inMemory(init)
	if err != nil {
		return fmt.Errorf("make database %s: %w", path, err)
	}
	defer ram.Close()
	return put(path, 0o600, moveNew, func(w io.Writer) error {
		_, err := io.Copy(w, ram)
		return err
	})
}

// inMemory makes a database in a file without a name, and returns it at its
// beginning.
func inMemory(init func(*bbolt.Tx) error) (*os.File, error) {
	fd, err := unix.MemfdCreate("ginnel", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a file in memory: %w", err)
	}
	ram := os.NewFile(uintptr(fd), "memory")
	if err := fillMemory(ram, init); err != nil {
		ram.Close()
		return nil, err
	}
	return ram, nil
}

func fillMemory(ram *os.File, init func(*bbolt.Tx) error) error {
	// bbolt closes the descriptor it is given, and with the last one the file
	// would be gone.
	fd, err := unix.FcntlInt(ram.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("duplicate a descriptor: %w", err)
	}
	db, err := openBolt("memory", os.NewFile(uintptr(fd), "memory"), time.Second)
	if err != nil {
		return err
	}
	return errors.Join(db.Update(init), db.Close())
}
