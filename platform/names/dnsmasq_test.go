package names

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ginnel/platform"
)

// TestMain is also the dnsmasq of these tests: a program of that name that
// writes a line for each signal to hang up.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "dnsmasq" {
		os.Exit(m.Run())
	}
	c := make(chan os.Signal, 10)
	signal.Notify(c, syscall.SIGHUP)
	fmt.Println("ready")
	for range c {
		fmt.Println("read again")
	}
}

// process is a dnsmasq that runs, in a directory like /proc that has no other.
type process struct {
	lines chan string
	proc  string
}

func startDnsmasq(t *testing.T) *process {
	t.Helper()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "dnsmasq")
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{lines: make(chan string, 10), proc: t.TempDir()}
	read := make(chan struct{})
	go func() {
		defer close(read)
		var b [100]byte
		for n, err := out.Read(b[:]); err == nil; n, err = out.Read(b[:]) {
			for line := range strings.Lines(string(b[:n])) {
				p.lines <- line
			}
		}
	}()
	t.Cleanup(func() { cmd.Process.Kill(); <-read; cmd.Wait() })
	name := strconv.Itoa(cmd.Process.Pid)
	if err := os.Symlink(filepath.Join("/proc", name), filepath.Join(p.proc, name)); err != nil {
		t.Fatal(err)
	}
	p.says(t, "ready\n")
	return p
}

