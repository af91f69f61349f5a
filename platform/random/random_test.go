package random_test

import (
	"bytes"
	"testing"

	"ginnel/platform/random"
)

// TestReader fills to the end, more than one call of the kernel gives at once
// when signals arrive, and never gives the same twice.
func TestReader(t *testing.T) {
	for _, size := range []int{0, 1, 32, 1 << 20} {
		a, b := make([]byte, size), make([]byte, size)
		for _, p := range [][]byte{a, b} {
			if n, err := random.Reader.Read(p); n != size || err != nil {
				t.Fatalf("%d bytes: %d, %v", size, n, err)
			}
		}
		if size >= 32 && (bytes.Equal(a, b) || bytes.Equal(a[size-32:], make([]byte, 32))) {
			t.Errorf("%d bytes are not random", size)
		}
	}
}
