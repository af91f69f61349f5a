package netlab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// BinaryVariable is the environment variable that names a ginnel to test
// instead of building one. It must be an absolute path that is visible in a
// host: not below /run, /etc or /var/lib.
const BinaryVariable = "GINNEL_BINARY"

// Binary is the path of the ginnel under test, as every host sees it. It is
// built from this module, statically, when it is first asked for.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := builtOnce()
	if err != nil {
		t.Fatalf("netlab: %v", err)
	}
	return path
}

var builtOnce = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(BinaryVariable); path != "" {
		if !filepath.IsAbs(path) {
			return "", fmt.Errorf("%s=%s: an absolute path is needed", BinaryVariable, path)
		}
		return path, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	if err := touchFolders(root); err != nil {
		return "", err
	}
	path := filepath.Join(baseDir, "ginnel")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", path, "./cmd/ginnel")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build ginnel: %w\n%s", err, out)
	}
	return path, nil
})

// moduleRoot is the nearest directory upwards that has a go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find module: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find module: no go.mod here or above: set " + BinaryVariable)
		}
		dir = parent
	}
}

// touchFolders opens every folder of the module. The go command notes that, and
// does not take a test's result from its cache once a file in them has changed;
// it cannot know otherwise that the test depends on them.
func touchFolders(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		return err
	})
}
