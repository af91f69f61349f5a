package core

import "time"

// backoff says when to try again: after first, then twice as long each time,
// at most after most. Its zero value has not failed.
type backoff struct {
	first, most time.Duration
	wait        time.Duration // after the last failure; 0: none since success
}

// fail notes one more failure and returns how long to wait.
func (b *backoff) fail() time.Duration {
	switch {
	case b.wait == 0:
		b.wait = b.first
	default:
		b.wait = min(2*b.wait, b.most)
	}
	return b.wait
}

// ok notes a success.
func (b *backoff) ok() { b.wait = 0 }

// retrySpread is by how much of their length, around it, the waits for the
// coordinator differ from peer to peer: those that it had no room for at one
// moment do not come back together.
const retrySpread = 0.5

// later notes a failure of the coordinator's and returns when to ask it again.
func (c *Core) later(b *backoff) time.Time {
	return c.now.Add(time.Duration(float64(b.fail()) * (1 - retrySpread/2 + retrySpread*c.cfg.Jitter)))
}

// earliest returns the earlier of two times of which zero means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// due tells whether t has come at now; zero never comes.
func due(t, now time.Time) bool { return !t.IsZero() && !now.Before(t) }
