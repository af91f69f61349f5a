package systemdtests

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ginnel/netlab"
)

// patience is how long a loaded machine may take for what takes a moment.
const patience = time.Minute

// layered is a shell's beginning that mounts, for itself alone, a writable layer
// above the directory $1 at the directory $2, where the packages in $3 are at
// /mnt, and a /run of its own.
const layered = `set -e
mount -t tmpfs ginnel /run
mount -t tmpfs ginnel "$2"
mkdir "$2/changes" "$2/work" "$2/root"
mount -t overlay ginnel -o "lowerdir=$1,upperdir=$2/changes,workdir=$2/work" "$2/root"
mount --bind -o ro "$3" "$2/root/mnt"
`

// isolated returns a command that runs a shell's script in such a layer, with a
// network of its own. All its processes end with it, and it with the test.
func isolated(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	cache := os.Getenv("GINNEL_DEBIAN_CACHE")
	if home, err := os.UserHomeDir(); cache == "" && err == nil {
		cache = filepath.Join(home, ".cache/ginnel-debian")
	}
	root := filepath.Join(cache, "bookworm")
	if _, err := os.Stat(root); err != nil {
		t.Fatalf("there is no Debian to test on: run `make systemd`: %v", err)
	}
	c := exec.CommandContext(t.Context(), "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "sh", "-c", layered+script, "sh", root, t.TempDir(), packages)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c
}

// packages is a directory with the package in two versions, old.deb and new.deb,
// and the tree that make install puts on a machine.
var packages string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "ginnel-systemd-")
	if err == nil {
		packages = dir
		err = errors.Join(build("0.1.0", "old.deb"), build("0.2.0", "new.deb"),
			makes("install", "BIN=bin/ginnel-amd64", "DESTDIR="+filepath.Join(dir, "tree")))
	}
	status := 1
	if err == nil {
		status = m.Run()
	}
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// build builds the package of a version.
func build(version, name string) error {
	if err := makes("deb", "DEB="+packages, "NUMBER="+version, "COMMITS=0"); err != nil {
		return err
	}
	return os.Rename(filepath.Join(packages, "debian/ginnel_"+version+"-1_amd64.deb"), filepath.Join(packages, name))
}

// makes makes targets of the project's.
func makes(args ...string) error {
	c := exec.Command("make", append([]string{"-s", "-C", ".."}, args...)...)
	c.Env = append(os.Environ(), "MAKEFLAGS=")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", c, err, out)
	}
	return nil
}

// machine is a Debian that systemd runs, in a container.
type machine struct {
	t      *testing.T
	nspawn *exec.Cmd
	leader int // its first process, as we see it
}

// container runs a machine, again where that says so because it reboots.
const container = `while :; do
	systemd-nspawn --quiet --directory="$2/root" --private-network --register=no --keep-unit --bind=/dev/net/tun --boot --console=pipe </dev/null &&
	exit || [ $? = 133 ]
done
`

// boot starts a machine, which ends with the test.
func boot(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, nspawn: isolated(t, container)}
	var console bytes.Buffer
	m.nspawn.Stdout, m.nspawn.Stderr = &console, &console
	if err := m.nspawn.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.nspawn.Process.Kill()
		m.nspawn.Wait()
		m.removeGroups()
		if t.Failed() {
			t.Logf("the machine's console:\n%s", &console)
		}
	})
	m.booted(0)
	return m
}

// removeGroups removes the control groups that systemd-nspawn made in ours.
func (m *machine) removeGroups() {
	ours, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		m.t.Fatal(err)
	}
	for line := range strings.Lines(string(ours)) {
		path := strings.SplitN(strings.TrimSpace(line), ":", 3)[2]
		for _, hierarchy := range []string{"", "unified", "systemd"} {
			for _, name := range []string{"payload", "supervisor"} {
				top := filepath.Join("/sys/fs/cgroup", hierarchy, path, name)
				m.eventually("the control groups are empty", func() bool { return removeGroup(top) })
			}
		}
	}
}

// removeGroup removes a control group and those in it, and returns whether it is
// gone.
func removeGroup(path string) bool {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	for _, e := range entries {
		if e.IsDir() {
			removeGroup(filepath.Join(path, e.Name()))
		}
	}
	return os.Remove(path) == nil
}

// booted waits until the machine has started, with another first process than
// before.
func (m *machine) booted(before int) {
	m.t.Helper()
	m.eventually("the machine starts", func() bool {
		m.leader = first(m.nspawn.Process.Pid)
		if m.leader == 0 || m.leader == before {
			return false
		}
		state, _ := m.try("systemctl", "is-system-running")
		return state == "running\n" || state == "degraded\n"
	})
}

// first returns the process below one of ours that is the first of a container;
// 0: none is.
func first(above int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", above))
	if err != nil {
		return 0
	}
	_, ids, _ := strings.Cut(string(status), "\nNSpid:\t")
	ids, _, _ = strings.Cut(ids, "\n")
	if id := strings.Fields(ids); len(id) == 3 && id[2] == "1" { // here, in the command's own namespace, in the container
		return above
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", above))
	if err != nil {
		return 0
	}
	for _, child := range strings.Fields(string(children)) {
		pid, err := strconv.Atoi(child)
		if below := first(pid); err == nil && below != 0 {
			return below
		}
	}
	return 0
}

// try runs a command on the machine and returns what it prints.
func (m *machine) try(args ...string) (string, error) {
	enter := []string{"--target", strconv.Itoa(m.leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--"}
	c := exec.CommandContext(m.t.Context(), "nsenter", append(enter, args...)...)
	c.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"}
	out, err := c.CombinedOutput()
	return string(out), err
}

// run runs a command that must succeed.
func (m *machine) run(args ...string) string {
	m.t.Helper()
	out, err := m.try(args...)
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// refused runs a command that must fail and say something.
func (m *machine) refused(says string, args ...string) {
	m.t.Helper()
	if out, err := m.try(args...); err == nil || !strings.Contains(out, says) {
		m.t.Errorf("%s: %v, says %q, want %q in it", strings.Join(args, " "), err, out, says)
	}
}

// eventually waits for a condition.
func (m *machine) eventually(what string, ok func() bool) {
	m.t.Helper()
	netlab.Eventually(m.t, patience, what, func() error {
		if !ok() {
			return errors.New("it is not so")
		}
		return nil
	})
}
