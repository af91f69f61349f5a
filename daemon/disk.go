package daemon

import (
	"context"
	"time"

	"ginnel/daemon/core"
	"ginnel/wire"
)

// saveRetry is how long a map that could not be saved waits for the next try,
// unless there is a newer one before.
const saveRetry = time.Minute

// disk is what is to be written, by one goroutine beside the loop: flash may
// take seconds, and a hosts file may be locked. Each channel holds the newest.
type disk struct {
	maps    chan *core.Map
	names   chan core.SetNames
	unsaved *core.Map // could not be saved; nil: all is; the writer's while it runs
}

func newDisk() disk {
	return disk{maps: make(chan *core.Map, 1), names: make(chan core.SetNames, 1)}
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
		case m := <-d.maps:
			d.unsaved = p.save(m, d.unsaved != nil)
		case <-again:
			d.unsaved = p.save(d.unsaved, true)
		case <-ctx.Done():
			return
		}
	}
}

// save saves m and returns nil, or m when it is to be tried again. Of a row of
// failures the first is logged.
func (p *peer) save(m *core.Map, failing bool) *core.Map {
	err := p.store.SaveMap(m)
	switch {
	case err != nil && !failing:
		p.log.Error("the map is not saved, so a restart without the coordinator would use an older one; will try again", "err", err)
	case err == nil && failing:
		p.log.Info("the map is saved again")
	}
	if err != nil {
		return m
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
	case p.disk.unsaved = <-p.disk.maps:
	default:
	}
	if m := p.lastMap(clean); m != nil {
		p.save(m, failing)
	}
	select {
	case a := <-p.disk.names:
		if err := p.names.Set(p.cfg.Name, a.Entries); err != nil {
			p.log.Error("names are not written", "err", err)
		}
	default:
	}
}

// lastMap returns the map to save at the end; nil: none. One of which nothing
// is known does not take a saved one's place.
func (p *peer) lastMap(clean bool) *core.Map {
	if clean && p.core.Map().Position != (wire.Position{}) {
		return p.core.Map()
	}
	return p.disk.unsaved
}
