// Package terminal tells whether somebody can be asked.
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
