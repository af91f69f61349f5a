package store

import (
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"

	"ginnel/network"
	"ginnel/platform/dbfile"
)

// readSnapshot reads the whole book. What it returns shares nothing with the
// transaction's memory.
func readSnapshot(tx *bbolt.Tx) (network.Snapshot, error) {
	s := network.Snapshot{Name: string(tx.Bucket(metaBucket).Get(nameKey))}
	var err error
	if s.Revision, err = readRevision(tx); err != nil {
		return s, err
	}
	if s.Coordinator, err = readCoordinator(tx); err != nil {
		return s, err
	}
	if s.Endpoints, err = readEndpoints(tx); err != nil {
		return s, fmt.Errorf("endpoints: %w", err)
	}
	for _, b := range []struct {
		name []byte
		read func(r *network.Records, k, v []byte) error
	}{
		{cidrsBucket, readCIDR}, {peersBucket, readPeer},
		{associationsBucket, readAssociation}, {retiredBucket, readRetired},
	} {
		err := tx.Bucket(b.name).ForEach(func(k, v []byte) error { return b.read(&s.Records, k, v) })
		if err != nil {
			return s, fmt.Errorf("%s: %w", b.name, err)
		}
	}
	return s, nil
}

// readEndpoints returns none for a book of schema 1.
func readEndpoints(tx *bbolt.Tx) (list []string, err error) {
	if version, err := readSchema(tx); version < 2 || err != nil {
		return nil, err
	}
	err = parseValue(tx.Bucket(metaBucket).Get(endpointsKey), &list)
	return list, err
}

func readCIDR(r *network.Records, k, v []byte) error {
	p, err := parsePrefix(k)
	if err != nil {
		return err
	}
	var c cidrRecord
	if err := parseValue(v, &c); err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	r.CIDRs = append(r.CIDRs, network.CIDR{Name: c.Name, Prefix: p, Isolated: c.Isolated})
	return nil
}

func readPeer(r *network.Records, k, v []byte) error {
	a, err := parseAddress(k)
	if err != nil {
		return err
	}
	var p peerRecord
	if err := parseValue(v, &p); err != nil {
		return fmt.Errorf("%s: %w", a, err)
	}
	r.Peers = append(r.Peers, p.peer(a))
	return nil
}

func readAssociation(r *network.Records, k, _ []byte) error {
	a, err := parseAssociation(k)
	r.Associations = append(r.Associations, a)
	return err
}

func readRetired(r *network.Records, k, _ []byte) error {
	a, err := parseAddress(k)
	r.Retired = append(r.Retired, a)
	return err
}

// readChanges reads the tail, oldest first.
func readChanges(tx *bbolt.Tx) ([]network.Change, error) {
	var tail []network.Change
	err := tx.Bucket(changesBucket).ForEach(func(k, v []byte) error {
		if len(k) != 8 {
			return fmt.Errorf("changes: revision has %d bytes, want 8: %w", len(k), dbfile.ErrDamaged)
		}
		c := network.Change{Revision: binary.BigEndian.Uint64(k)}
		var parts []partRecord
		if err := parseValue(v, &parts); err != nil {
			return fmt.Errorf("changes: revision %d: %w", c.Revision, err)
		}
		for _, p := range parts {
			c.Parts = append(c.Parts, network.Part{Audience: p[0], Touched: p[1]})
		}
		tail = append(tail, c)
		return nil
	})
	return tail, err
}
