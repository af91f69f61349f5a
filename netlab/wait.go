package netlab

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// PatienceVariable is the environment variable that makes Patience longer: a
// whole number of times. It is for machines that are slow because they are
// emulated.
const PatienceVariable = "NETLAB_PATIENCE"

// Patience is how long to wait, on this machine, for what takes less than d on
// an ordinary one. It is for deadlines that only keep a test from hanging.
func Patience(d time.Duration) time.Duration {
	n, err := patienceFactor()
	if err != nil {
		return d // New has said so
	}
	return d * time.Duration(n)
}

var patienceFactor = sync.OnceValues(func() (int, error) {
	text := os.Getenv(PatienceVariable)
	if text == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s=%s: a whole number from 1 is needed", PatienceVariable, text)
	}
	return n, nil
})

// pollInterval is short against what tests wait for, and long against what a
// condition costs.
const pollInterval = 20 * time.Millisecond

// Eventually waits until check returns nil, trying at once and then every 20 ms,
// and fails the test with the last error when that does not happen within the
// time given. What names the condition in that message.
func Eventually(t testing.TB, within time.Duration, what string, check func() error) {
	t.Helper()
	if err := poll(within, pollInterval, check); err != nil {
		t.Fatalf("%s: not within %v: %v", what, within, err)
	}
}

// poll is Eventually that returns the last error, and tries as often as it is
// told.
func poll(within, every time.Duration, check func() error) error {
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-deadline.C:
			return fmt.Errorf("last try: %w", err)
		case <-ticker.C:
		}
	}
}
