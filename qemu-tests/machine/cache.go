package machine

import (
	"fmt"
	"os"
	"path/filepath"
)

// CacheVariable is the environment variable that names the directory of the
// kernels. Unset, it is ginnel-qemu in the user's cache directory. For each
// architecture there is a directory with
//
//	kernel    the image
//	modules/  the tree /lib/modules/VERSION, uncompressed, with depmod's files
//	release   what it was made from, for people
const CacheVariable = "GINNEL_QEMU_CACHE"

// CacheDir is the directory of the kernels, which may not be there.
func CacheDir() (string, error) {
	if dir := os.Getenv(CacheVariable); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the kernels: %w (or set %s)", err, CacheVariable)
	}
	return filepath.Join(dir, "ginnel-qemu"), nil
}

// kernelOf is the directory of an architecture's kernel.
func kernelOf(arch Arch) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, arch.Name)
	if _, err := os.Stat(filepath.Join(dir, "kernel")); err != nil {
		return "", fmt.Errorf("no kernel for %s: run make qemu-kernels %s=%s (%w)", arch.Name, ArchesVariable, arch.Name, err)
	}
	return dir, nil
}
