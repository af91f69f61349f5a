package state_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"

	"ginnel/daemon/core"
	"ginnel/daemon/state"
	"ginnel/platform/dbfile"
	"ginnel/wire"
)

// fullEnv makes the test binary a child that upgrades the file of that path on
// a full file system.
const fullEnv = "GINNEL_STATE_FULL"

// TestBehaviour61UpgradeOnFullFlash: where there is no room for the pins of an
// older file its network starts nonetheless, and with them; they are written
// as soon as there is room.
func TestBehaviour61UpgradeOnFullFlash(t *testing.T) {
	m := &core.Map{Position: wire.Position{Revision: 7}, Self: member("10.42.0.9", 0)}
	for a := netip.MustParseAddr("10.42.1.0"); len(m.Members) < 400; a = a.Next() {
		m.Members = append(m.Members, member(a.String(), 1))
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fullEnv+"="+schema1(t, identity(), m))
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// upgradeOnFull looks what becomes of the file old where there is no room.
func upgradeOnFull(old string) error {
	content, err := os.ReadFile(old)
	if err != nil {
		return err
	}
	dir := filepath.Dir(old)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m,mode=0700"); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(old, content, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filler, make([]byte, 4<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("the disk is not full: %v", err)
	}
	s, err := state.Open(old)
	if err != nil {
		return fmt.Errorf("on a full disk: %w", err)
	}
	defer s.Close()
	pins, err := check(s, old, 400, 1)
	if err != nil {
		return fmt.Errorf("on a full disk: %w", err)
	}
	if err := s.Save(core.Save{Pins: pins[1:]}); !dbfile.IsFull(err) {
		return fmt.Errorf("saved on a full disk: %v", err)
	}
	if err := os.Remove(filler); err != nil {
		return err
	}
	if err := s.Save(core.Save{Pins: pins[1:]}); err != nil {
		return err
	}
	_, err = check(s, old, 399, 2)
	return err
}

// check looks that s has that many pins and the whole map, and that its file is
// of that schema.
func check(s *state.State, path string, want int, schema uint64) ([]core.Pin, error) {
	pins, err := s.Pins()
	if err != nil || len(pins) != want {
		return nil, fmt.Errorf("%d pins, %v, want %d", len(pins), err, want)
	}
	if m, err := s.Map(); err != nil || m == nil || len(m.Members) != 400 {
		return nil, fmt.Errorf("map %+v, %v", m, err)
	}
	if have, err := schemaOf(path); err != nil || have != schema {
		return nil, fmt.Errorf("schema %d, %v, want %d", have, err, schema)
	}
	return pins, nil
}

func schemaOf(path string) (version uint64, err error) {
	db, err := dbfile.OpenCopy(path)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		version = binary.BigEndian.Uint64(tx.Bucket([]byte("meta")).Get([]byte("schema")))
		return nil
	})
	return version, err
}
