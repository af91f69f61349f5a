package userspace

import (
	"runtime"
	"testing"

	"ginnel/platform/platformtest"
)

// TestMemory: what is closed gives its memory back, however often a network is
// switched off and on.
func TestMemory(t *testing.T) {
	platformtest.Namespace(t)
	const budget = 30 << 10 // KiB; without it each cycle costs megabytes
	cycle := func() {
		t.Helper()
		tunnel, err := New(quiet).Open("wg0", 1380)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // twice is harmless
			if err := tunnel.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	cycle()
	before := kept()
	for range 20 {
		cycle()
	}
	if after := kept(); after > before+budget {
		t.Errorf("20 cycles of opening and closing took %d KiB, from %d to %d", after-before, before, after)
	}
}

// kept returns how much memory the heap has of the system, in KiB: what is
// resident, whatever the race detector takes besides.
func kept() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return (m.HeapSys - m.HeapReleased) >> 10
}
