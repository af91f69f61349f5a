package store

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"ginnel/coordinator/commandtest"
	"ginnel/network"
	"ginnel/platform"
	"ginnel/platform/dbfile"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// create makes a new network's file and returns its path and book.
func create(t testing.TB, src *commandtest.Source, dir, root string) (string, *network.Book) {
	t.Helper()
	book, change, err := network.New("home", netip.MustParsePrefix(root), "hub", src.Key())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "home.book")
	if err := Create(path, book, change); err != nil {
		t.Fatal(err)
	}
	return path, book
}

func mustOpen(t testing.TB, path string) (*Store, *network.Book, []network.Change) {
	t.Helper()
	s, book, tail, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, book, tail
}

// sameBook fails unless both books have the same records.
func sameBook(t testing.TB, got, want *network.Book) {
	t.Helper()
	g, w := normal(got.Snapshot()), normal(want.Snapshot())
	if !reflect.DeepEqual(g, w) {
		t.Fatalf("book is\n%+v\nwant\n%+v", g, w)
	}
}

// normal makes empty and absent lists equal.
func normal(s network.Snapshot) network.Snapshot {
	s.Peers = append([]network.Peer{}, s.Peers...)
	s.Associations = append([]network.Association{}, s.Associations...)
	s.Retired = append([]netip.Addr{}, s.Retired...)
	s.Endpoints = append([]string{}, s.Endpoints...)
	return s
}

func TestCommittedCommandsAreThereAfterReopening(t *testing.T) {
	for _, root := range []string{"10.42.0.0/16", "fd00:42::/64"} {
		const seed = 7
		src := commandtest.New(seed)
		path, book := create(t, src, t.TempDir(), root)
		s, opened, _ := mustOpen(t, path)
		sameBook(t, opened, book)
		want := map[uint64][]network.Part{1: nil}
		for range 400 {
			next, change, err := book.Apply(now, src.Next(book, now))
			if err != nil || change.Revision == 0 {
				continue
			}
			if err := s.Commit(change); err != nil {
				t.Fatal(err)
			}
			book, want[change.Revision] = next, change.Parts
		}
		s.Close()
		_, reopened, tail := mustOpen(t, path)
		sameBook(t, reopened, book)
		if len(tail) != len(want) {
			t.Errorf("seed %d: the tail has %d changes, want %d", seed, len(tail), len(want))
		}
		for i, c := range tail {
			if c.Revision != uint64(i+1) || len(c.Parts)+len(want[c.Revision]) > 0 && !reflect.DeepEqual(c.Parts, want[c.Revision]) {
				t.Fatalf("seed %d: change %d of the tail is %+v, want revision %d with %+v", seed, i, c, i+1, want[uint64(i+1)])
			}
		}
	}
}

