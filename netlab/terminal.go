package netlab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Terminal is a program that runs on a terminal of its own: somebody sees what
// it writes, and types. Its methods may be used from any goroutine.
type Terminal struct {
	h    *Host
	name string
	cmd  *exec.Cmd
	keys *os.File // the other side of the program's terminal
	done chan struct{}
	err  error // of the program; read after done

	mu   sync.Mutex
	text strings.Builder
}

// OnTerminal starts a program inside the host on a terminal of that size. The
// test ends it.
func (h *Host) OnTerminal(columns, lines uint16, name string, args ...string) *Terminal {
	h.w.t.Helper()
	keys, screen, err := openTerminal(columns, lines)
	if err != nil {
		h.w.t.Fatalf("netlab: open a terminal: %v", err)
	}
	defer screen.Close()
	t := &Terminal{h: h, name: shown(name, args), cmd: exec.Command(name, args...), keys: keys, done: make(chan struct{})}
	t.cmd.Stdin, t.cmd.Stdout, t.cmd.Stderr = screen, screen, screen
	t.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true} // so that Ctrl-C is a signal
	if err := h.StartCmd(t.cmd); err != nil {
		keys.Close()
		h.w.t.Fatalf("netlab: %v", err)
	}
	go t.read()
	h.w.t.Cleanup(func() {
		t.cmd.Process.Kill()
		<-t.done
		keys.Close()
	})
	return t
}

// openTerminal returns the two sides of a new terminal.
func openTerminal(columns, lines uint16) (keys, screen *os.File, err error) {
	if keys, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return nil, nil, err
	}
	number, err := unix.IoctlGetInt(int(keys.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(keys.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(int(keys.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: lines})
	}
	if err == nil {
		screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		return nil, nil, errors.Join(err, keys.Close())
	}
	return keys, screen, nil
}

// read notes down what is written, until the program has ended and all was
// read.
func (t *Terminal) read() {
	defer close(t.done)
	b := make([]byte, 4096)
	for {
		n, err := t.keys.Read(b)
		t.mu.Lock()
		t.text.Write(b[:n])
		t.mu.Unlock()
		if err != nil { // EIO: nobody has the other side any longer
			t.err = t.cmd.Wait()
			return
		}
	}
}

// Text is all that was written so far, the terminal's echo of what was typed
// included.
func (t *Terminal) Text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// Type types text.
func (t *Terminal) Type(text string) {
	t.h.w.t.Helper()
	if _, err := t.keys.WriteString(text); err != nil {
		t.h.w.t.Fatalf("netlab: %s: %s: type %q: %v", t.h.name, t.name, text, err)
	}
}

// Shows waits until want is written behind what was read by an earlier call, at
// the position from, and returns the position behind it.
func (t *Terminal) Shows(from int, want string, within time.Duration) (behind int) {
	t.h.w.t.Helper()
	Eventually(t.h.w.t, within, fmt.Sprintf("%s: %s shows %q", t.h.name, t.name, want), func() error {
		text := t.Text()[from:]
		i := strings.Index(text, want)
		if i < 0 {
			return fmt.Errorf("there is %q", text[max(0, len(text)-2000):])
		}
		behind = from + i + len(want)
		return nil
	})
	return behind
}

// Wait waits until the program has ended, and returns its error, an
// *exec.ExitError when it has failed.
func (t *Terminal) Wait(within time.Duration) error {
	t.h.w.t.Helper()
	select {
	case <-t.done:
		return t.err
	case <-time.After(Patience(within)):
		t.h.w.t.Fatalf("netlab: %s: %s has not ended after %v; it shows %q", t.h.name, t.name, within, t.Text())
		return nil
	}
}
