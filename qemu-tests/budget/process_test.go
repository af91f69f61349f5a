package budget_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ginnel/netlab"
)

// usage is what /proc/PID/status tells of a process, in bytes (proc_pid_status(5)).
type usage struct{ resident, peak, anonymous int }

func usageOf(t *testing.T, p *netlab.Process) (u usage) {
	t.Helper()
	for field, to := range map[string]*int{"VmRSS": &u.resident, "VmHWM": &u.peak, "RssAnon": &u.anonymous} {
		*to = statusField(t, fmt.Sprintf("/proc/%d/status", p.PID()), field) << 10
	}
	return u
}

// switches are voluntary context switches: how often a thread went to sleep,
// and so was woken.
type switches struct {
	program int // of all threads but the monitor
	monitor int // see package budget
}

func switchesOf(t *testing.T, p *netlab.Process) (s switches) {
	t.Helper()
	threads := threadsOf(t, p)
	for i, id := range threads {
		n := statusField(t, fmt.Sprintf("/proc/%d/task/%d/status", p.PID(), id), "voluntary_ctxt_switches")
		if i == 1 { // the runtime starts the monitor before all others (runtime.main)
			s.monitor += n
		} else {
			s.program += n
		}
	}
	return s
}

// threadsOf are the threads' numbers, in the order in which they were started.
func threadsOf(t *testing.T, p *netlab.Process) (ids []int) {
	t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range list {
		id, err := strconv.Atoi(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if len(ids) < 3 || ids[0] != p.PID() {
		t.Fatalf("%s has the threads %v", p, ids)
	}
	return ids
}

// statusField is the number of a line "FIELD: NUMBER".
func statusField(t *testing.T, path, field string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			n, err := strconv.Atoi(strings.Fields(value)[0])
			if err != nil {
				t.Fatalf("%s: %s: %v", path, field, err)
			}
			return n
		}
	}
	t.Fatalf("%s has no %s", path, field)
	return 0
}
