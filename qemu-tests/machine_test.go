package qemu_test

import (
	"strings"
	"testing"

	"ginnel/qemu-tests/machine"
)

// TestMachine boots each kind of machine, which shows that its kernel, the
// initramfs, and the console are as the other tests need them.
func TestMachine(t *testing.T) {
	machine.Each(t, func(t *testing.T, arch machine.Arch) {
		m := machine.Boot(t, machine.Spec{
			Arch:    arch,
			Modules: machine.Worlds,
			Files:   map[string]string{"/bin/guest.test": machine.TestBinary(t, arch, "./qemu-tests/guest")},
			Run:     [][]string{{"/bin/guest.test", "-test.v"}, {"/bin/guest.test", "-test.nonsense"}, {"/bin/guest.test"}},
		})
		m.Until("^--- PASS: TestMarks", patience)
		r := m.Wait()
		if len(r.Commands) != 2 || r.Commands[0].Status != 0 || r.Commands[1].Status != 2 {
			t.Fatalf("%+v", r)
		}
		if !strings.Contains(r.Commands[0].Output, "PASS: TestPlan") || !strings.Contains(r.Commands[1].Output, "nonsense") {
			t.Errorf("%+v", r)
		}
	})
}
