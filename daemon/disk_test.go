package daemon

import (
	"bytes"
	"context"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ginnel/daemon/core"
	"ginnel/daemon/state"
	"ginnel/journal"
	"ginnel/key"
	"ginnel/platform"
	"ginnel/wire"
)

// TestSaveIsTriedAgain checks that a map that cannot be saved is kept until it
// can, and that only the first failure is logged.
func TestSaveIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := makeState(t)
		var log bytes.Buffer
		p := &peer{disk: newDisk(), events: make(chan core.Event, 1), log: journal.New(&log, journal.Info), store: openState(t, path)}
		if err := p.store.Close(); err != nil { // all that is saved now fails
			t.Fatal(err)
		}
		mended := false
		p.names = setFunc(func([]platform.HostEntry) { // in the writer's goroutine, as it has the store
			p.store, mended = openState(t, path), true
		})
		stop := runWriter(p)
		put(p.disk.saves, mapAt(1))
		<-time.After(saveRetry / 2)
		put(p.disk.saves, mapAt(2))
		<-time.After(10 * saveRetry)
		if n := strings.Count(log.String(), "not saved"); n != 1 {
			t.Errorf("%d failures are logged, want one:\n%s", n, &log)
		}
		put(p.disk.names, core.SetNames{})
		<-time.After(saveRetry)
		synctest.Wait()
		if m, err := p.store.Map(); !mended || err != nil || m == nil || m.Position.Revision != 2 {
			t.Errorf("saved is %+v, %v", m, err)
		}
		if !strings.Contains(log.String(), "saved again") {
			t.Errorf("log is\n%s", &log)
		}
		stop()
		if err := p.store.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestWriteLast checks that what waits when the network stops is written.
func TestWriteLast(t *testing.T) {
	path := makeState(t)
	var names []platform.HostEntry
	set := setFunc(func(entries []platform.HostEntry) { names = entries })
	p := &peer{disk: newDisk(), store: openState(t, path), names: set}
	put(p.disk.saves, mapAt(1))
	put(p.disk.saves, mapAt(2))
	put(p.disk.names, core.SetNames{Entries: []platform.HostEntry{{Names: []string{"old"}}}})
	put(p.disk.names, core.SetNames{Entries: []platform.HostEntry{{Names: []string{"new"}}}})
	p.writeLast(false)
	if m, err := p.store.Map(); err != nil || m == nil || m.Position.Revision != 2 {
		t.Errorf("saved is %+v, %v", m, err)
	}
	if len(names) != 1 || names[0].Names[0] != "new" {
		t.Errorf("names are %+v", names)
	}
	if err := p.store.Close(); err != nil {
		t.Error(err)
	}
}

func runWriter(p *peer) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { p.write(ctx) })
	return func() { cancel(); running.Wait() }
}

// setFunc is platform.Names for one network.
type setFunc func(entries []platform.HostEntry)

// Set implements platform.Names.
func (f setFunc) Set(_ string, entries []platform.HostEntry) error {
	f(entries)
	return nil
}

func makeState(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "home.state")
	hub := key.NewPrivate([key.Size]byte{1}).Public()
	err := state.Create(path, state.Identity{
		Network: "home", Root: netip.MustParsePrefix("10.42.0.0/16"), Name: "ann",
		Address: netip.MustParseAddr("10.42.0.2"), PrivateKey: key.NewPrivate([key.Size]byte{2}),
		Coordinator: state.Coordinator{Address: netip.MustParseAddr("10.42.0.1"), PublicKey: hub, APIPort: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func openState(t *testing.T, path string) *state.State {
	t.Helper()
	s, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mapAt(revision uint64) core.Save {
	return core.Save{Map: &core.Map{Position: wire.Position{Revision: revision}, Self: wire.Member{Address: netip.MustParseAddr("10.42.0.2"), Name: "ann"}}}
}
