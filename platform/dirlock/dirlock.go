// Package dirlock keeps the writers of a directory's files apart: they lock the
// directory itself, since files are replaced meanwhile.
//
// Whoever may open a directory may lock it as well, which for /etc is everybody.
// So nobody waits for long, and who had to wait too long does without.
package dirlock

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lookEvery is how often it is tried while another program has the lock: it
// lets go within milliseconds, or with a slow flash in some hundred.
const lookEvery = 10 * time.Millisecond

// Lock opens the directory at path and locks it against others who do. It waits
// for them no longer than wait. Closing the file unlocks.
func Lock(path string, wait time.Duration) (*os.File, error) {
	d, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := acquire(d, wait); err != nil {
		d.Close()
		return nil, fmt.Errorf("lock directory %s: %w", path, err)
	}
	return d, nil
}

func acquire(d *os.File, wait time.Duration) error {
	late := time.NewTimer(wait)
	defer late.Stop()
	again := time.NewTicker(lookEvery)
	defer again.Stop()
	for {
		err := unix.Flock(int(d.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err != unix.EINTR && err != unix.EWOULDBLOCK {
			return err
		}
		select {
		case <-again.C:
		case <-late.C:
			return fmt.Errorf("another program has had it locked for %s: /proc/locks and `fuser -v %s` tell which, end it", wait, d.Name())
		}
	}
}
