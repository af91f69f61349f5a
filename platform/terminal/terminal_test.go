package terminal_test

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"ginnel/platform/terminal"
)

// pair opens a pseudo terminal: what it returns is the program's side.
func pair(t *testing.T) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	return tty
}

func TestTerminal(t *testing.T) {
	tty := pair(t)
	if columns, lines := terminal.Size(tty); !terminal.Is(tty) || columns != 0 || lines != 0 {
		t.Errorf("a new one: %v, %d by %d", terminal.Is(tty), columns, lines)
	}
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: 132, Row: 43}); err != nil {
		t.Fatal(err)
	}
	if columns, lines := terminal.Size(tty); columns != 132 || lines != 43 {
		t.Errorf("%d by %d, want 132 by 43", columns, lines)
	}
}

func TestNoTerminal(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if columns, lines := terminal.Size(f); terminal.Is(f) || columns != 0 || lines != 0 {
		t.Errorf("%v, %d by %d", terminal.Is(f), columns, lines)
	}
}
