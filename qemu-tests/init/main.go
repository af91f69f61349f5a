// Command init is process 1 of an emulated machine: it makes the machine fit
// for Go programs, runs the plan's commands, and switches the machine off. The
// root file system is the kernel's own initramfs; there is no distribution, no
// shell and no C library in it.
package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"ginnel/qemu-tests/guest"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "init: this is the first process of an emulated machine, and nothing else")
		os.Exit(2)
	}
	if err := live(); err != nil {
		mark(guest.Mark{Event: guest.Failed, Text: err.Error()})
	}
	unix.Sync()
	mark(guest.Mark{Event: guest.Off})
	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF); err != nil {
		mark(guest.Mark{Event: guest.Failed, Text: err.Error()})
	}
	select {} // the kernel panics when process 1 ends
}

func mark(m guest.Mark) { fmt.Println(m) }

// live is the machine's life.
func live() error {
	if err := mountAll(); err != nil {
		return err
	}
	text, err := os.ReadFile(guest.PlanPath)
	if err != nil {
		return fmt.Errorf("read plan: %w", err)
	}
	plan, err := guest.DecodePlan(text)
	if err != nil {
		return err
	}
	if err := prepare(plan); err != nil {
		return err
	}
	for i, command := range plan.Run {
		mark(guest.Mark{Event: guest.Began, Number: i})
		status, why := run(command, plan.Env)
		mark(guest.Mark{Event: guest.Ended, Number: i, Status: status, Text: why})
		if status != 0 {
			break
		}
	}
	return nil
}

// notStarted is the status shells give a command that does not exist.
const notStarted = 127

// run runs a command on the console. It reaps, meanwhile, what others left
// behind, as process 1 must.
func run(command, env []string) (status int, why string) {
	env = append([]string{"PATH=/bin:/usr/local/bin", "HOME=/root", "TMPDIR=/tmp"}, env...)
	none, err := os.Open(os.DevNull)
	if err != nil {
		return notStarted, err.Error()
	}
	defer none.Close()
	pid, err := syscall.ForkExec(command[0], command, &syscall.ProcAttr{
		Dir: "/", Env: env, Files: []uintptr{none.Fd(), os.Stdout.Fd(), os.Stderr.Fd()},
	})
	if err != nil {
		return notStarted, fmt.Sprintf("start %s: %v", command[0], err)
	}
	for {
		var s unix.WaitStatus
		got, err := unix.Wait4(-1, &s, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR), err == nil && got != pid:
		case err != nil:
			return notStarted, fmt.Sprintf("wait for %s: %v", command[0], err)
		case s.Signaled():
			return 128 + int(s.Signal()), s.Signal().String()
		default:
			return s.ExitStatus(), ""
		}
	}
}
