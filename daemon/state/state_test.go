package state_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"ginnel/daemon/core"
	"ginnel/daemon/state"
	"ginnel/key"
	"ginnel/platform"
	"ginnel/platform/dbfile"
	"ginnel/wire"
)

// private is a key for tests.
func private(b byte) key.PrivateKey { return key.NewPrivate([key.Size]byte{1: b}) }

func identity() state.Identity {
	return state.Identity{
		Network: "home", Root: netip.MustParsePrefix("10.42.0.0/16"), Name: "laptop", Address: netip.MustParseAddr("10.42.0.9"),
		PrivateKey:  private(1),
		Coordinator: state.Coordinator{Address: netip.MustParseAddr("10.42.0.1"), PublicKey: private(2).Public(), APIPort: 51820},
	}
}

// create makes a file for i and returns its path.
func create(t *testing.T, i state.Identity) string {
	t.Helper()
	path := state.Path(t.TempDir(), "home")
	if err := state.Create(path, i); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string) *state.State {
	t.Helper()
	s, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// reopen closes s and opens its file again; the caller has it closed.
func reopen(t *testing.T, s *state.State, path string) *state.State {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

// member makes one whose record says generation g.
func member(address string, g int) wire.Member {
	return wire.Member{Address: netip.MustParseAddr(address), Name: fmt.Sprintf("m%d", g), CIDR: "all", PublicKey: private(3).Public(),
		Endpoints: wire.Endpoints{Seen: netip.MustParseAddrPort("192.0.2.1:7"), Candidates: []netip.AddrPort{netip.MustParseAddrPort("[2001:db8::1]:7")}}}
}

func TestIdentity(t *testing.T) {
	i := identity()
	path := create(t, i)
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	s := open(t, path)
	defer s.Close()
	if got := s.Identity(); !reflect.DeepEqual(got, i) || got.IsPending() {
		t.Errorf("got %+v, want %+v", got, i)
	}
}

func TestPendingJoin(t *testing.T) {
	i := identity()
	i.Pending = private(9)
	path := create(t, i)
	s := open(t, path)
	defer func() { s.Close() }()
	s = reopen(t, s, path)
	if got := s.Identity(); !got.IsPending() || !got.Pending.Equal(i.Pending) || !got.PrivateKey.Equal(i.PrivateKey) {
		t.Fatal("the keys of a pending join are not kept")
	}
	for range 2 {
		if err := s.Confirm(); err != nil {
			t.Fatal(err)
		}
		if got := s.Identity(); got.IsPending() {
			t.Error("still pending after Confirm")
		}
	}
	s = reopen(t, s, path)
	if got := s.Identity(); got.IsPending() || !got.PrivateKey.Equal(i.PrivateKey) || got.Invitation != i.Pending.Public() {
		t.Error("what was confirmed is not kept")
	}
}

// TestBySection: a join whose section was there before is confirmed by its
// redeemer alone, and what is marked so stays marked until then.
func TestBySection(t *testing.T) {
	i := identity()
	i.Pending = private(9)
	path := create(t, i)
	s := open(t, path)
	defer func() { s.Close() }()
	for range 2 {
		if err := s.MarkBySection(); err != nil {
			t.Fatal(err)
		}
		if err := s.Finish(); err == nil || !strings.Contains(err.Error(), "put option invitation back") {
			t.Errorf("error is %v", err)
		}
		s = reopen(t, s, path)
		if got := s.Identity(); !got.BySection || !got.IsPending() {
			t.Fatalf("marked %v, pending %v", got.BySection, got.IsPending())
		}
	}
	if err := s.Confirm(); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, s, path)
	if err := s.Finish(); err != nil || s.IsPending() {
		t.Errorf("what was confirmed is pending %v (%v)", s.IsPending(), err)
	}
}

// TestUses: the interface may have the own key, and while the invitation is being
// redeemed that one's, or none.
func TestUses(t *testing.T) {
	i := identity()
	for _, pending := range []key.PrivateKey{{}, private(9)} {
		i.Pending = pending
		own, none, invitation, other := i.Uses(i.PrivateKey), i.Uses(key.PrivateKey{}), i.Uses(private(9)), i.Uses(private(8))
		if joining := i.IsPending(); !own || none != joining || invitation != joining || other {
			t.Errorf("pending %v: own %v, none %v, the invitation's %v, another %v", joining, own, none, invitation, other)
		}
	}
}

func TestMap(t *testing.T) {
	path := create(t, identity())
	s := open(t, path)
	defer func() { s.Close() }()
	if m, err := s.Map(); m != nil || err != nil {
		t.Errorf("a map before there is one: %+v, %v", m, err)
	}
	position := wire.Position{Revision: 7, Epoch: 8, Seq: 9}
	for _, members := range [][]wire.Member{
		{member("10.42.0.1", 1), member("10.42.0.2", 1), member("10.42.1.0", 1)},
		{member("10.42.0.2", 2), member("10.42.0.200", 1), member("10.42.1.0", 1)},
		{member("10.42.0.200", 1)},
		nil,
		{member("10.42.0.1", 1)},
	} {
		position.Revision++
		want := &core.Map{Position: position, Self: member("10.42.0.9", 0), Members: members}
		if err := s.Save(core.Save{Map: want}); err != nil {
			t.Fatal(err)
		}
		s = reopen(t, s, path)
		if got, err := s.Map(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
}

func TestIPv6(t *testing.T) {
	i := identity()
	i.Root, i.Address, i.Coordinator.Address = netip.MustParsePrefix("fd00::/48"), netip.MustParseAddr("fd00::9"), netip.MustParseAddr("fd00::1")
	s := open(t, create(t, i))
	defer s.Close()
	want := &core.Map{Self: member("fd00::9", 0), Members: []wire.Member{member("fd00::1", 1), member("fd00::1:0:0:1", 2)}}
	if err := s.Save(core.Save{Map: want}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Map(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// TestSaveWritesNothingForTheSame compares the file, whose meta pages count
// transactions.
func TestSaveWritesNothingForTheSame(t *testing.T) {
	path := create(t, identity())
	s := open(t, path)
	defer s.Close()
	m := &core.Map{Position: wire.Position{Revision: 1}, Self: member("10.42.0.9", 0), Members: []wire.Member{member("10.42.0.1", 1)}}
	content := func() string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if err := s.Save(core.Save{Map: m}); err != nil {
		t.Fatal(err)
	}
	before := content()
	if err := s.Save(core.Save{Map: m}); err != nil {
		t.Fatal(err)
	}
	if content() != before {
		t.Error("the same map was written again")
	}
	m.Position.Revision++
	if err := s.Save(core.Save{Map: m}); err != nil {
		t.Fatal(err)
	}
	if content() == before {
		t.Error("another map was not written")
	}
}

func TestCreateRefuses(t *testing.T) {
	path := create(t, identity())
	if err := state.Create(path, identity()); !errors.Is(err, platform.ErrExist) {
		t.Errorf("over another: %v", err)
	}
	for name, spoil := range map[string]func(*state.Identity){
		"no network":          func(i *state.Identity) { i.Network = "" },
		"no name":             func(i *state.Identity) { i.Name = "" },
		"no address":          func(i *state.Identity) { i.Address = netip.Addr{} },
		"address elsewhere":   func(i *state.Identity) { i.Address = netip.MustParseAddr("10.43.0.1") },
		"no root":             func(i *state.Identity) { i.Root = netip.Prefix{} },
		"root not masked":     func(i *state.Identity) { i.Root = netip.MustParsePrefix("10.42.0.1/16") },
		"no private key":      func(i *state.Identity) { i.PrivateKey = key.PrivateKey{} },
		"no coordinator":      func(i *state.Identity) { i.Coordinator = state.Coordinator{} },
		"coordinator's key":   func(i *state.Identity) { i.Coordinator.PublicKey = key.PublicKey{} },
		"coordinator's place": func(i *state.Identity) { i.Coordinator.Address = netip.MustParseAddr("192.0.2.1") },
		"coordinator's port":  func(i *state.Identity) { i.Coordinator.APIPort = 0 },
	} {
		i := identity()
		spoil(&i)
		path := filepath.Join(t.TempDir(), "x")
		if err := state.Create(path, i); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: a file was made", name)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	if _, err := state.Open(filepath.Join(t.TempDir(), "x")); !errors.Is(err, platform.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	path := create(t, identity())
	s := open(t, path)
	if _, err := state.Open(path); !errors.Is(err, platform.ErrInUse) {
		t.Errorf("open already: %v", err)
	}
	s.Close()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := state.Open(path); !errors.Is(err, dbfile.ErrDamaged) {
		t.Errorf("empty: %v", err)
	}
}

// TestOpenDamagedRecords changes records behind the package's back. Schema and
// identity are looked at by Open, the map by Map.
func TestOpenDamagedRecords(t *testing.T) {
	put := func(bucket, k, v string) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return tx.Bucket([]byte(bucket)).Put([]byte(k), []byte(v)) }
	}
	del := func(bucket string) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte(bucket)) }
	}
	k := private(3).Public()
	pinned := k[:]
	newer := string(binary.BigEndian.AppendUint64(nil, 3))
	for name, c := range map[string]struct {
		spoil func(*bbolt.Tx) error
		want  error
		text  string
	}{
		"newer schema":     {put("meta", "schema", newer), state.ErrNewer, "schema 3"},
		"no schema":        {put("meta", "schema", ""), dbfile.ErrDamaged, "schema"},
		"schema 0":         {put("meta", "schema", string(make([]byte, 8))), dbfile.ErrDamaged, "schema"},
		"another database": {del("meta"), dbfile.ErrDamaged, "not a ginnel state"},
		"no keys":          {del("keys"), dbfile.ErrDamaged, "keys"},
		"no members":       {del("members"), dbfile.ErrDamaged, "members"},
		"identity":         {put("meta", "identity", "{"), dbfile.ErrDamaged, "identity"},
		"empty identity":   {put("meta", "identity", "{}"), dbfile.ErrDamaged, "identity"},
		"short key":        {put("keys", "private", "abc"), dbfile.ErrDamaged, "private key has 3 bytes"},
		"no key":           {put("keys", "private", ""), dbfile.ErrDamaged, "private key"},
		"no pins":          {del("pins"), dbfile.ErrDamaged, "bucket pins is missing"},
		"short pin":        {put("pins", "\x0a\x2a\x00\x01", "abc"), dbfile.ErrDamaged, "a pin has 4 bytes of address and 3 of key"},
		"pin of nobody":    {put("pins", "\x0a\x2a", string(pinned)), dbfile.ErrDamaged, "a pin has 2 bytes of address"},
		"weak pin":         {put("pins", "\x0a\x2a\x00\x01", string(make([]byte, 32))), dbfile.ErrDamaged, "pin of 10.42.0.1"},
		"long pending key": {put("keys", "pending", strings.Repeat("x", 33)), dbfile.ErrDamaged, "pending key has 33 bytes"},
		"head":             {put("map", "head", "["), dbfile.ErrDamaged, "head"},
		"member":           {put("members", "\x0a\x2a\x00\x01", "?"), dbfile.ErrDamaged, "member"},
		"member elsewhere": {put("members", "\x0a\x2a\x00\x01", `{"address":"10.42.0.2"}`), dbfile.ErrDamaged, "another address"},
	} {
		path := create(t, identity())
		s := open(t, path)
		if err := s.Save(core.Save{Map: &core.Map{Self: member("10.42.0.9", 0)}}); err != nil {
			t.Fatal(err)
		}
		s.Close()
		spoilFile(t, path, c.spoil)
		err := readAll(path)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want %v with %q", name, err, c.want, c.text)
		}
	}
}

func spoilFile(t *testing.T, path string, spoil func(*bbolt.Tx) error) {
	t.Helper()
	db, err := dbfile.Open(path, dbfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(spoil), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// readAll opens the file and reads all that is in it.
func readAll(path string) error {
	s, err := state.Open(path)
	if err != nil {
		return err
	}
	_, mapErr := s.Map()
	_, pinsErr := s.Pins()
	return errors.Join(mapErr, pinsErr, s.Close())
}
