package scenarios_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ginnel/daemon/local"
	"ginnel/netlab"
	"ginnel/platform"
	"ginnel/platform/wireguard/kernel"
)

// hasWireGuard tells whether this machine's kernel has WireGuard.
func (m *machine) hasWireGuard() bool {
	m.lab.t.Helper()
	err := m.Do(func() error { _, err := kernel.Others().Open("lo", 1380); return err })
	switch {
	case errors.Is(err, platform.ErrUnsupported):
		return false
	case !errors.Is(err, platform.ErrExist): // loopback is none of WireGuard
		m.lab.t.Fatalf("look for the kernel's WireGuard: %v", err)
	}
	return true
}

// option gives m's only section an option, in place of the one that it has.
func (m *machine) option(name, value string) {
	m.lab.t.Helper()
	const conf = "/etc/ginnel/ginnel.conf"
	text, err := m.ReadFile(conf)
	if err != nil {
		m.lab.t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "\toption "+name+" ") {
			lines = append(lines, line)
		}
	}
	lines = append(lines, "\toption "+name+" '"+value+"'\n")
	if err := m.WriteFile(conf, []byte(strings.Join(lines, "")), 0o600); err != nil {
		m.lab.t.Fatal(err)
	}
	m.signal(1) // SIGHUP
}

// is waits until m's network is in that state, with an error that says why, and
// if it is up, carried by that backend.
func (m *machine) is(state local.State, why string, backend platform.Backend) {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, patience, m.Name()+"'s network is "+string(state), func() error {
		n, err := m.network()
		if err == nil && (n.State != state || !strings.Contains(n.Error, why) || state == local.Up && n.Backend != string(backend)) {
			err = fmt.Errorf("it is %s by %q, error %q", n.State, n.Backend, n.Error)
		}
		return err
	})
}

// carriedByKernel waits until the kernel carries m's network, or where it cannot,
// status says what to do.
func (m *machine) carriedByKernel() {
	m.lab.t.Helper()
	if m.hasWireGuard() {
		m.is(local.Up, "", platform.Kernel)
		return
	}
	m.is(local.Failed, "kmod-wireguard", "")
}

// TestBehaviour57And58Backend: the kernel carries the packets where it can, and
// the embedded device elsewhere; one that is asked for is the only way. Status
// says which it is.
func TestBehaviour57And58Backend(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		anna, best := o.peers[0], platform.Userspace
		if anna.hasWireGuard() {
			best = platform.Kernel
		}
		anna.is(local.Up, "", best)
		anna.option("backend", "userspace")
		anna.is(local.Up, "", platform.Userspace)
		anna.reaches(o.coordinator, patience)
		if out := anna.ginnel("status"); !strings.Contains(out, "userspace") {
			t.Errorf("status does not say what carries the packets:\n%s", out)
		}
		anna.option("backend", "kernel")
		anna.carriedByKernel()
		anna.option("backend", "auto")
		anna.is(local.Up, "", best)
		anna.reaches(o.coordinator, patience)
	})
}

// TestBehaviour58KernelOnly: the binary that is built for small routers says
// that the kernel's module is to be installed, where it is missing, and that it
// has no device of its own.
func TestBehaviour58KernelOnly(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	path := filepath.Join(t.TempDir(), "ginnel")
	build := exec.Command("go", "build", "-tags", "kernelonly", "-o", path, "ginnel/cmd/ginnel")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build ginnel: %v\n%s", err, out)
	}
	m := &machine{Host: l.Host("router", l.Internet()), lab: l}
	m.startFrom(path)
	// The command would wait for what cannot come.
	m.Try(path, "network", "create", "home", l.home.root(), "--endpoint", endpointAt(m.Addr()))
	m.carriedByKernel()
	m.option("backend", "userspace")
	m.is(local.Failed, "built for the kernel's WireGuard alone", "")
	m.option("backend", "auto")
	m.carriedByKernel()
}
