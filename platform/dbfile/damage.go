package dbfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"runtime/debug"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// ErrDamaged is wrapped by Open's error when the file is not a sound database
// of this machine.
var ErrDamaged = errors.New("unusable file, left as it is")

// The head of a bbolt file: a page header of 16 bytes, then the first of two
// meta pages, in the byte order of its machine: magic, version, page size.
const (
	magic      = 0xED0CDAED
	magicAt    = 16
	pageSizeAt = 24
	headSize   = 28
)

func damaged(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrDamaged)...)
}

// checkHead finds what bbolt would take for a new file or describe as merely
// invalid.
func checkHead(f *os.File) error {
	var head [headSize]byte
	_, err := f.ReadAt(head[:], 0)
	if errors.Is(err, io.EOF) {
		return damaged("the file is empty or cut short")
	}
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	switch binary.NativeEndian.Uint32(head[magicAt:]) {
	case bits.ReverseBytes32(magic):
		return damaged("written on a machine of the other byte order, make the backup there")
	case magic:
		if info.Size() < 2*int64(binary.NativeEndian.Uint32(head[pageSizeAt:])) {
			return damaged("the file is cut short")
		}
	}
	return nil
}

// checkPages reads every page that belongs to the tree. bbolt panics at those
// that are not what they should be; see guard.
func checkPages(db *bbolt.DB, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return db.View(func(tx *bbolt.Tx) error {
		if tx.Size() > info.Size() {
			return damaged("the file is cut short, it has %d bytes of %d", info.Size(), tx.Size())
		}
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return walk(b) })
	})
}

func walk(b *bbolt.Bucket) error {
	return b.ForEach(func(k, v []byte) error {
		if v != nil {
			return nil
		}
		inner := b.Bucket(k)
		if inner == nil {
			return damaged("a page has lost its content")
		}
		return walk(inner)
	})
}

// guard calls open and turns what bbolt says, panics with or faults at for a
// damaged file into errors that wrap ErrDamaged.
func guard(open func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil { // with words for bbolt's programmers
			err = damaged("a page is not what it should be")
		}
	}()
	switch err = open(); {
	case errors.Is(err, berrors.ErrInvalid):
		return damaged("not a database")
	case errors.Is(err, berrors.ErrVersionMismatch):
		return damaged("written by another version of the database format")
	case errors.Is(err, berrors.ErrChecksum):
		return damaged("both of its first pages are torn")
	}
	return err
}
