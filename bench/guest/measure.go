package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"ginnel/bench/table"
)

// measure counts an operation of every implementation, and then takes samples
// of their times.
func (b *bench) measure(op table.Operation) ([]table.Measurement, error) {
	trials, err := b.prepare(op)
	if err != nil {
		return nil, err
	}
	all := make([]table.Measurement, len(trials))
	for i, t := range trials {
		all[i] = table.Measurement{Operation: op.Name, Implementation: t.by}
		if err := t.count(&all[i]); err != nil {
			return nil, fmt.Errorf("%s with %s: %w", op.Name, t.by, err)
		}
	}
	// A process leaves the emulator's caches cold: those who start none are
	// measured before those who do.
	n := slices.IndexFunc(trials, func(t *trial) bool { return t.ownHeap })
	if n < 0 {
		n = len(trials)
	}
	err = errors.Join(b.clock(op, trials[:n], all[:n]), b.clock(op, trials[n:], all[n:]))
	return all, err
}

// clock takes samples of trials, one of each in turn, in changing order: what
// disturbs the machine disturbs all.
func (b *bench) clock(op table.Operation, trials []*trial, all []table.Measurement) error {
	samples := make([][]time.Duration, len(trials))
	for round := range b.rounds {
		for n := range trials {
			i := (round + n) % len(trials)
			took, err := trials[i].sample(repeats(op))
			if err != nil {
				return fmt.Errorf("%s with %s: %w", op.Name, trials[i].by, err)
			}
			samples[i] = append(samples[i], took)
		}
	}
	for i := range all {
		all[i].Median = median(samples[i])
	}
	return nil
}

// repeats is how often an operation is done for a sample: often enough that
// short ones can be measured, and that who makes garbage collects it, too.
func repeats(op table.Operation) int { return min(max(300/op.Count, 3), 10) }

// sample measures the way there, on average of some times after one that does
// not count, and looks where it led. What others left is collected before.
func (t *trial) sample(times int) (time.Duration, error) {
	runtime.GC()
	var took time.Duration
	for i := range 1 + times {
		start := time.Now()
		err := t.there()
		if i > 0 {
			took += time.Since(start)
		}
		if err == nil && i == times {
			err = t.arrived()
		}
		if err := errors.Join(err, t.back()); err != nil {
			return 0, err
		}
	}
	return took / time.Duration(times), nil
}

// count counts messages and allocations, and looks where both ways lead.
func (t *trial) count(m *table.Measurement) (err error) {
	if m.Sent, m.Received, err = countMessages(t.there); err != nil {
		return err
	}
	if err := errors.Join(t.arrived(), t.back(), t.returned()); err != nil {
		return err
	}
	if t.ownHeap {
		return nil
	}
	m.Allocs, m.Bytes, err = t.allocations()
	return err
}

// countMessages listens to netlink while do runs, and no longer.
func countMessages(do task) (sent, received int, err error) {
	tap, err := openTap()
	if err != nil {
		return 0, 0, err
	}
	sent, received, err = tap.count(do)
	return sent, received, errors.Join(err, tap.close())
}

// allocationRuns is how many runs allocations are averaged over: one that the
// runtime makes for itself does not show.
const allocationRuns = 5

// allocations counts what the way there allocates on the heap, on average.
func (t *trial) allocations() (count, bytes uint64, err error) {
	var before, after runtime.MemStats
	for range allocationRuns {
		runtime.ReadMemStats(&before)
		err := t.there()
		runtime.ReadMemStats(&after)
		if err := errors.Join(err, t.back()); err != nil {
			return 0, 0, err
		}
		count += after.Mallocs - before.Mallocs
		bytes += after.TotalAlloc - before.TotalAlloc
	}
	if count < allocationRuns {
		return 0, 0, nil
	}
	return count / allocationRuns, bytes / allocationRuns, nil
}

// median is the middle one of samples, of an even number the lower.
func median(samples []time.Duration) time.Duration {
	if len(samples) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(samples))[(len(samples)-1)/2]
}
