package netlab

import (
	"fmt"
	"testing"
	"time"
)

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
