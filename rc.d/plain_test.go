package rcd

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// session is what an administrator does with the plain script; each step tells
// how it ended. What has to happen by itself is waited for.
const session = `
mount -t proc proc /proc
: >/messages # which is read before syslogd may have made it
syslogd -O /messages
step() { said=$(/etc/init.d/ginnel "$@" 2>&1); echo "$*: $said $?"; }
logged() {
	for _ in $(seq 300); do grep -q "$1" /messages && return; sleep 0.1; done
	echo "$1 is not logged:"; cat /messages
}
step status
step stop
step reload
step start
logged 'ginnel starts'
step status
first=$(cat /var/run/ginnel.pid)
step start
[ "$first" = "$(cat /var/run/ginnel.pid)" ] || echo "started twice"
[ "$(readlink /proc/$first/exe)" = /usr/bin/ginnel ] || echo "not the daemon's number"
[ -e /state ] || echo "/etc/default/ginnel is not read"
echo 'nonsense' >/etc/ginnel/ginnel.conf
step reload
logged nonsense
step status
: >/etc/ginnel/ginnel.conf
step restart
second=$(cat /var/run/ginnel.pid)
[ "$first" != "$second" ] || echo "not started again"
[ ! -e /proc/$first ] || echo "the first still runs"
kill -9 $second
while [ -e /proc/$second/exe ]; do sleep 0.1; done
step status
step start
step status
step stop
step status
echo 1 >/var/run/ginnel.pid
step status
step stop
step
step stop extra
`

const transcript = `status: ginnel is not running 3
stop:  0
reload:  1
start:  0
status: ginnel is running 0
start:  0
reload:  0
status: ginnel is running 0
restart:  0
status: ginnel is not running 3
start:  0
status: ginnel is running 0
stop:  0
status: ginnel is not running 3
status: ginnel is not running 3
stop:  0
: usage: /etc/init.d/ginnel {start|stop|restart|reload|status} 2
stop extra:  0
`

// TestPlain runs the plain script with the real program, in namespaces that end
// with it. A number of another process in its file, 1, is nobody of ours.
func TestPlain(t *testing.T) {
	w := newWorld(t, "ginnel-plain")
	for _, name := range []string{"mount", "syslogd", "seq", "mkfifo"} {
		w.ok(os.Symlink("busybox", w.path("bin/"+name)))
	}
	w.build()
	w.ok(syscall.Mknod(w.path("dev/null"), syscall.S_IFCHR|0o666, 1<<8|3))
	w.write("etc/ginnel/ginnel.conf", "")
	w.write("etc/default/ginnel", "GINNEL_STATE=/state\n")
	w.ok(os.MkdirAll(w.path("var/run"), 0o755))
	cmd := exec.Command("/bin/busybox", "sh", "-c", session)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot: w.root, Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNET, Unshareflags: syscall.CLONE_NEWNS,
	}
	cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/bin:/bin"}
	out, err := cmd.CombinedOutput()
	if string(out) != transcript {
		t.Errorf("%v\n%s\nwant\n%s\nlogged was\n%s", err, out, transcript, w.read("messages"))
	}
	if strings.Contains(w.read("messages"), "panic") {
		t.Error(w.read("messages"))
	}
}
