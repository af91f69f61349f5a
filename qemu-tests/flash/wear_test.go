package flash

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
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

// settled is the content of the flash once the file system has written all that
// it wants to.
func settled() ([]byte, error) {
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
	content := make([]byte, size)
	_, err = io.ReadFull(f, content)
	return content, err
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