func (p *process) says(t *testing.T, want string) {
	t.Helper()
	select {
	case line := <-p.lines:
		if line != want {
			t.Fatalf("dnsmasq says %q, want %q", line, want)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("dnsmasq does not say %q", want)
	}
}

var gate = []platform.HostEntry{{Address: netip.MustParseAddr("10.42.0.1"), Names: []string{"gate.home.wg"}}}

// TestBehaviour116Dnsmasq: the names are in a file of the network's own among
// those that dnsmasq reads, and dnsmasq is told when they change, only then.
func TestBehaviour116Dnsmasq(t *testing.T) {
	p := startDnsmasq(t)
	d := &Dnsmasq{dir: filepath.Join(t.TempDir(), "hosts"), proc: p.proc}
	path := filepath.Join(d.dir, "ginnel-home")
	// A call that changes nothing may not even look for dnsmasq.
	setTwice := func(entries []platform.HostEntry) {
		t.Helper()
		d.proc = p.proc
		if err := d.Set("home", entries); err != nil {
			t.Fatal(err)
		}
		d.proc = "/nonexistent"
		if err := d.Set("home", entries); err != nil {
			t.Fatal(err)
		}
		p.says(t, "read again\n")
	}
	setTwice(gate)
	if text, err := os.ReadFile(path); err != nil || string(text) != "10.42.0.1\tgate.home.wg\n" {
		t.Errorf("the file is %q, %v", text, err)
	}
	setTwice(nil)
	left, err := os.ReadDir(d.dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

// TestDnsmasqIsTold: what was written while no dnsmasq ran is told as soon as
// there is one, though nothing changes any more.
func TestDnsmasqIsTold(t *testing.T) {
	d := &Dnsmasq{dir: t.TempDir(), proc: t.TempDir()}
	if err := d.Set("home", nil); err != nil {
		t.Errorf("without names: %v", err)
	}
	for range 2 {
		if err := d.Set("home", gate); err == nil || !strings.Contains(err.Error(), "no dnsmasq runs") {
			t.Errorf("without a dnsmasq: %v", err)
		}
	}
	p := startDnsmasq(t)
	d.proc = p.proc
	if err := d.Set("home", gate); err != nil {
		t.Fatal(err)
	}
	p.says(t, "read again\n")
	d.proc = t.TempDir()
	if err := d.Set("home", nil); err != nil {
		t.Errorf("to remove names needs no dnsmasq: %v", err)
	}
}

// TestDnsmasqFollowsNoLink: a link that somebody put into everybody's directory
// is replaced, and what it leads to stays as it is.
func TestDnsmasqFollowsNoLink(t *testing.T) {
	p := startDnsmasq(t)
	d := &Dnsmasq{dir: t.TempDir(), proc: p.proc}
	victim, path := filepath.Join(t.TempDir(), "victim"), filepath.Join(d.dir, "ginnel-home")
	if err := errors.Join(os.WriteFile(victim, []byte("mine"), 0o644), os.Symlink(victim, path)); err != nil {
		t.Fatal(err)
	}
	if err := d.Set("home", gate); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "mine" {
		t.Errorf("the file behind the link is %q, %v", text, err)
	}
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() || info.Mode() != 0o644 {
		t.Errorf("the file is %v, %v", info, err)
	}
}

// TestDnsmasqReplacesWhatIsThere: whatever somebody puts in the place of the
// file is neither read nor believed, though it would say the same.
func TestDnsmasqReplacesWhatIsThere(t *testing.T) {
	p := startDnsmasq(t)
	const want = "10.42.0.1\tgate.home.wg\n"
	same := filepath.Join(t.TempDir(), "same")
	if err := os.WriteFile(same, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, put := range map[string]func(path string) error{
		"link to the same": func(path string) error { return os.Symlink(same, path) },
		"fifo":             func(path string) error { return syscall.Mkfifo(path, 0o644) },
		"without end":      func(path string) error { return os.Symlink("/dev/zero", path) },
		"large": func(path string) error {
			return errors.Join(os.WriteFile(path, nil, 0o644), os.Truncate(path, 1<<40))
		},
	} {
		d := &Dnsmasq{dir: t.TempDir(), proc: p.proc}
		path := filepath.Join(d.dir, "ginnel-home")
		for _, names := range [][]platform.HostEntry{gate, nil} {
			if err := put(path); err != nil {
				t.Fatal(err)
			}
			if err := d.Set("home", names); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			p.says(t, "read again\n")
			info, err := os.Lstat(path)
			if names == nil {
				if !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%s: it is still there: %v", name, err)
				}
				continue
			}
			if err != nil || !info.Mode().IsRegular() || info.Size() != int64(len(want)) {
				t.Errorf("%s: the file is %v, %v", name, info, err)
			}
			os.Remove(path)
		}
	}
}

// TestDnsmasqDirectoryOfOthers: names are not written where somebody else
// decides what becomes of them.
func TestDnsmasqDirectoryOfOthers(t *testing.T) {
	p := startDnsmasq(t)
	for name, c := range map[string]struct {
		spoil func(dir string) error
		want  string // empty: it is fine
	}{
		"a link":                {func(dir string) error { return errors.Join(os.Remove(dir), os.Symlink(t.TempDir(), dir)) }, "is no directory"},
		"a stranger's":          {func(dir string) error { return os.Chown(dir, 12345, 0) }, "is of user 12345"},
		"everybody's":           {func(dir string) error { return os.Chmod(dir, 0o777) }, "everybody may replace"},
		"everybody's, but safe": {func(dir string) error { return os.Chmod(dir, 0o777|os.ModeSticky) }, ""},
		"a group's":             {func(dir string) error { return os.Chmod(dir, 0o775) }, ""},
	} {
		d := &Dnsmasq{dir: t.TempDir(), proc: p.proc}
		if err := c.spoil(d.dir); err != nil {
			t.Fatal(err)
		}
		err := d.Set("home", gate)
		left, _ := os.ReadDir(d.dir)
		switch {
		case c.want == "" && err == nil && len(left) == 1:
			p.says(t, "read again\n")
		case c.want == "" || err == nil || !strings.Contains(err.Error(), c.want) || len(left) > 0:
			t.Errorf("%s: %v, the directory has %v", name, err, left)
		}
	}
}

// TestDnsmasqIsOwedStill: what dnsmasq has not heard of it is told also after
// something else could not be written.
func TestDnsmasqIsOwedStill(t *testing.T) {
	d := &Dnsmasq{dir: t.TempDir(), proc: t.TempDir()}
	if err := d.Set("home", gate); err == nil {
		t.Fatal("told, though no dnsmasq runs")
	}
	path := filepath.Join(d.dir, "ginnel-home")
	aside := filepath.Join(t.TempDir(), "aside")
	inTheWay := filepath.Join(path, "x")
	if err := errors.Join(os.Rename(path, aside), os.MkdirAll(inTheWay, 0o755)); err != nil {
		t.Fatal(err)
	}
	p := startDnsmasq(t)
	d.proc = p.proc
	if err := d.Set("home", gate); err == nil {
		t.Fatal("a directory was replaced")
	}
	if err := errors.Join(os.RemoveAll(path), os.Rename(aside, path)); err != nil {
		t.Fatal(err)
	}
	if err := d.Set("home", gate); err != nil {
		t.Fatal(err)
	}
	p.says(t, "read again\n")
}
