package machine

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Binary builds the program of a package, "./qemu-tests/init" for example, for an
// architecture, statically and stripped, and returns its path. It is built once
// per process, into bin/ARCH of the module whose test runs, which may be a
// nested one.
func Binary(t testing.TB, arch Arch, pkg string) string {
	t.Helper()
	return build(t, arch, pkg, path.Base(pkg), "build")
}

// Ginnel is the path of the product as it is released for an architecture: the
// Makefile builds it, and knows with which flags.
func Ginnel(t testing.TB, arch Arch) string {
	t.Helper()
	return once(t, filepath.Join("bin", "ginnel-"+arch.Release), func(root, to string) error {
		target, err := filepath.Rel(root, to)
		if err != nil {
			return err
		}
		cmd := exec.Command("make", "-s", target)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", cmd, err, out)
		}
		return nil
	})
}

// TestBinary is Binary for the tests of a package.
func TestBinary(t testing.TB, arch Arch, pkg string) string {
	t.Helper()
	return build(t, arch, pkg, strings.ReplaceAll(path.Clean(pkg), "/", "-")+".test", "test", "-c")
}

func build(t testing.TB, arch Arch, pkg, name string, command ...string) string {
	t.Helper()
	return once(t, filepath.Join("bin", arch.Name, name), func(root, to string) error {
		return buildTo(root, arch, pkg, to, command)
	})
}

// built has what builds each program, by the path it is built to.
var built sync.Map

// once has a program built, unless this process has done so, and returns its
// path, which is given below the module's root.
func once(t testing.TB, path string, build func(root, to string) error) string {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatalf("machine: %v", err)
	}
	to := filepath.Join(root, path)
	done, _ := built.LoadOrStore(to, sync.OnceValue(func() error { return build(root, to) }))
	if err := done.(func() error)(); err != nil {
		t.Fatalf("machine: %v", err)
	}
	return to
}

// buildTo builds under another name first, so that no other process sees a part
// of a program.
func buildTo(root string, arch Arch, pkg, to string, command []string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("build %s: %w", pkg, err)
	}
	part := fmt.Sprintf("%s.%d", to, os.Getpid())
	defer os.Remove(part)
	args := append(command, "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", part, pkg)
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	cmd.Env = append(append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0"), arch.Go...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s for %s: %w\n%s", pkg, arch.Name, err, out)
	}
	if err := os.Rename(part, to); err != nil {
		return fmt.Errorf("build %s for %s: %w", pkg, arch.Name, err)
	}
	return nil
}

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
			return "", fmt.Errorf("find module: no go.mod in a directory above this one")
		}
		dir = parent
	}
}
