package dbfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"ginnel/platform"
	"ginnel/platform/dirlock"
)

// EnsureDir makes the directory path with mode perm, and its parents with 0755,
// where they are missing; a power cut then does not undo it. One that exists is
// left as it is.
func EnsureDir(path string, perm os.FileMode) error {
	path = filepath.Clean(path)
	if info, err := os.Stat(path); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%s is in the way: a directory is needed there", path)
		}
		return nil
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := EnsureDir(parent, 0o755); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make directory: %w", err)
	}
	return syncDir(parent)
}

// EditFile gives the file at path the content that change makes of the old one,
// which is nil where there is no file, and the mode perm (umask does not apply).
// Readers see the old content or the new one. Nobody else who uses this package
// writes between reading and writing, so change must not wait for anything. Its
// error is returned as it is. After an error the old content is there, or, when
// the directory could not be synced, the new one, which a power cut may undo. The
// file keeps its owner.
func EditFile(path string, perm os.FileMode, change func(old []byte) ([]byte, error)) error {
	var refused error
	err := put(path, perm, handOver, os.Rename, func(w io.Writer) error {
		text, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if text, refused = change(text); refused != nil {
			return refused
		}
		_, err = w.Write(text)
		return err
	})
	if refused != nil {
		return refused
	}
	return err
}

// CreateFile makes the file at path, which must not exist yet, with the content
// data and the mode perm: otherwise its
// error wraps platform.ErrExist and fs.ErrExist, and nothing changes. The file is
// the caller's, wherever it is.
func CreateFile(path string, data []byte, perm os.FileMode) error {
	return put(path, perm, nil, moveNew, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// moveNew is a rename that never replaces anything. Where a file system has no
// hard links (vfat) it has no modes either, and finish has refused already.
func moveNew(from, to string) error {
	err := os.Link(from, to)
	if errors.Is(err, fs.ErrExist) {
		return existError(to)
	}
	if err != nil {
		return err
	}
	os.Remove(from) // what is in place counts; another name for it does no harm
	return nil
}

// handOver gives f, which root made for path, to the owner of the file that is
// there, or else of its directory: a daemon that runs without root has to read
// what root's commands write. It is done as far as possible (a user namespace
// may have no such owner): what the daemon cannot read it tells.
func handOver(f *os.File, path string) {
	if os.Geteuid() != 0 {
		return
	}
	info, err := os.Lstat(path)
	if err != nil {
		info, err = os.Lstat(filepath.Dir(path))
	}
	if err == nil {
		of := info.Sys().(*syscall.Stat_t)
		_ = f.Chown(int(of.Uid), int(of.Gid))
	}
}

// put lets fill write a file beside path, and move put it in its place. Own, if
// it is not nil, settles whose it is. The directory is locked meanwhile, so
// files of earlier writers that are still there are those of killed ones: they
// may hold a key, and go.
func put(path string, perm os.FileMode, own func(f *os.File, path string), move func(from, to string) error, fill func(io.Writer) error) error {
	dir, name := filepath.Split(filepath.Clean(path))
	if dir == "" {
		dir = "."
	}
	d, err := dirlock.Lock(dir, lockWait)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer d.Close() // and with it the lock
	if err := removeStale(d, "."+name+tempMark); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	temp, err := os.CreateTemp(dir, "."+name+tempMark+"*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if own != nil {
		own(temp, path)
	}
	if err = finish(temp, perm, fill); err == nil {
		err = move(temp.Name(), path)
	}
	if err != nil {
		os.Remove(temp.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return sync(d)
}

// tempMark stands between the name of a file and a random number in the name of
// one that is being written.
const tempMark = ".tmp-"

// lockWait is how long a writer waits for others of the same directory.
const lockWait = 5 * time.Second

// removeStale removes the files in d whose names begin with prefix and end in a
// number.
func removeStale(d *os.File, prefix string) error {
	names, err := d.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		number, ours := strings.CutPrefix(name, prefix)
		if !ours || strings.Trim(number, "0123456789") != "" {
			continue
		}
		if err := os.Remove(filepath.Join(d.Name(), name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove what a killed writer left: %w", err)
		}
	}
	return nil
}

// finish fills f, brings it to the disk and closes it.
func finish(f *os.File, perm os.FileMode, fill func(io.Writer) error) error {
	err := f.Chmod(perm)
	if err == nil {
		err = fill(f)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes what was renamed or made in dir survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	defer d.Close()
	return sync(d)
}

func sync(dir *os.File) error {
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}

// existError says of a path that it is taken, in the words of platform.ErrExist
// alone, and is fs.ErrExist as well.
type existError string

func (e existError) Error() string { return string(e) + " " + platform.ErrExist.Error() }

func (existError) Is(target error) bool { return target == platform.ErrExist || target == fs.ErrExist }
