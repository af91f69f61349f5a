package budget_test

import (
	"fmt"
	"os"
	"runtime/debug"
	"testing"
	"time"

	"ginnel/netlab"
	"ginnel/qemu-tests/budget"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(20) // the memory is for those who are measured
	netlab.Main(m)
}

// patience is how long a test waits for what has no budget of its own.
var patience = netlab.Patience(2 * time.Minute)

// long tells whether the tests may take long.
var long = os.Getenv(budget.Long) != ""

// none is the budget of what is measured for information.
const none = -1

// report prints a line of the table: what was measured, and the budget. More
// than the budget fails the test.
func report(t *testing.T, what string, measured, limit int, unit string) {
	t.Helper()
	bound := "no budget"
	if limit != none {
		bound = fmt.Sprintf("of %d", limit)
	}
	fmt.Fprintf(os.Stdout, "%s%-62s %8d %s %s\n", budget.Mark, what, measured, bound, unit)
	if limit != none && measured > limit {
		t.Errorf("%s: %d %s, the budget is %d", what, measured, unit, limit)
	}
}

// breath is between two looks at something that takes a slow machine long.
const breath = time.Second

// pause lets time go by in which something is counted.
func pause(d time.Duration) { <-time.After(d) }
