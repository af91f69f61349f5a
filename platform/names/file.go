package names

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// newFileMode is what a hosts file is made with: everybody resolves names.
const newFileMode = 0o644

// lockWait is how long to wait for others who write in the same directory. Names
// are set again later, and whoever sets them has more to do meanwhile.
const lockWait = 2 * time.Second

// write makes text the content of the file at path, whose content is old.
func write(path string, old, text []byte) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		info = nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file", path)
	}
	err = writeBeside(path, info, text)
	if info != nil && isImpossible(err) {
		return writeInPlace(path, old, text)
	}
	return err
}

// isImpossible tells whether err says that the file cannot be replaced, while
// it may well be writable: it is a mount point, its directory is not ours to
// write to, or its owner or attributes are not ours to give.
func isImpossible(err error) bool {
	return slices.ContainsFunc([]error{
		unix.EBUSY, unix.EXDEV, unix.EACCES, unix.EPERM, unix.EROFS, unix.EOPNOTSUPP,
	}, func(errno error) bool { return errors.Is(err, errno) })
}

// writeBeside writes a new file and renames it to path. The new file's name is
// always the same, so that one a crash left behind is found again, and starts
// with a dot, because dnsmasq reads every other file in a directory of hosts.
func writeBeside(path string, like fs.FileInfo, text []byte) error {
	dir, base := filepath.Split(path)
	temporary := filepath.Join(dir, "."+base+".ginnel")
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := create(temporary, path, like, text)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		_ = os.Remove(temporary)
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// create makes the file temporary, safe on disk, with the owner, permissions
// and attributes of the file at path, which like describes; nil: there is none.
func create(temporary, path string, like fs.FileInfo, text []byte) (err error) {
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(text); err != nil {
		return err
	}
	mode := fs.FileMode(newFileMode)
	if like != nil {
		mode = like.Mode()
		if err := dress(f, path); err != nil {
			return err
		}
	}
	if err := f.Chmod(mode); err != nil { // after chown, which may clear bits
		return err
	}
	return f.Sync()
}

// dress gives f the owner and the extended attributes of the file at path.
func dress(f *os.File, path string) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if err := f.Chown(int(st.Uid), int(st.Gid)); err != nil {
		return err
	}
	return copyAttributes(f, path)
}

// writeInPlace writes what differs and gives the file its new length. When
// that fails, it puts back what was there.
func writeInPlace(path string, old, text []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	from := commonPrefix(old, text)
	if err := overwrite(f, from, text); err != nil {
		return errors.Join(err, overwrite(f, from, old))
	}
	return nil
}

// overwrite makes text the file's content, of which it has what is before from.
// The file is cut only when all of text is on the disk: a power cut never leaves
// it shorter than what others wrote into it.
func overwrite(f *os.File, from int, text []byte) error {
	if _, err := f.WriteAt(text[from:], int64(from)); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil || info.Size() == int64(len(text)) {
		return err
	}
	if err := f.Truncate(int64(len(text))); err != nil {
		return err
	}
	return f.Sync()
}

func commonPrefix(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// syncDirectory makes the names in dir safe on disk.
func syncDirectory(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
