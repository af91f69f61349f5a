package flash

import (
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
)

// flashDevice is all of the flash, raw.
const flashDevice = "/dev/mtd0ro"

// sayWear starts a line of runWear's.
const sayWear = "flash: wear "

// wear is what was written to flash, in bytes.
type wear struct {
	Accepted, Commands int // during commands, and how many these were
	Idle, Seconds      int // while nothing happened, and how long that was
}

// runWear measures what a coordinator writes, by what has changed on the flash.
// Both file systems write behind what they have written, into blocks that were
// erased: nothing is overwritten in place, as long as there is room.
func runWear(k kind, args []string) error {
	idle, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	if err := k.begin(); err != nil {
		return err
	}
	c, err := startCoordinator()
	if err != nil {
		return err
	}
	w := wear{Commands: commands, Seconds: int(idle.Seconds())}
	r := rand.New(rand.NewPCG(1, 1))
	w.Accepted, err = written(func() error {
		for range commands {
			if err := c.step(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.Idle, err = written(func() error { <-time.After(idle); return nil })
	if err != nil {
		return err
	}
	fmt.Printf("%s%d %d %d %d\n", sayWear, w.Accepted, w.Commands, w.Idle, w.Seconds)
	return c.stop()
}

// written tells how many bytes f has made the flash different by.
func written(f func() error) (int, error) {
	before, err := settled()
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := settled()
	if err != nil {
		return 0, err
	}
	return changed(before, after), nil
}

// calm is how long nothing is written before the flash counts as settled: the
// daemon saves its map, and jffs2 collects garbage, after the commands.
const calm = 3 * time.Second

// settled is the content of the flash once nothing of what was done before is
// still to be written.
func settled() ([]byte, error) {
	var last uint32
	for end := time.Now().Add(patience); time.Now().Before(end); <-time.After(calm) {
		b, err := content()
		if err != nil {
			return nil, err
		}
		sum := crc32.ChecksumIEEE(b)
		if sum == last {
			return b, nil
		}
		last = sum
		debug.FreeOSMemory() // the machine has room for few of these
	}
	return nil, fmt.Errorf("the flash is written to for %v after the last command", patience)
}

// content is what is on the flash.
func content() ([]byte, error) {
	unix.Sync()
	size, err := readNumber("/sys/class/mtd/mtd0/size")
	if err != nil {
		return nil, err
	}
	f, err := os.Open(flashDevice)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, size)
	_, err = io.ReadFull(f, b)
	return b, err
}

// gap is how many equal bytes end a stretch of changed ones: what is written
// may happen to be what was there.
const gap = 16

// changed is the length of all stretches in which a and b differ.
func changed(a, b []byte) (n int) {
	start, end := -1, -1 // of the stretch, while there is one
	for i := range a {
		if a[i] == b[i] {
			continue
		}
		if start >= 0 && i-end > gap {
			n += end - start
			start = -1
		}
		if start < 0 {
			start = i
		}
		end = i + 1
	}
	if start >= 0 {
		n += end - start
	}
	return n
}
