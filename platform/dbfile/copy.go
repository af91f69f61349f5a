package dbfile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
)

// OpenCopy opens a copy in memory of the database at path as it is on the disk
// now, without a lock: another process may have it open and go on writing. What
// is done to the copy does not reach the file. The caller closes it. Errors are
// Open's, but for platform.ErrInUse.
//
// The copy is what a power cut at this moment would leave, which is a sound
// database: it was read twice, and nothing was written in between.
func OpenCopy(path string) (*DB, error) {
	db, err := openCopy(path)
	if err != nil {
		return nil, explain(path, err)
	}
	return db, nil
}

func openCopy(path string) (*DB, error) {
	content, err := readUnchanged(path)
	if err != nil {
		return nil, err
	}
	ram, err := newMemory()
	if err != nil {
		return nil, err
	}
	if _, err := ram.Write(content); err != nil {
		ram.Close()
		return nil, fmt.Errorf("copy to memory: %w", err)
	}
	return openMemory(ram, int64(len(content)))
}

// openMemory takes ram over.
func openMemory(ram *os.File, size int64) (*DB, error) {
	lock, err := duplicate(ram)
	if err != nil {
		ram.Close()
		return nil, err
	}
	db := &DB{lock: lock, size: mapSize(size)}
	if db.bolt, err = openChecked("memory", ram, db.size, defaultWait); err != nil {
		lock.Close()
		return nil, err
	}
	return db, nil
}

// readTries is how often readUnchanged begins anew. A file of a megabyte is
// read in a few milliseconds; somebody who writes all the time syncs in between.
const readTries = 100

// readUnchanged reads a file until two readings agree.
func readUnchanged(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	for range readTries {
		if err != nil {
			return nil, err
		}
		var again []byte
		if again, err = os.ReadFile(path); err == nil && bytes.Equal(content, again) {
			return content, nil
		}
		content = again
	}
	return nil, errors.New("it is being written to all the time: try again")
}
