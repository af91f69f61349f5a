package machine

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ginnel/qemu-tests/guest"
)

// Machine is an emulated machine that runs, or has run. Its methods are for the
// test's goroutine.
type Machine struct {
	t       testing.TB
	spec    Spec
	cmd     *exec.Cmd
	console *console
	done    chan struct{} // closed when the emulator has ended and all it printed was read
	late    atomic.Bool   // it was killed because it took too long
	killed  bool          // by Kill
}

// Boot starts a machine. It is killed when the test ends, and its console is
// shown if the test has failed.
func Boot(t testing.TB, spec Spec) *Machine {
	t.Helper()
	kernel, err := kernelOf(spec.Arch)
	if err != nil {
		t.Fatalf("machine: %v", err)
	}
	emulator, err := exec.LookPath(spec.Arch.Emulator)
	if err != nil {
		t.Fatalf("machine: no emulator for %s: run make qemu-tools %s=%s (%v)", spec.Arch.Name, ArchesVariable, spec.Arch.Name, err)
	}
	initrd := filepath.Join(t.TempDir(), "initramfs")
	if err := spec.initramfs(t, kernel).write(initrd); err != nil {
		t.Fatalf("machine: %v", err)
	}
	m := &Machine{t: t, spec: spec, console: newConsole(), done: make(chan struct{})}
	m.cmd = exec.Command(emulator, spec.arguments(filepath.Join(kernel, "kernel"), initrd)...)
	if err := m.start(); err != nil {
		t.Fatalf("machine: %v", err)
	}
	t.Cleanup(m.cleanUp)
	return m
}

// initramfs is the content of the machine's root.
func (s Spec) initramfs(t testing.TB, kernel string) initramfs {
	t.Helper()
	r := initramfs{tree: filepath.Join(kernel, "modules"), files: s.Files, init: Binary(t, s.Arch, "ginnel/qemu-tests/init")}
	known, err := readModules(r.tree)
	if err != nil {
		t.Fatalf("machine: %s: %v", s.Arch.Name, err)
	}
	if r.modules, err = known.resolve(s.modules()); err != nil {
		t.Fatalf("machine: %s: %v", s.Arch.Name, err)
	}
	addresses := make([]netip.Prefix, len(s.Net))
	for i, plug := range s.Net {
		addresses[i] = plug.address
	}
	r.plan = guest.Plan{Addresses: addresses, Env: s.Env, Run: s.Run}
	return r
}

// start starts the emulator and what reads its console.
func (m *Machine) start() error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("console: %w", err)
	}
	m.cmd.Stdout, m.cmd.Stderr = w, w
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, exited := make(chan error), make(chan struct{})
	go func() {
		defer close(exited)
		// The kernel sends the signal when the thread ends that started the
		// emulator: it must be this one, which stays.
		runtime.LockOSThread()
		err := m.cmd.Start()
		started <- err
		if err == nil {
			_ = m.cmd.Wait() // how it ended is on the console
		}
	}()
	err = <-started
	_ = w.Close() // the emulator has its own
	if err != nil {
		_ = r.Close()
		return fmt.Errorf("start emulator: %w", err)
	}
	timer := time.AfterFunc(m.spec.timeout(), func() {
		m.late.Store(true)
		_ = m.cmd.Process.Kill()
	})
	go func() {
		defer close(m.done)
		m.console.read(r, m.line)
		_ = r.Close()
		<-exited
		timer.Stop()
	}()
	return nil
}

// ConsoleVariable is the environment variable that, when it is not empty, has
// the machines' consoles shown on standard error as they come.
const ConsoleVariable = "QEMU_CONSOLE"

// line looks at a line of the console. It ends the emulator of a machine that
// cannot switch itself off, once its kernel says that it has stopped.
func (m *Machine) line(line string) {
	if os.Getenv(ConsoleVariable) != "" {
		fmt.Fprintf(os.Stderr, "%s: %s\n", m.spec.Arch.Name, line)
	}
	if strings.Contains(line, "System halted") {
		_ = m.cmd.Process.Kill()
	}
}

// Until waits until the console shows a line that matches the pattern (a
// regular expression), and returns it. It starts after the line it returned
// last. It fails the test when that does not happen within the time given.
func (m *Machine) Until(pattern string, within time.Duration) (line string) {
	m.t.Helper()
	line, err := m.console.until(regexp.MustCompile(pattern), within)
	if err != nil {
		m.t.Fatalf("machine: %s: no line like %q: %v (%v)", m.spec.Arch.Name, pattern, err, within)
	}
	return line
}

// Wait waits until the machine has switched itself off, and tells what came of
// its commands. A machine that crashes, or takes too long, fails the test; a
// command that fails does not (see Result.Check). After Kill, it tells how far
// the machine had come.
func (m *Machine) Wait() Result {
	m.t.Helper()
	<-m.done
	r := parseResult(m.console.all(), m.spec.Run)
	switch {
	case m.late.Load():
		m.t.Fatalf("machine: %s: not off after %v", m.spec.Arch.Name, m.spec.timeout())
	case !r.Off && !m.killed:
		m.t.Fatalf("machine: %s: it crashed (%v)", m.spec.Arch.Name, m.cmd.ProcessState)
	}
	return r
}

// Kill ends the machine as if its power was cut, and returns when it has ended.
// What the guest had told its disks to keep, and the emulator has acknowledged,
// is kept.
func (m *Machine) Kill() {
	m.killed = true
	_ = m.cmd.Process.Kill() // fails only when it has ended
	<-m.done
}

// Run boots a machine, waits until it is off, and fails the test unless all of
// its commands succeed.
func Run(t testing.TB, spec Spec) Result {
	t.Helper()
	r := Boot(t, spec).Wait()
	r.Check(t)
	return r
}

// shown is how many of a console's last lines are worth reading.
const shown = 400

func (m *Machine) cleanUp() {
	m.Kill()
	if m.t.Failed() {
		lines := m.console.all()
		m.t.Logf("console of the %s machine:\n%s", m.spec.Arch.Name, strings.Join(lines[max(0, len(lines)-shown):], "\n"))
	}
}
