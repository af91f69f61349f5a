package state_test

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"ginnel/daemon/core"
	"ginnel/daemon/state"
	"ginnel/platform/dbfile"
	"ginnel/wire"
)

func pin(address string, k byte) core.Pin {
	return core.Pin{Address: netip.MustParseAddr(address), PublicKey: private(k).Public()}
}

func wantPins(t *testing.T, s *state.State, want ...core.Pin) {
	t.Helper()
	if got, err := s.Pins(); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// TestBehaviour61Pins: they are there after each reopening, and a map that is
// not given stays as it is.
func TestBehaviour61Pins(t *testing.T) {
	path := create(t, identity())
	s := open(t, path)
	defer func() { s.Close() }()
	wantPins(t, s)
	m := &core.Map{Position: wire.Position{Revision: 7}, Self: member("10.42.0.9", 1), Members: []wire.Member{member("10.42.0.2", 1)}}
	for i, pins := range [][]core.Pin{
		{pin("10.42.0.2", 1), pin("10.42.1.0", 2)},
		{pin("10.42.0.2", 3), pin("10.42.0.200", 4), pin("10.42.1.0", 2)},
		{pin("10.42.1.0", 2)},
		nil,
		{pin("10.42.0.1", 5)},
	} {
		k := core.Save{Pins: pins}
		if i == 0 {
			k.Map = m
		}
		if err := s.Save(k); err != nil {
			t.Fatal(err)
		}
		s = reopen(t, s, path)
		wantPins(t, s, pins...)
		if got, err := s.Map(); err != nil || got == nil || got.Position != m.Position || len(got.Members) != 1 {
			t.Errorf("the map has become %+v, %v", got, err)
		}
	}
}

// TestPinsAreWrittenOnlyWhenTheyChange compares the file, whose meta pages
// count transactions.
func TestPinsAreWrittenOnlyWhenTheyChange(t *testing.T) {
	path := create(t, identity())
	s := open(t, path)
	defer s.Close()
	var before []byte
	for i, step := range []struct {
		pins    []core.Pin
		written bool
	}{
		{[]core.Pin{pin("10.42.0.2", 1)}, true},
		{[]core.Pin{pin("10.42.0.2", 1)}, false},
		{[]core.Pin{pin("10.42.0.2", 2)}, true},
		{nil, true},
		{nil, false},
	} {
		if err := s.Save(core.Save{Pins: step.pins}); err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if written := !bytes.Equal(before, after); written != step.written {
			t.Errorf("step %d: written %v, want %v", i, written, step.written)
		}
		before = after
	}
}

// schema1State is what the first ginnel wrote, on a little-endian machine. It is
// part of the test: flash is tested where there is no testdata.
//
//go:embed testdata/schema1.state
var schema1State []byte

// TestSchema1 opens files of schema 1: one that this machine's ginnel could
// have made, and where the machine has the same byte order, one that it made.
// What their maps have is pinned, except the coordinator's key, and on the
// coordinator's own machine nothing is.
func TestSchema1(t *testing.T) {
	hub := member("10.42.0.1", 1)
	hub.Role = wire.RoleCoordinator
	second := member("10.42.1.0", 2)
	second.PublicKey = private(4).Public()
	m := &core.Map{Position: wire.Position{Revision: 7, Epoch: 8, Seq: 9}, Self: member("10.42.0.9", 0), Members: []wire.Member{hub, member("10.42.0.2", 1), second}}
	want := []core.Pin{pin("10.42.0.2", 3), pin("10.42.1.0", 4)}
	coordinator := identity()
	coordinator.Address = coordinator.Coordinator.Address

	files := map[string]string{"peer": schema1(t, identity(), m), "coordinator": schema1(t, coordinator, m), "no map": schema1(t, identity(), nil)}
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		files["testdata"] = state.Path(t.TempDir(), "home")
		if err := os.WriteFile(files["testdata"], schema1State, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, path := range files {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				s := open(t, path)
				if name == "peer" || name == "testdata" {
					wantPins(t, s, want...)
				} else {
					wantPins(t, s)
				}
				if got, err := s.Map(); err != nil || name != "no map" && (got == nil || len(got.Members) != 3 || got.Position != m.Position) {
					t.Errorf("the map is %+v, %v", got, err)
				}
				s.Close()
			}
		})
	}
}

// schema1 makes a file as the first ginnel did.
func schema1(t *testing.T, i state.Identity, m *core.Map) (path string) {
	path = create(t, i)
	s := open(t, path)
	if err := errors.Join(s.Save(core.Save{Map: m}), s.Close()); err != nil {
		t.Fatal(err)
	}
	spoilFile(t, path, func(tx *bbolt.Tx) error {
		version := binary.BigEndian.AppendUint64(nil, 1)
		return errors.Join(tx.DeleteBucket([]byte("pins")), tx.Bucket([]byte("meta")).Put([]byte("schema"), version))
	})
	return path
}

// TestSchema1DamagedMap: a map that cannot be read is no reason not to start,
// also where pins were to be made of it: whoever reads it says so.
func TestSchema1DamagedMap(t *testing.T) {
	path := schema1(t, identity(), &core.Map{Self: member("10.42.0.9", 0)})
	spoilFile(t, path, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("members")).Put([]byte{10, 42, 0, 2}, []byte("?"))
	})
	s := open(t, path)
	defer s.Close()
	wantPins(t, s)
	if _, err := s.Map(); !errors.Is(err, dbfile.ErrDamaged) {
		t.Errorf("the map: %v", err)
	}
	if v, err := schemaOf(path); v != 2 || err != nil {
		t.Errorf("schema %d, %v", v, err)
	}
}

// TestBehaviour61DamagedState: a file that was spoilt is an error that says
// what and which, and stays as it is.
func TestBehaviour61DamagedState(t *testing.T) {
	path := create(t, identity())
	s := open(t, path)
	if err := errors.Join(s.Save(generation(1)), s.Close()); err != nil {
		t.Fatal(err)
	}
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoilt := range map[string][]byte{
		"empty":     nil,
		"one byte":  sound[:1],
		"one page":  sound[:os.Getpagesize()],
		"truncated": sound[:len(sound)/2],
		"zeroed":    make([]byte, len(sound)),
		"content zeroed": append(bytes.Clone(sound[:2*os.Getpagesize()]),
			make([]byte, len(sound)-2*os.Getpagesize())...),
		"garbage": bytes.Repeat([]byte("\x17\xfeginnel\x00"), len(sound)/9),
	} {
		if err := os.WriteFile(path, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		_, openErr := state.Open(path)
		_, readErr := state.Read(path)
		createErr := state.Create(path, identity())
		for what, err := range map[string]error{"open": openErr, "read": readErr} {
			if !errors.Is(err, dbfile.ErrDamaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "left as it is") {
				t.Errorf("%s: %s: error %v", name, what, err)
			}
		}
		if createErr == nil {
			t.Errorf("%s: a new file took its place", name)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, spoilt) {
			t.Errorf("%s: the file was changed, %v", name, err)
		}
	}
}
