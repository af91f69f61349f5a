package qemu_test

import (
	"testing"
	"time"

	"ginnel/qemu-tests/machine"
)

// TestScenarios runs netlab's main scenarios inside of each kind of machine: in
// network namespaces of its own, with its kernel's WireGuard.
func TestScenarios(t *testing.T) {
	machine.Each(t, func(t *testing.T, arch machine.Arch) {
		machine.Run(t, machine.Spec{
			Arch:    arch,
			Memory:  512,
			Modules: machine.Worlds,
			Files: map[string]string{
				"/bin/ginnel":         machine.Binary(t, arch, "./cmd/ginnel"),
				"/bin/scenarios.test": machine.TestBinary(t, arch, "./netlab/scenarios"),
			},
			Env:     []string{"GINNEL_BINARY=/bin/ginnel", "NETLAB_PATIENCE=4"},
			Run:     [][]string{{"/bin/scenarios.test", "-test.v", "-test.parallel=2", "-test.run=TestJoinIsFast"}},
			Timeout: 20 * time.Minute,
		})
	})
}
