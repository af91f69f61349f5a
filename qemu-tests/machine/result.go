package machine

import (
	"strings"
	"testing"

	"ginnel/qemu-tests/guest"
)

// Result is what came of a machine's commands.
type Result struct {
	Commands []Command // those that were started
	Failure  string    // what init could not do, if anything
	Off      bool      // the machine switched itself off: it was not killed and did not crash
}

// Command is one that was started.
type Command struct {
	Args   []string
	Ended  bool
	Status int    // when it has ended: exit status, or 128 and the signal's number, or 127 when it could not be started
	Why    string // more about Status, if there is more
	Output string // what the console showed meanwhile, the kernel's messages included
}

// Check fails the test unless all commands were run and ended with status 0. A
// test binary that found no test to run has failed, too.
func (r Result) Check(t testing.TB) {
	t.Helper()
	if r.Failure != "" {
		t.Errorf("machine: init could not %s", r.Failure)
	}
	for _, c := range r.Commands {
		if !c.Ended {
			t.Errorf("machine: %s did not end", strings.Join(c.Args, " "))
		} else if c.Status != 0 {
			t.Errorf("machine: %s ended with status %d %s", strings.Join(c.Args, " "), c.Status, c.Why)
		} else if strings.Contains(c.Output, "testing: warning: no tests to run") {
			t.Errorf("machine: %s ran no test", strings.Join(c.Args, " "))
		}
	}
	if len(r.Commands) == 0 && r.Failure == "" {
		t.Error("machine: no command was run")
	}
}

// parseResult reads a console on which the commands in run were to be run.
func parseResult(lines []string, run [][]string) Result {
	var r Result
	var out strings.Builder
	for _, line := range lines {
		before, mark, ok := guest.ParseMark(line)
		if !ok || before != "" {
			out.WriteString(before + "\n")
		}
		last := len(r.Commands) - 1
		switch {
		case !ok:
		case mark.Event == guest.Began && mark.Number < len(run):
			out.Reset()
			r.Commands = append(r.Commands, Command{Args: run[mark.Number]})
		case mark.Event == guest.Ended && last >= 0:
			c := &r.Commands[last]
			c.Ended, c.Status, c.Why, c.Output = true, mark.Status, mark.Text, out.String()
		case mark.Event == guest.Failed:
			r.Failure = mark.Text
		case mark.Event == guest.Off:
			r.Off = true
		}
	}
	if last := len(r.Commands) - 1; last >= 0 && !r.Commands[last].Ended {
		r.Commands[last].Output = out.String()
	}
	return r
}
