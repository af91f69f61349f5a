package qemu_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"ginnel/qemu-tests/machine"
)

// scenariosVariable is the environment variable that says which scenarios to
// run: a pattern as for -test.run, or "main" for all of mainScenarios. Unset, it
// is mainScenarios on amd64, and the few of slowScenarios elsewhere.
const scenariosVariable = "QEMU_SCENARIOS"

// mainScenarios are those of netlab that are to hold on every kind of machine.
// They need no other programs than ours.
var mainScenarios = []string{
	"TestJoinIsFast",
	"TestBehaviour03IPv6",
	"TestBehaviour24And28AssociationDecides",
	"TestBehaviour42DisabledPeer",
	"TestBehaviour52CoordinatorAway",
	"TestBehaviour53RestartWithoutCoordinator",
	"TestBehaviour74And75TwoHomesAndAServer",
	"TestBehaviour83MovedServer",
	"TestBehaviour83MovedLaptop",
	"TestDaemonKilled",
	"TestKernel.*",
}

// slowScenarios are for machines that take minutes for the others.
var slowScenarios = []string{
	"TestJoinIsFast",
	"TestBehaviour24And28AssociationDecides",
	"TestBehaviour74And75TwoHomesAndAServer",
	"TestKernelDaemonKilled",
}

// scenarios is the pattern for an architecture.
func scenarios(arch machine.Arch) string {
	pattern := os.Getenv(scenariosVariable)
	switch {
	case pattern == "main", pattern == "" && arch.Name == "amd64":
		return "^(" + strings.Join(mainScenarios, "|") + ")$"
	case pattern == "":
		return "^(" + strings.Join(slowScenarios, "|") + ")$"
	default:
		return pattern
	}
}

// TestScenarios runs netlab's scenarios inside of each kind of machine: in
// network namespaces of its own, with its kernel's WireGuard.
func TestScenarios(t *testing.T) {
	machine.Each(t, func(t *testing.T, arch machine.Arch) {
		r := machine.Run(t, machine.Spec{
			Arch:    arch,
			Modules: machine.Worlds,
			Files: map[string]string{
				"/bin/ginnel":         machine.Binary(t, arch, "./cmd/ginnel"),
				"/bin/scenarios.test": machine.TestBinary(t, arch, "./netlab/scenarios"),
			},
			// One world at a time, but for those that wait for minutes: the machine
			// has one slow processor.
			Run:     [][]string{{"/bin/scenarios.test", "-test.v", "-test.timeout=0", "-test.parallel=2", "-test.run", scenarios(arch)}},
			Env:     []string{"GINNEL_BINARY=/bin/ginnel", "NETLAB_PATIENCE=8"},
			Timeout: 40 * time.Minute,
		})
		t.Log(r.Commands[0].Output)
	})
}
