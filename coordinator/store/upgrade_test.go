package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"

	"ginnel/network"
	"ginnel/platform/dbfile"
)

// TestBehaviour10UpgradeOnFullFlash: a book for whose migration there is no room
// opens nonetheless; it is migrated by the next commit that finds some.
func TestBehaviour10UpgradeOnFullFlash(t *testing.T) { apart(t, oldEnv) }

func upgradeOnFull(dir string) error {
	path, filler := filepath.Join(dir, "home.book"), filepath.Join(dir, "filler")
	if err := fullOfOldBook(path, filler); err != nil {
		return err
	}
	s, book, _, err := Open(path)
	if err != nil {
		return fmt.Errorf("on a full disk: %w", err)
	}
	defer s.Close()
	if have := schemaOf(s); have != 1 || book.Revision() != 11 || len(book.Endpoints()) > 0 {
		return fmt.Errorf("on a full disk: schema %d, revision %d, endpoints %q", have, book.Revision(), book.Endpoints())
	}
	endpoints := []string{"vpn.example.net:51820"}
	_, change, err := book.Apply(now, network.SetEndpoints{Endpoints: endpoints})
	if err != nil {
		return err
	}
	if err := s.Commit(change); !dbfile.IsFull(err) {
		return fmt.Errorf("commit on a full disk: %v", err)
	}
	if err := errors.Join(os.Remove(filler), s.Commit(change)); err != nil {
		return err
	}
	again, err := Read(path)
	if err != nil || !slices.Equal(again.Endpoints(), endpoints) || schemaOf(s) != schema {
		return fmt.Errorf("with room again: %v, schema %d", err, schemaOf(s))
	}
	return nil
}

// fullOfOldBook mounts a file system that has a book of schema 1 and no room.
// The book has no free pages either: those that the file has are holes.
func fullOfOldBook(path, filler string) error {
	old, err := os.ReadFile("testdata/schema1.book")
	if err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", filepath.Dir(path), "tmpfs", 0, "size=256k,mode=0700"); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	if err := os.WriteFile(path, old, 0o600); err != nil {
		return err
	}
	if err := punchFree(path, old); err != nil {
		return err
	}
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("the disk is not full: %w", err)
	}
	return nil
}

// punchFree makes holes of the file's free pages.
func punchFree(path string, content []byte) error {
	db, err := dbfile.OpenCopy(path)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := errors.Join(os.Truncate(path, 0), os.Truncate(path, int64(len(content)))); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return db.View(func(tx *bbolt.Tx) error {
		size := tx.DB().Info().PageSize
		for id := 0; id*size < len(content); id++ {
			page, err := tx.Page(id)
			if err == nil && page != nil && page.Type != "free" {
				_, err = f.WriteAt(content[id*size:(id+1)*size], int64(id*size))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func schemaOf(s *Store) (version int) {
	s.db.View(func(tx *bbolt.Tx) error {
		version, _ = strconv.Atoi(string(tx.Bucket(metaBucket).Get(schemaKey)))
		return nil
	})
	return version
}