func TestTailIsTrimmed(t *testing.T) {
	src := commandtest.New(1)
	path, book := create(t, src, t.TempDir(), "10.0.0.0/8")
	s, _, _ := mustOpen(t, path)
	var changes []network.Change // few transactions: each syncs twice
	for i := range TailLength + 10 {
		name, next := "c", "d"
		var cmd network.Command = network.AddCIDR{Name: name, Prefix: netip.MustParsePrefix("10.1.0.0/16")}
		if i > 0 {
			if i%2 == 0 {
				name, next = next, name
			}
			cmd = network.RenameCIDR{Name: name, NewName: next}
		}
		after, change, err := book.Apply(now, cmd)
		if err != nil {
			t.Fatal(err)
		}
		changes, book = append(changes, change), after
	}
	for batch := range slices.Chunk(changes, 99) {
		if err := s.Commit(batch...); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	_, _, tail := mustOpen(t, path)
	if len(tail) != TailLength || tail[TailLength-1].Revision != book.Revision() {
		t.Errorf("the tail has %d changes up to %d, want %d up to %d", len(tail), tail[len(tail)-1].Revision, TailLength, book.Revision())
	}
}

func TestCreateReplacesNothing(t *testing.T) {
	src := commandtest.New(1)
	path, book := create(t, src, t.TempDir(), "10.0.0.0/8")
	if err := Create(path, book, network.Change{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error is %v, want one that wraps fs.ErrExist", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v, want 0600", info.Mode())
	}
}

func TestOpenRefuses(t *testing.T) {
	src := commandtest.New(1)
	edit := func(f func(*bbolt.Tx) error) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			db, err := dbfile.Open(path, dbfile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if err := db.Update(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, path string)
		want  error
	}{
		{"missing file", func(t *testing.T, path string) { os.Remove(path) }, platform.ErrNotExist},
		{"empty file", func(t *testing.T, path string) { os.Truncate(path, 0) }, dbfile.ErrDamaged},
		{"cut short", func(t *testing.T, path string) { os.Truncate(path, 3*int64(os.Getpagesize())) }, dbfile.ErrDamaged},
		{"not a database", func(t *testing.T, path string) { os.WriteFile(path, make([]byte, 1<<16), 0o600) }, dbfile.ErrDamaged},
		{"newer schema", edit(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(schemaKey, []byte("3")) }), ErrNewer},
		{"no schema", edit(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Delete(schemaKey) }), dbfile.ErrDamaged},
		{"another program's database", edit(func(tx *bbolt.Tx) error { return tx.DeleteBucket(metaBucket) }), dbfile.ErrDamaged},
		{"missing bucket", edit(func(tx *bbolt.Tx) error { return tx.DeleteBucket(retiredBucket) }), dbfile.ErrDamaged},
		{"no revision", edit(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(revisionKey, []byte("x")) }), dbfile.ErrDamaged},
		{"no endpoints", edit(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Delete(endpointsKey) }), dbfile.ErrDamaged},
		{"no coordinator", edit(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Delete(coordinatorKey) }), dbfile.ErrDamaged},
		{"peer that is no JSON", edit(func(tx *bbolt.Tx) error { return tx.Bucket(peersBucket).Put([]byte{10, 0, 0, 9}, []byte("{")) }), dbfile.ErrDamaged},
		{"short address", edit(func(tx *bbolt.Tx) error { return tx.Bucket(retiredBucket).Put([]byte{10}, []byte{}) }), dbfile.ErrDamaged},
		{"prefix too long", edit(func(tx *bbolt.Tx) error { return tx.Bucket(cidrsBucket).Put([]byte{10, 0, 0, 0, 99}, []byte("{}")) }), dbfile.ErrDamaged},
		{"association that is none", edit(func(tx *bbolt.Tx) error { return tx.Bucket(associationsBucket).Put([]byte{1}, []byte{}) }), dbfile.ErrDamaged},
		{"change that is none", edit(func(tx *bbolt.Tx) error { return tx.Bucket(changesBucket).Put([]byte{1}, []byte("[]")) }), dbfile.ErrDamaged},
		{"broken rule", edit(func(tx *bbolt.Tx) error { return tx.Bucket(peersBucket).Delete([]byte{10, 0, 0, 1}) }), dbfile.ErrDamaged},
	} {
		t.Run(test.name, func(t *testing.T) {
			path, _ := create(t, src, t.TempDir(), "10.0.0.0/8")
			test.spoil(t, path)
			before, _ := os.ReadFile(path)
			s, _, _, err := Open(path)
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, test.want) {
				t.Errorf("error is %v, want one that wraps %v", err, test.want)
			}
			after, _ := os.ReadFile(path)
			if string(before) != string(after) {
				t.Error("opening changed the file")
			}
		})
	}
}

func TestBehaviour10OlderSchemaIsMigrated(t *testing.T) {
	src := commandtest.New(1)
	path, book := create(t, src, t.TempDir(), "10.0.0.0/8")
	note := []byte("note")
	steps := append(migrations[:], func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(note, note) })
	s, migrated, _, err := open(path, steps)
	if err != nil {
		t.Fatal(err)
	}
	sameBook(t, migrated, book)
	s.db.View(func(tx *bbolt.Tx) error {
		if tx.Bucket(metaBucket).Get(note) == nil {
			t.Error("the migration did not run")
		}
		return nil
	})
	s.Close()
	if s, _, _, err = open(path, steps); err != nil {
		t.Errorf("open a second time: %v", err)
	}
	s.Close()
	if _, _, _, err := Open(path); !errors.Is(err, ErrNewer) {
		t.Errorf("an older program: error is %v, want ErrNewer", err)
	}
}

// TestBehaviour10BookOfSchema1: a file that was made before books had endpoints
// opens with all that is in it, takes endpoints, and keeps them.
func TestBehaviour10BookOfSchema1(t *testing.T) {
	old, err := os.ReadFile("testdata/schema1.book")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "home.book")
	if err := os.WriteFile(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	s, book, tail := mustOpen(t, path)
	want := goldenBackup(t).Book.Snapshot()
	want.Endpoints, want.Revision = nil, 11
	without, err := network.Load(want)
	if err != nil {
		t.Fatal(err)
	}
	sameBook(t, book, without)
	if len(tail) != 1 || tail[0].Revision != 11 {
		t.Errorf("its tail is %+v", tail)
	}
	next, change, err := book.Apply(now, network.SetEndpoints{Endpoints: []string{"vpn.example.net:51820"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(change); err != nil {
		t.Fatal(err)
	}
	s.Close()
	_, again, _ := mustOpen(t, path)
	sameBook(t, again, next)
}

func TestFailedMigrationLeavesTheFile(t *testing.T) {
	path, book := create(t, commandtest.New(1), t.TempDir(), "10.0.0.0/8")
	broken := errors.New("broken")
	steps := append(migrations[:], func(tx *bbolt.Tx) error {
		tx.DeleteBucket(peersBucket)
		return broken
	})
	if _, _, _, err := open(path, steps); !errors.Is(err, broken) {
		t.Fatalf("error is %v, want the migration's", err)
	}
	_, opened, _ := mustOpen(t, path)
	sameBook(t, opened, book)
}
