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
// of their times, one of each in turn: what disturbs the machine disturbs all.
func (b *bench) measure(op table.Operation) ([]table.Measurement, error) {
	trials, err := b.prepare(op)
	if err != nil {
		return nil, err
	}
	all := make([]table.Measurement, len(trials))
	for i, t := range trials {
		all[i] = table.Measurement{Operation: op.Name, Implementation: t.by.name()}
		if err := t.count(&all[i]); err != nil {
			return nil, fmt.Errorf("%s with %s: %w", op.Name, t.by.name(), err)
		}
	}
	samples := make([][]time.Duration, len(trials))
	for round := range b.rounds {
		for n := range trials {
			i := (round + n) % len(trials) // nobody always comes after the same other
			took, err := trials[i].sample()
			if err != nil {
				return nil, fmt.Errorf("%s with %s: %w", op.Name, trials[i].by.name(), err)
			}
			samples[i] = append(samples[i], took)
		}
	}
	for i := range all {
		all[i].Median = median(samples[i])
	}
	return all, nil
}

// sample measures the way there, after going it once without being measured,
// and looks where it led. What others left is collected before.
func (t *trial) sample() (time.Duration, error) {
	runtime.GC()
	if err := t.there(); err != nil {
		return 0, err
	}
	if err := t.back(); err != nil {
		return 0, err
	}
	start := time.Now()
	err := t.there()
	took := time.Since(start)
	if err != nil {
		return 0, err
	}
	return took, errors.Join(t.arrived(), t.back())
}

// count counts messages and allocations, and looks where both ways lead.
func (t *trial) count(m *table.Measurement) (err error) {
	if m.Sent, m.Received, err = countMessages(t.there); err != nil {
		return err
	}
	if err := errors.Join(t.arrived(), t.back(), t.returned()); err != nil {
		return err
	}
	if _, ok := t.by.(*program); ok {
		return nil // it allocates in its own processes
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

// timeOf takes the median of a task that changes nothing.
func timeOf(rounds int, do task) (time.Duration, error) {
	var samples []time.Duration
	for range rounds {
		start := time.Now()
		if err := do(); err != nil {
			return 0, err
		}
		samples = append(samples, time.Since(start))
	}
	return median(samples), nil
}
