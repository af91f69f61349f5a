package names

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// kept are the extended attributes that decide who may read the file. Others
// must not be copied: some are about the content (security.ima).
var kept = []string{"security.selinux", "security.SMACK64", "system.posix_acl_access"}

// copyAttributes gives f the kept attributes of the file at path.
func copyAttributes(f *os.File, path string) error {
	for _, name := range kept {
		value, err := attribute(path, name)
		if err == unix.ENODATA || err == unix.EOPNOTSUPP {
			continue
		}
		if err == nil {
			err = unix.Fsetxattr(int(f.Fd()), name, value, 0)
		}
		if err != nil {
			return &fs.PathError{Op: "copy attribute " + name, Path: path, Err: err}
		}
	}
	return nil
}

func attribute(path, name string) ([]byte, error) {
	n, err := unix.Getxattr(path, name, nil)
	if err != nil {
		return nil, err
	}
	value := make([]byte, n)
	n, err = unix.Getxattr(path, name, value)
	if err != nil {
		return nil, err
	}
	return value[:n], nil
}
