package daemon

import (
	"context"
	"time"

	"ginnel/daemon/core"
)

// saveRetry is how long a map that could not be saved waits for the next try,
// unless there is a newer one before.
const saveRetry = time.Minute

// disk is what is to be written, by one goroutine beside the loop: flash may
// take seconds, and a hosts file may be locked. Each channel holds the newest.
type disk struct {
	maps  chan *core.Map
	names chan core.SetNames
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

// write writes what is put on the disk until ctx ends, and what is there then.
func (p *peer) write(ctx context.Context) {
	var unsaved *core.Map // nil: all is saved
	for {
		var again <-chan time.Time
		if unsaved != nil {
			again = time.After(saveRetry)
		}
		select {
		case a := <-p.disk.names:
			p.tell(ctx, core.Applied{Action: a, Err: p.names.Set(p.cfg.Name, a.Entries)})
			continue
		case m := <-p.disk.maps:
			unsaved = p.save(m, unsaved != nil)
		case <-again:
			unsaved = p.save(unsaved, true)
		case <-ctx.Done():
			p.writeLast(unsaved)
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

// writeLast writes what is waiting.
func (p *peer) writeLast(unsaved *core.Map) {
	failing := unsaved != nil
	select {
	case unsaved = <-p.disk.maps:
	default:
	}
	if unsaved != nil {
		p.save(unsaved, failing)
	}
	select {
	case a := <-p.disk.names:
		if err := p.names.Set(p.cfg.Name, a.Entries); err != nil {
			p.log.Error("names are not written", "err", err)
		}
	default:
	}
}
