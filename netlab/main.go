package netlab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The environment tells a process of ours which of the three it is (absent: the
// keeper), and the world by which process id the machine outside knows init.
const (
	stageVariable   = "NETLAB_STAGE"
	initPIDVariable = "NETLAB_INIT_PID"
	stageInit       = "init"
	stageWorld      = "world"
)

// baseDir is the tmpfs directory that holds everything the library writes. It
// is the same path in the world and in every host.
const baseDir = "/run/netlab"

// The main goroutine stays on the main thread: the keeper's child dies with the
// thread that started it, and /proc/self is the main thread's view, which must
// not be lent to a host.
func init() { runtime.LockOSThread() }

// Main runs a package's tests inside a world of their own (see the package
// comment) and exits with their status. It is the whole body of TestMain.
func Main(m *testing.M) { os.Exit(enter(m.Run)) }

// enter runs f as the world and returns the exit status to use.
func enter(f func() int) int {
	var code int
	var err error
	switch os.Getenv(stageVariable) {
	case "":
		code, err = keep()
	case stageInit:
		code, err = beInit()
	case stageWorld:
		os.Unsetenv(stageVariable) // a program started from here may have a world of its own
		code = f()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "netlab:", err)
		return 1
	}
	return code
}

// keep starts init in new namespaces and waits for it.
func keep() (int, error) {
	if os.Geteuid() != 0 {
		return 0, errors.New("these tests make network namespaces and must run as root (sudo -E go test ...)")
	}
	cmd, err := again(stageInit)
	if err != nil {
		return 0, err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWUTS,
		Pdeathsig:  unix.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start init in new namespaces: %w", err)
	}
	defer forwardSignals(cmd.Process)()
	if err := cmd.Wait(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			return 0, fmt.Errorf("wait for init: %w", err)
		}
	}
	return exitCode(unix.WaitStatus(cmd.ProcessState.Sys().(syscall.WaitStatus))), nil
}

// beInit is process 1: it prepares the mounts, starts the world, reaps orphans,
// and returns the world's exit status.
func beInit() (int, error) {
	pid, err := os.Readlink("/proc/self") // still the outer /proc: the process id that nsenter needs
	if err != nil {
		return 0, fmt.Errorf("own process id outside: %w", err)
	}
	if err := prepareMounts(); err != nil {
		return 0, err
	}
	cmd, err := again(stageWorld)
	if err != nil {
		return 0, err
	}
	cmd.Env = append(cmd.Env, initPIDVariable+"="+pid, "TMPDIR="+baseDir+"/tmp")
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start the world: %w", err)
	}
	defer forwardSignals(cmd.Process)()
	return reapUntil(cmd.Process.Pid)
}

// again is a command that runs this program once more, as another stage.
func again(stage string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("own path: %w", err)
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), stageVariable+"="+stage)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd, nil
}

// prepareMounts makes this mount namespace private, gives it the PID
// namespace's own /proc, and an empty /run whose content dies with it.
func prepareMounts() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := unix.Mount("netlab", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	return os.MkdirAll(baseDir+"/tmp", 0o755)
}

// reapUntil waits for every child, its own and orphans, until the one with the
// process id given has ended, and returns that one's exit status.
func reapUntil(pid int) (int, error) {
	for {
		var status unix.WaitStatus
		got, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, fmt.Errorf("wait for children: %w", err)
		case got == pid:
			return exitCode(status), nil
		}
	}
}

// exitCode is a process's exit status, or 128 and the signal's number as shells
// have it.
func exitCode(s unix.WaitStatus) int {
	if s.Signaled() {
		return 128 + int(s.Signal())
	}
	return s.ExitStatus()
}

// forwardSignals passes the signals that ask a program to end on to p, until
// the function it returns is called. (go test asks with SIGQUIT.)
func forwardSignals(p *os.Process) (stop func()) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGQUIT, unix.SIGHUP)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := range signals {
			_ = p.Signal(s) // fails only when p has ended, which its waiter sees
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}
