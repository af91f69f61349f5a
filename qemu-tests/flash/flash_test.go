package flash

import (
	"flag"
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"ginnel/qemu-tests/machine"
)

// flashSize is that of a small router's writable part, in MB.
const flashSize = 4

// maxWear is the most bytes that a command may cost, on average: one page in the
// book and one in the state, where the coordinator saves its own map, though not
// after each of many commands in a row. A transaction writes some five pages
// (leaf, branch and root, the list of free pages, a meta page), which compression
// makes much smaller.
const maxWear = 2 * 4096

// suites are tests of other packages, which run on the file systems that refuse
// a writable mapping, but for those that are many megabytes of work, and for an
// overlay on an overlay.
var suites = map[string]string{
	"./platform/dbfile": "TestFull|TestDamagedAnywhere",
	"./daemon/state":    "Kill",
}

// TestStores: book and state open, change and last on every file system.
func TestStores(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			b := newBoard(t, k, flashSize)
			run := [][]string{{"stores"}}
			for pkg, skip := range suites {
				if !k.refuses {
					continue
				}
				program := "/bin/" + path.Base(pkg) + ".test"
				b.files[program] = machine.TestBinary(t, b.arch, pkg)
				run = append(run, []string{"suite", program, "-test.v", "-test.skip=" + skip + "|" + k.skip})
			}
			machine.Run(t, b.spec(run...))
		})
	}
}

// idle is how long the coordinator of TestWear is left alone.
var idle = flag.Duration("idle", 20*time.Second, "how long an idle coordinator is watched")

// TestWear measures what a coordinator writes to the flash: a bounded number
// of bytes for a command, and none when nothing happens.
func TestWear(t *testing.T) {
	for _, name := range []string{"jffs2", "ubifs"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, err := findKind(name)
			if err != nil {
				t.Fatal(err)
			}
			m := machine.Boot(t, newBoard(t, k, 8).spec([]string{"wear", idle.String()}))
			var w wear
			line := m.Until("^"+sayWear, patience+*idle)
			if _, err := fmt.Sscan(strings.TrimPrefix(line, sayWear), &w.Accepted, &w.Commands, &w.Idle, &w.Seconds); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			m.Wait().Check(t)
			each := w.Accepted / w.Commands
			t.Logf("%s: %d bytes for each of %d commands; %d bytes in %d s of idleness, %d in a day",
				name, each, w.Commands, w.Idle, w.Seconds, w.Idle*86400/w.Seconds)
			if w.Idle != 0 {
				t.Errorf("an idle coordinator writes %d bytes in %d s, want none", w.Idle, w.Seconds)
			}
			if each > maxWear || each == 0 {
				t.Errorf("a command writes %d bytes, want 1 to %d", each, maxWear)
			}
		})
	}
}
