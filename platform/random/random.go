// Package random is the kernel's random generator, of cryptographic quality.
//
// It is all that this program needs of crypto/rand, which puts a generator of
// its own before the kernel's, for a mode that nobody turns on here.
package random

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// Reader fills what it is given, or returns an error: a kernel older than 3.17
// has no getrandom(2). Early after a boot it waits until the kernel has seen
// enough of the world to be unpredictable. It is for concurrent use.
var Reader io.Reader = kernel{}

type kernel struct{}

func (kernel) Read(b []byte) (int, error) {
	for n := 0; n < len(b); {
		got, err := unix.Getrandom(b[n:], 0)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return n, fmt.Errorf("random numbers of the kernel: %w", err)
		}
		n += max(got, 0)
	}
	return len(b), nil
}
