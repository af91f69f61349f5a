package flash

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// inside are the commands that this test binary has as a program inside of an
// emulated machine: its first argument. The next names a file system.
var inside = map[string]func(k kind, args []string) error{
	"stores": runStores,
	"suite":  runSuite,
	"serve":  runServe,
	"wear":   runWear,
	"invite": runInvite,
	"member": runMember,
}

func TestMain(m *testing.M) {
	if len(os.Args) < 2 || strings.HasPrefix(os.Args[1], "-") {
		os.Exit(m.Run())
	}
	if err := runInside(os.Args[1], os.Args[2:]); err != nil {
		fmt.Println("flash:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func runInside(command string, args []string) error {
	run := inside[command]
	if run == nil || len(args) == 0 {
		return fmt.Errorf("no command %q, or no file system", command)
	}
	k, err := findKind(args[0])
	if err != nil {
		return err
	}
	return run(k, args[1:])
}
