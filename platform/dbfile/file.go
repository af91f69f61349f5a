package dbfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"ginnel/platform"
)

// EnsureDir makes the directory path with mode 0700, and its parents with
// 0755, where they are missing. One that exists is left as it is.
func EnsureDir(path string) error {
	path = filepath.Clean(path)
	if info, err := os.Stat(path); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%s is in the way: a directory is needed there", path)
		}
		return nil
	}
	parent := filepath.Dir(path)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make directory: %w", err)
	}
	return syncDir(parent)
}

// WriteFile gives the file at path the content data and the mode perm (umask
// does not apply), whether it exists or not. Readers see the old content or
// the new one. After an error the old content is there, or, when the directory
// could not be synced, the new one, which a power cut may undo.
func WriteFile(path string, data []byte, perm os.FileMode) error {
	return put(path, perm, os.Rename, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// CreateFile is WriteFile for a file that must not exist yet: otherwise its
// error wraps platform.ErrExist and fs.ErrExist, and nothing changes.
func CreateFile(path string, data []byte, perm os.FileMode) error {
	return put(path, perm, moveNew, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// moveNew is a rename that never replaces anything. Where a file system has no
// hard links (vfat) it has no modes either, and finish has refused already.
func moveNew(from, to string) error {
	err := os.Link(from, to)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s %w: %w", to, platform.ErrExist, fs.ErrExist)
	}
	if err != nil {
		return err
	}
	os.Remove(from) // what is in place counts; another name for it does no harm
	return nil
}

// put lets fill write a file beside path, and move put it in its place.
func put(path string, perm os.FileMode, move func(from, to string) error, fill func(io.Writer) error) error {
	dir, name := filepath.Split(filepath.Clean(path))
	if dir == "" {
		dir = "."
	}
	temp, err := os.CreateTemp(dir, "."+name+".tmp-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err = finish(temp, perm, fill); err == nil {
		err = move(temp.Name(), path)
	}
	if err != nil {
		os.Remove(temp.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return syncDir(dir)
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
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}
