package netlab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// runLimit ends a command of Run or Try that hangs (see Patience).
const runLimit = time.Minute

// StartCmd starts a command, made by exec.Command and not started yet, inside
// the host. Its directory is / unless cmd.Dir says otherwise. The caller waits
// for it, and must not set Pdeathsig (the thread that starts it ends at once);
// the world ends it in any case.
func (h *Host) StartCmd(cmd *exec.Cmd) error {
	// The child is made by the thread that calls Start, and is where that is.
	return h.Do(cmd.Start)
}

// Run runs a command inside the host and returns what it wrote to its standard
// output. A command that fails, or takes longer than a minute of Patience, fails the test,
// with its output.
func (h *Host) Run(name string, args ...string) string {
	h.w.t.Helper()
	out, err := h.Try(name, args...)
	if err != nil {
		h.w.t.Fatalf("netlab: %v\n%s", err, out)
	}
	return out
}

// Try is Run for commands that may fail: the error contains what the command
// wrote to its standard error. It wraps *exec.ExitError when the command ran.
func (h *Host) Try(name string, args ...string) (stdout string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience(runLimit))
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.WaitDelay = time.Second // a daemon that it left behind may hold its output open
	if err := h.StartCmd(cmd); err != nil {
		return "", err
	}
	if err := cmd.Wait(); err != nil {
		return out.String(), fmt.Errorf("%s: %s: %w: %s", h.name, shown(name, args), err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

// shown is a command line for messages. Long arguments are shortened: they may
// be invitations.
func shown(name string, args []string) string {
	words := []string{filepath.Base(name)}
	for _, arg := range args {
		if len(arg) > 48 {
			arg = arg[:8] + "..."
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ")
}

// Process is a program that runs in a host in the background. Its output goes
// to one log file.
type Process struct {
	h    *Host
	name string
	cmd  *exec.Cmd
	path string        // of the log
	done chan struct{} // closed when it has ended
	err  error         // of Wait; valid when done is closed
}

// Start starts a program inside the host, in the directory /. One that cannot
// be started fails the test. It is killed when the test ends at the latest; if
// the test has failed, the last lines of its log are shown.
func (h *Host) Start(name string, args ...string) *Process {
	h.w.t.Helper()
	return h.start(exec.Command(name, args...))
}

// StartAs is Start as an ordinary user, who is in the group of the same number
// and has these capabilities (unix.CAP_...) and no others.
func (h *Host) StartAs(user uint32, capabilities []uintptr, name string, args ...string) *Process {
	h.w.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: user, Gid: user}, AmbientCaps: capabilities,
	}
	return h.start(cmd)
}

func (h *Host) start(cmd *exec.Cmd) *Process {
	h.w.t.Helper()
	h.runs++
	p := &Process{h: h, name: filepath.Base(cmd.Path), cmd: cmd, done: make(chan struct{})}
	p.path = filepath.Join(h.w.logs, fmt.Sprintf("%s-%d-%s.log", h.name, h.runs, p.name))
	log, err := os.Create(p.path)
	h.w.must(err, "log")
	defer func() { _ = log.Close() }() // the program has its own descriptor
	p.cmd.Stdout, p.cmd.Stderr = log, log
	h.w.must(h.StartCmd(p.cmd), "start %s", p.name)
	h.w.procs = append(h.w.procs, p)
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p
}

// String names the process in messages.
func (p *Process) String() string { return p.h.name + ": " + p.name }

// PID is its process id inside the world.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends it a signal; os.ErrProcessDone when it has ended.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Kill ends it with SIGKILL, as a crash would, and waits until it has ended.
// Killing an ended process changes nothing.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // fails only when it has ended
	<-p.done
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits until the process has ended, and returns nil if it did so with
// status 0 within the time given.
func (p *Process) Wait(within time.Duration) error {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		return fmt.Errorf("%s: still running after %v", p, within)
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w", p, p.err)
	}
	return nil
}

// Log is everything it wrote so far, standard output and standard error as they
// came.
func (p *Process) Log() string {
	b, err := os.ReadFile(p.path)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// tail is the end of the log, for a person.
func (p *Process) tail() string {
	const most = 60
	lines := strings.Split(strings.TrimRight(p.Log(), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}

// killAll ends every process in the host, those too that a program of the host
// left behind, and returns when they are gone.
func (h *Host) killAll() error {
	// A process may have forked while we looked: only a look that finds none
	// ends this.
	for range 100 {
		pids, err := h.processes()
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			if err := killAndWait(pid); err != nil {
				return err
			}
		}
	}
	return errors.New("new processes appear as fast as they are killed")
}

// processes are the ids of those in the host's network namespace.
func (h *Host) processes() ([]int, error) {
	own, err := h.ns.net.Stat()
	if err != nil {
		return nil, fmt.Errorf("network namespace: %w", err)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		// A process that has just ended has no namespaces: not ours any more.
		if info, err := os.Stat(filepath.Join("/proc", e.Name(), "ns/net")); err == nil && os.SameFile(own, info) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// killAndWait ends a process that need not be our child.
func killAndWait(pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open process %d: %w", pid, err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill process %d: %w", pid, err)
	}
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
