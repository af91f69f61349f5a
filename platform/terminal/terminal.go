// Package terminal tells whether somebody can be asked, and how much he sees.
package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

// Is tells whether f is a terminal.
func Is(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// Size returns how many columns and lines the terminal f shows; 0 and 0 where
// that is not known, as on a serial line, or f is none.
func Size(f *os.File) (columns, lines int) {
	w, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0
	}
	return int(w.Col), int(w.Row)
}
