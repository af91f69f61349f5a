package daemon

import (
	"context"
	"time"

	"ginnel/daemon/core"
)

// saveRetry is how long what could not be saved waits for the next try,
// unless there is a newer one before.
const saveRetry = time.Minute

// disk is what is to be written, by one goroutine beside the loop: flash may
// take seconds, and a hosts file may be locked. Each channel holds the newest.
type disk struct {
	saves   chan core.Save
	names   chan core.SetNames
	unsaved *core.Save // could not be saved; nil: all is; the writer's while it runs
}

func newDisk() disk {
	return disk{saves: make(chan core.Save, 1), names: make(chan core.SetNames, 1)}
}

// put makes v what c holds. Nobody else sends to c, so it never blocks.
func put[T any](c chan T, v T) {
	select {
	case <-c:
	default:
	}
	c <- v
}

// write writes what is put on the disk until ctx ends.
func (p *peer) write(ctx context.Context) {
	d := &p.disk
	for {
		var again <-chan time.Time
		if d.unsaved != nil {
			again = time.After(saveRetry)
		}
		select {
		case a := <-d.names:
			p.tell(ctx, core.Applied{Action: a, Err: p.names.Set(p.cfg.Name, a.Entries)})
			continue
		case k := <-d.saves:
			d.unsaved = p.save(&k, d.unsaved != nil)
		case <-again:
			d.unsaved = p.save(d.unsaved, true)
		case <-ctx.Done():
			return
		}
	}
}

// save saves k and returns nil, or k when it is to be tried again. Of a row of
// failures the first is logged.
func (p *peer) save(k *core.Save, failing bool) *core.Save {
	err := p.store.Save(*k)
	switch {
	case err != nil && !failing:
		p.log.Error("the map and the pins are not saved, so a restart would use older ones; will try again", "err", err)
	case err == nil && failing:
		p.log.Info("the map and the pins are saved again")
	}
	if err != nil {
		return k
	}
	return nil
}

// writeLast writes what is waiting, when the loop and the writer have ended. A
// clean stop saves the map as it is, endpoints included, which are not worth
// writing while it runs: a machine that starts while the coordinator is away
// finds the others where they were.
func (p *peer) writeLast(clean bool) {
	failing := p.disk.unsaved != nil
	select {
	case k := <-p.disk.saves:
		p.disk.unsaved = &k
	default:
	}
	if k := p.lastSave(clean); k != nil {
		p.save(k, failing)
	}
	select {
	case a := <-p.disk.names:
		if err := p.names.Set(p.cfg.Name, a.Entries); err != nil {
			p.log.Error("names are not written", "err", err)
		}
	default:
	}
}

// lastSave returns what to save at the end; nil: nothing. A map of which
// nothing is known does not take a saved one's place.
func (p *peer) lastSave(clean bool) *core.Save {
	if !clean {
		return p.disk.unsaved
	}
	if k := p.core.Snapshot(); k.Map != nil {
		return &k
	}
	return p.disk.unsaved
}
