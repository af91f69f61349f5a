package state

import (
	"bytes"
	"fmt"
	"net/netip"

	"go.etcd.io/bbolt"

	"ginnel/daemon/core"
	"ginnel/key"
	"ginnel/wire"
	"ginnel/wire/json"
)

// head is a map without its members.
type head struct {
	Position wire.Position `json:"position"`
	Self     wire.Member   `json:"self"`
}

// initialise fills an empty file.
func initialise(tx *bbolt.Tx, i *Identity) error {
	for _, name := range buckets {
		if _, err := tx.CreateBucket(name); err != nil {
			return fmt.Errorf("bucket %s: %w", name, err)
		}
	}
	record, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	if err := tx.Bucket(bucketMeta).Put(keyIdentity, record); err != nil {
		return err
	}
	if err := putKey(tx, keyPrivate, i.PrivateKey); err != nil {
		return err
	}
	if i.IsPending() {
		if err := putKey(tx, keyPending, i.Pending); err != nil {
			return err
		}
	}
	return writeSchema(tx)
}

func putKey(tx *bbolt.Tx, name []byte, k key.PrivateKey) error {
	b := k.Bytes()
	return tx.Bucket(bucketKeys).Put(name, b[:])
}

func readIdentity(tx *bbolt.Tx, i *Identity) error {
	version, err := readSchema(tx)
	if err != nil {
		return err
	}
	for _, name := range buckets {
		if tx.Bucket(name) == nil && (version > 1 || !bytes.Equal(name, bucketPins)) {
			return damaged("bucket %s is missing", name)
		}
	}
	if err := json.Unmarshal(tx.Bucket(bucketMeta).Get(keyIdentity), i); err != nil {
		return damaged("identity: %w", err)
	}
	i.BySection = tx.Bucket(bucketMeta).Get(keyBySection) != nil
	if i.PrivateKey, err = readKey(tx, keyPrivate); err != nil {
		return err
	}
	if i.Pending, err = readKey(tx, keyPending); err != nil {
		return err
	}
	if err := i.check(); err != nil {
		return damaged("%w", err)
	}
	return nil
}

// readKey returns the zero key when there is none.
func readKey(tx *bbolt.Tx, name []byte) (key.PrivateKey, error) {
	b := tx.Bucket(bucketKeys).Get(name)
	switch len(b) {
	case 0:
		return key.PrivateKey{}, nil
	case key.Size:
		return key.NewPrivate([key.Size]byte(b)), nil
	}
	return key.PrivateKey{}, damaged("%s key has %d bytes, want %d", name, len(b), key.Size)
}

// readMap returns nil when no map was saved.
func readMap(tx *bbolt.Tx) (*core.Map, error) {
	record := tx.Bucket(bucketMap).Get(keyHead)
	if record == nil {
		return nil, nil
	}
	var h head
	if err := json.Unmarshal(record, &h); err != nil {
		return nil, damaged("head: %w", err)
	}
	m := &core.Map{Position: h.Position, Self: h.Self}
	err := tx.Bucket(bucketMembers).ForEach(func(k, v []byte) error {
		var member wire.Member
		if err := json.Unmarshal(v, &member); err != nil {
			return damaged("member: %w", err)
		}
		if at, ok := netip.AddrFromSlice(k); !ok || at != member.Address {
			return damaged("member %s lies under another address", member.Address)
		}
		m.Members = append(m.Members, member)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// write writes what differs, or returns errUnchanged.
func write(tx *bbolt.Tx, k *core.Save) error {
	changed, err := writePins(tx, k.Pins)
	if err != nil {
		return err
	}
	if k.Map != nil {
		c, err := writeMap(tx, k.Map)
		if err != nil {
			return err
		}
		changed = changed || c
	}
	if !changed {
		return errUnchanged
	}
	return nil
}

func writeMap(tx *bbolt.Tx, m *core.Map) (changed bool, err error) {
	changed, err = putChanged(tx.Bucket(bucketMap), keyHead, head{m.Position, m.Self})
	if err != nil {
		return false, err
	}
	members := tx.Bucket(bucketMembers)
	for i := range m.Members {
		c, err := putChanged(members, m.Members[i].Address.AsSlice(), &m.Members[i])
		if err != nil {
			return false, err
		}
		changed = changed || c
	}
	gone, err := deleteOthers(members, len(m.Members), func(i int) netip.Addr { return m.Members[i].Address })
	return changed || gone, err
}

// putChanged stores v as JSON unless that is what is there.
func putChanged(b *bbolt.Bucket, k []byte, v any) (changed bool, err error) {
	record, err := json.Marshal(v)
	if err != nil {
		return false, err
	}
	if bytes.Equal(b.Get(k), record) {
		return false, nil
	}
	return true, b.Put(k, record)
}

// deleteOthers removes the records of other addresses than the n wanted ones.
// Both are in the order of their addresses, all of one family.
func deleteOthers(b *bbolt.Bucket, n int, want func(i int) netip.Addr) (changed bool, err error) {
	var gone [][]byte
	c, i := b.Cursor(), 0
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		for i < n && bytes.Compare(want(i).AsSlice(), k) < 0 {
			i++
		}
		if i == n || !bytes.Equal(want(i).AsSlice(), k) {
			gone = append(gone, bytes.Clone(k))
		}
	}
	for _, k := range gone {
		if err := b.Delete(k); err != nil {
			return false, err
		}
	}
	return len(gone) > 0, nil
}
