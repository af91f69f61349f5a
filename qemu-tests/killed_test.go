package qemu_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ginnel/netlab"
	"ginnel/qemu-tests/machine"
)

// patience is long for what takes a moment on an idle machine.
const patience = 4 * time.Minute

// TestKilledTest: when a test's process is killed, its machines end.
func TestKilledTest(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	victim := exec.Command(self, "-test.run", "^TestMachine$")
	victim.Env = append(os.Environ(), machine.ArchesVariable+"="+machine.Selected(t)[0].Name, "TMPDIR="+t.TempDir())
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	defer victim.Wait()
	defer victim.Process.Kill()
	var emulator string
	netlab.Eventually(t, patience, "the test starts an emulator", func() error {
		emulator, err = childOf(victim.Process.Pid, "qemu-system")
		return err
	})
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	netlab.Eventually(t, patience, "the emulator ends", func() error {
		state, _, err := parent(emulator)
		if err == nil && state != "Z" {
			return fmt.Errorf("process %s is there", emulator)
		}
		return nil
	})
}

// childOf finds a process by its parent and the start of its name.
func childOf(pid int, name string) (child string, err error) {
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return "", err
	}
	for _, dir := range all {
		child := filepath.Base(dir)
		comm, _ := os.ReadFile(filepath.Join(dir, "comm")) // it may have ended
		_, of, err := parent(child)
		if err == nil && of == pid && strings.HasPrefix(string(comm), name) {
			return child, nil
		}
	}
	return "", errors.New("there is none")
}

// parent reads a process's state and its parent (proc(5), /proc/PID/stat).
func parent(pid string) (state string, of int, err error) {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return "", 0, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	of, err = strconv.Atoi(fields[1])
	return fields[0], of, err
}
