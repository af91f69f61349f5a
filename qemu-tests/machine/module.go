package machine

import (
	"path/filepath"
	"testing"
)

// Module is the path on the host of a module of an architecture's kernel, for
// tests that do more with it than load it.
func Module(t testing.TB, arch Arch, name string) string {
	t.Helper()
	kernel, err := kernelOf(arch)
	if err != nil {
		t.Fatalf("machine: %v", err)
	}
	tree := filepath.Join(kernel, "modules")
	known, err := readModules(tree)
	if err != nil {
		t.Fatalf("machine: %s: %v", arch.Name, err)
	}
	path, ok := known.paths[moduleName(name)]
	if !ok {
		t.Fatalf("machine: %s: this kernel has no module %s", arch.Name, name)
	}
	return filepath.Join(tree, path)
}
