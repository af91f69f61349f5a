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
// is those that are quick.
const scenariosVariable = "QEMU_SCENARIOS"

// quickScenarios are the heart of the matter: they are for every run. Those that
// run in both families do so in IPv4 there: see quickIPv6.
var quickScenarios = []string{
	"TestJoinIsFast",
	"TestBehaviour24And28AssociationDecides",
	"TestBehaviour42DisabledPeer",
	"TestBehaviour74And75TwoHomesAndAServer",
	"TestBehaviour83MovedLaptop",
	"TestKernelClockJumps",
	"TestKernelDaemonKilled",
}

// quickIPv6 is for every run in IPv6 too.
const quickIPv6 = "TestBehaviour24And28AssociationDecides"

// mainScenarios are those of netlab that are to hold on every kind of machine.
// They need no other programs than ours.
var mainScenarios = append([]string{
	"TestBehaviour03MixedFamilies",
	"TestBehaviour52CoordinatorAway",
	"TestBehaviour53RestartWithoutCoordinator",
	"TestBehaviour83MovedServer",
	"TestDaemonKilled",
	"TestKernel.*",
}, quickScenarios...)

// scenarios is the pattern for those to run.
func scenarios() string {
	switch pattern := os.Getenv(scenariosVariable); pattern {
	case "":
		return "^(" + strings.Join(quickScenarios, "|") + ")$/^IPv4$|^" + quickIPv6 + "$/^IPv6$"
	case "main":
		return "^(" + strings.Join(mainScenarios, "|") + ")$"
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
				"/bin/ginnel":         machine.Ginnel(t, arch),
				"/bin/scenarios.test": machine.TestBinary(t, arch, "./netlab/scenarios"),
			},
			// One world at a time, but for those that wait for minutes: the machine
			// has one slow processor.
			Run:     [][]string{{"/bin/scenarios.test", "-test.v", "-test.timeout=0", "-test.parallel=2", "-test.run", scenarios()}},
			Env:     []string{"GINNEL_BINARY=/bin/ginnel", "NETLAB_PATIENCE=8", "NETLAB_CLOCK=1"},
			Timeout: 40 * time.Minute,
		})
		t.Log(r.Commands[0].Output)
	})
}
