package qemu_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ginnel/qemu-tests/budget"
	"ginnel/qemu-tests/machine"
)

// routers are the kinds of machine for which there are budgets: those that
// have little memory.
var routers = []string{"mipsle", "arm"}

// ownFiles is what these tests keep in the memory of a machine, in MB: their
// programs and their modules.
const ownFiles = 16

// TestBudgets measures what the program costs such machines. With budget.Long it
// takes all the time it needs.
func TestBudgets(t *testing.T) {
	machine.Each(t, func(t *testing.T, arch machine.Arch) {
		if !slices.Contains(routers, arch.Name) {
			return
		}
		small := boot(t, arch, 64+ownFiles, "TestSmallMachine")
		large := boot(t, arch, 160, "TestIdle|TestCoordinator") // meanwhile: both wait, most of the time
		rows := append(reported(t, large), reported(t, small)...)
		t.Logf("on %s:\n%s", arch.Name, strings.Join(rows, "\n"))
	})
}

// boot has tests of package budget run on a machine with so many MB of memory.
func boot(t *testing.T, arch machine.Arch, memory int, tests string) *machine.Machine {
	t.Helper()
	return machine.Boot(t, machine.Spec{
		Arch:    arch,
		Memory:  memory,
		Modules: machine.Worlds,
		Files: map[string]string{
			"/bin/ginnel":      machine.Ginnel(t, arch),
			"/bin/budget.test": machine.TestBinary(t, arch, "./qemu-tests/budget"),
		},
		Env:     []string{"GINNEL_BINARY=/bin/ginnel", "NETLAB_PATIENCE=4", budget.Long + "=" + os.Getenv(budget.Long)},
		Run:     [][]string{{"/bin/budget.test", "-test.v", "-test.timeout=1h", "-test.run=" + tests}},
		Timeout: time.Hour,
	})
}

// reported waits for the machine's end and returns the rows of the table that it
// has printed.
func reported(t *testing.T, m *machine.Machine) (rows []string) {
	t.Helper()
	r := m.Wait()
	r.Check(t)
	for _, c := range r.Commands {
		for line := range strings.Lines(c.Output) {
			if _, row, ok := strings.Cut(strings.TrimSpace(line), budget.Mark); ok {
				rows = append(rows, row)
			}
		}
	}
	return rows
}
