// Package rcd tests the services' scripts under busybox's shell, in a root
// directory of their own.
package rcd

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// owner is the number of the user and group ginnel in a world.
const owner = 4242

// applets are some of those that OpenWrt's busybox has.
const applets = "sh basename cat chgrp chmod chown cut date dirname echo env find grep head id kill ln logger ls md5sum mkdir mv pidof ps " +
	"readlink rm rmdir sed sleep sort start-stop-daemon tail test touch tr wc xargs"

// world is a small system to run a script in. It needs root.
type world struct {
	*testing.T
	root string
}

// newWorld makes one with busybox as all of its programs, and what an
// installed package brings: the script, a program, a configuration.
func newWorld(t *testing.T, script string) *world {
	t.Helper()
	w := &world{t, t.TempDir()}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal("busybox is needed: make tools installs it")
	}
	for _, dir := range []string{"bin", "sbin", "usr/bin", "etc/init.d", "etc/rc.d", "etc/config", "proc", "procd", "tmp", "dev"} {
		w.ok(os.MkdirAll(w.path(dir), 0o755))
	}
	w.copy(busybox, "bin/busybox", 0o755)
	for applet := range strings.FieldsSeq(applets) {
		w.ok(os.Symlink("busybox", w.path("bin/"+applet)))
	}
	w.copy(script, "etc/init.d/ginnel", 0o755)
	w.copy("testdata/rc.common", "etc/rc.common", 0o755)
	w.write("etc/passwd", "root:x:0:0:root:/:/bin/sh\nginnel:x:4242:4242:ginnel:/:/bin/false\n")
	w.write("etc/group", "root:x:0:\nginnel:x:4242:\n")
	w.write("usr/bin/ginnel", program("first"))
	w.ok(os.Chmod(w.path("usr/bin/ginnel"), 0o755))
	w.write("rules", "")
	w.write("etc/config/ginnel", "")
	w.write("etc/capabilities/ginnel.json", "{}")
	return w
}

// program stands in for a version of ours: of its commands it knows the one that
// the script needs.
func program(version string) string {
	return "#!/bin/sh\n# " + version + "\n[ \"$1\" = firewall ] && cat /rules\n"
}

// build puts the real program there.
func (w *world) build() {
	w.Helper()
	w.ok(os.Remove(w.path("usr/bin/ginnel")))
	build := exec.Command("go", "build", "-o", w.path("usr/bin/ginnel"), "ginnel/cmd/ginnel")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		w.Fatalf("%v: %s", err, out)
	}
}

func (w *world) path(name string) string { return filepath.Join(w.root, name) }

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) write(name, text string) {
	w.Helper()
	w.ok(os.MkdirAll(filepath.Dir(w.path(name)), 0o755))
	w.ok(os.WriteFile(w.path(name), []byte(text), 0o644))
}

func (w *world) read(name string) string {
	text, _ := os.ReadFile(w.path(name)) // one that is not there is empty
	return string(text)
}

func (w *world) copy(from, to string, mode os.FileMode) {
	w.Helper()
	text, err := os.ReadFile(from)
	w.ok(err)
	w.ok(os.WriteFile(w.path(to), text, mode))
}

// run runs a command there, and returns its output.
func (w *world) run(env []string, args ...string) (string, error) {
	cmd := exec.Command("/bin/busybox", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: w.root}
	cmd.Dir, cmd.Env = "/", append([]string{"PATH=/usr/bin:/usr/sbin:/bin:/sbin"}, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// call calls the script through rc.common and returns what it asked for. It may
// not say anything: nobody would read it.
func (w *world) call(action string, env ...string) []string {
	w.Helper()
	w.write("asked", "")
	out, err := w.run(env, "sh", "/etc/rc.common", "/etc/init.d/ginnel", action)
	if err != nil || out != "" {
		w.Fatalf("%s: %v, %s", action, err, out)
	}
	return strings.Split(strings.TrimSuffix(w.read("asked"), "\n"), "\n")
}

// asks calls the script and compares what it asked for, as a whole.
func (w *world) asks(action, want string, env ...string) {
	w.Helper()
	if got := strings.Join(w.call(action, env...), "\n"); got != strings.TrimSpace(want) {
		w.Errorf("%s asks for\n%s\nwant\n%s", action, got, want)
	}
}

// does calls the script and compares only what procd did of it.
func (w *world) does(action, want string, env ...string) {
	w.Helper()
	got := slices.DeleteFunc(w.call(action, env...), func(s string) bool { return !strings.HasPrefix(s, "procd: ") && !strings.HasPrefix(s, "signal ") })
	if s := strings.Join(got, ", "); s != want {
		w.Errorf("%s %v: %s, want %s", action, env, s, want)
	}
}

// mode returns a file's permissions, owner and group.
func (w *world) mode(name string) (perm os.FileMode, uid, gid uint32) {
	w.Helper()
	info, err := os.Lstat(w.path(name))
	w.ok(err)
	of := info.Sys().(*syscall.Stat_t)
	return info.Mode().Perm(), of.Uid, of.Gid
}
