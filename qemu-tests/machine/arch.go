package machine

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// Arch is a kind of machine.
type Arch struct {
	Name     string   // as in ArchesVariable; also the cache's directory for it
	Release  string   // the Makefile's name of ginnel for it: bin/ginnel-...
	Go       []string // environment of the go command that builds for it
	Emulator string   // program, of Debian's qemu-system-...
	Model    []string // the emulator's arguments for machine and processor
	Console  string   // the kernel's name of the serial console
	NIC      string   // the emulator's name of the network card
	Drivers  []string // kernel modules of the network card
}

// ArchesVariable is the environment variable that names the architectures to
// test, separated by spaces.
const ArchesVariable = "QEMU_ARCHES"

// defaultArches is one of each word length and kind of processor.
const defaultArches = "amd64 mipsle"

var arches = []Arch{
	{
		Name: "amd64", Release: "amd64", Go: []string{"GOARCH=amd64"},
		Emulator: "qemu-system-x86_64", Model: []string{"-M", "q35", "-cpu", "max"}, Console: "ttyS0",
		NIC: "virtio-net-pci", Drivers: []string{"virtio_pci", "virtio_net"},
	},
	{
		Name: "arm64", Release: "arm64", Go: []string{"GOARCH=arm64"},
		Emulator: "qemu-system-aarch64", Model: []string{"-M", "virt", "-cpu", "cortex-a53"}, Console: "ttyAMA0",
		NIC: "virtio-net-pci", Drivers: []string{"virtio_pci", "virtio_net"},
	},
	{
		Name: "arm", Release: "armv7", Go: []string{"GOARCH=arm", "GOARM=7"},
		Emulator: "qemu-system-arm", Model: []string{"-M", "virt"}, Console: "ttyAMA0",
		NIC: "virtio-net-pci", Drivers: []string{"virtio_pci", "virtio_net"},
	},
	{
		Name: "mipsle", Release: "mipsle", Go: []string{"GOARCH=mipsle", "GOMIPS=softfloat"},
		Emulator: "qemu-system-mipsel", Model: []string{"-M", "malta", "-cpu", "24Kf"}, Console: "ttyS0",
		NIC: "pcnet", Drivers: []string{"pcnet32"},
	},
	{
		Name: "mips", Release: "mips", Go: []string{"GOARCH=mips", "GOMIPS=softfloat"},
		Emulator: "qemu-system-mips", Model: []string{"-M", "malta", "-cpu", "24Kf"}, Console: "ttyS0",
		NIC: "pcnet", Drivers: []string{"pcnet32"},
	},
}

// Arches are all kinds of machine.
func Arches() []Arch { return slices.Clone(arches) }

// Find is the architecture of that name, which is the go command's. One that
// does not exist fails the test.
func Find(t testing.TB, name string) Arch {
	t.Helper()
	i := slices.IndexFunc(arches, func(a Arch) bool { return a.Name == name })
	if i < 0 {
		t.Fatalf("machine: no architecture %q", name)
	}
	return arches[i]
}

// Selected are the architectures to test: those in ArchesVariable, or amd64 and
// mipsle.
func Selected(t testing.TB) []Arch {
	t.Helper()
	names := os.Getenv(ArchesVariable)
	if names == "" {
		names = defaultArches
	}
	var selected []Arch
	for _, name := range strings.Fields(names) {
		selected = append(selected, Find(t, name))
	}
	return selected
}

// Each runs f as a subtest for every selected architecture. They run at the
// same time, as far as -test.parallel lets them: a machine keeps one of the
// host's processors busy.
func Each(t *testing.T, f func(t *testing.T, arch Arch)) {
	t.Helper()
	for _, arch := range Selected(t) {
		t.Run(arch.Name, func(t *testing.T) {
			t.Parallel()
			f(t, arch)
		})
	}
}
