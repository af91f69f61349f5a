package qemu_test

import (
	"path"
	"testing"
	"time"

	"ginnel/qemu-tests/machine"
)

// conformance are the packages whose tests hold an implementation to its
// contract with the kernel, and which of their tests need no other programs.
var conformance = []struct{ pkg, run string }{
	{"./qemu-tests/kernel", "."},
	{"./platform/link", "."},
	{"./platform/wireguard/userspace", "^TestBehaviour57Tunnel$"},
	{"./platform/wireguard/uapi", "^TestBehaviour57And59Tunnel$"},
}

// TestConformance runs on each kind of machine what holds there, and not only
// on this one: byte order, word length and kernel version differ.
func TestConformance(t *testing.T) {
	machine.Each(t, func(t *testing.T, arch machine.Arch) {
		spec := machine.Spec{
			Arch: arch, Modules: machine.Worlds, Files: map[string]string{}, Timeout: 20 * time.Minute,
			// Embedded devices leave as much garbage as the machine has
			// memory, if they are let.
			Env: []string{"GOMEMLIMIT=96MiB"},
		}
		for _, c := range conformance {
			at := "/bin/" + path.Base(c.pkg) + ".test"
			spec.Files[at] = machine.TestBinary(t, arch, c.pkg)
			spec.Run = append(spec.Run, []string{at, "-test.run", c.run})
		}
		machine.Run(t, spec)
	})
}
