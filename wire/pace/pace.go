// Package pace limits how often each of many peers may have something done. It
// is pure: the time is a parameter.
package pace

import (
	"net/netip"
	"time"
)

// Pacer is a token bucket for every address. Its fields do not change after
// the first use; its owner guards it. It remembers an address for as long as
// its bucket is not full, at most twice Burst times Every.
type Pacer struct {
	Every time.Duration // in which a bucket gains a token
	Burst int           // tokens in a full bucket

	full  map[netip.Addr]time.Time // when the bucket is full again
	sweep int                      // that many entries are looked through for what need not be remembered
}

// sweepFirst is when a Pacer looks through its entries for the first time.
const sweepFirst = 64

// Take takes a token of the address at now and returns 0, or how long it is
// until there is one.
func (p *Pacer) Take(a netip.Addr, now time.Time) time.Duration {
	if wait := p.lacks(a, now) + p.Every - p.whole(); wait > 0 {
		return wait
	}
	p.Charge(a, now, 1)
	return 0
}

// Charge takes more tokens, though there may be fewer: no more are owed than a
// bucket holds.
func (p *Pacer) Charge(a netip.Addr, now time.Time, tokens int) {
	if p.full == nil {
		p.full, p.sweep = map[netip.Addr]time.Time{}, sweepFirst
	}
	lacks := min(p.lacks(a, now)+time.Duration(min(tokens, 2*p.Burst))*p.Every, 2*p.whole())
	p.full[a] = now.Add(lacks)
	if len(p.full) >= p.sweep {
		p.forget(now)
	}
}

// Len is how many addresses are remembered.
func (p *Pacer) Len() int { return len(p.full) }

// whole is how long an empty bucket takes to be full.
func (p *Pacer) whole() time.Duration { return time.Duration(p.Burst) * p.Every }

// lacks is how long it is until the bucket of an address is full. A clock that
// was set back does not make it longer than it can be.
func (p *Pacer) lacks(a netip.Addr, now time.Time) time.Duration {
	full, ok := p.full[a]
	if !ok {
		return 0
	}
	return min(max(0, full.Sub(now)), 2*p.whole())
}

// forget drops the addresses whose bucket is full.
func (p *Pacer) forget(now time.Time) {
	for a, full := range p.full {
		if !full.After(now) {
			delete(p.full, a)
		}
	}
	p.sweep = max(sweepFirst, 2*len(p.full))
}
