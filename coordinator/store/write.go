package store

import (
	"fmt"
	"strconv"

	"go.etcd.io/bbolt"

	"ginnel/network"
	"ginnel/wire/json"
)

// writer writes within one transaction. After its first error it does nothing
// more.
type writer struct {
	tx  *bbolt.Tx
	err error
}

func (w *writer) put(bucket, k, v []byte) {
	if w.err != nil {
		return
	}
	if err := w.tx.Bucket(bucket).Put(k, v); err != nil {
		w.err = fmt.Errorf("write to bucket %s: %w", bucket, err)
	}
}

func (w *writer) putJSON(bucket, k []byte, v any) {
	b, err := json.Marshal(v)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("encode for bucket %s: %w", bucket, err)
	}
	w.put(bucket, k, b)
}

func (w *writer) delete(bucket, k []byte) {
	if w.err != nil {
		return
	}
	if err := w.tx.Bucket(bucket).Delete(k); err != nil {
		w.err = fmt.Errorf("delete from bucket %s: %w", bucket, err)
	}
}

// putEndpoints writes down where the coordinator is found.
func (w *writer) putEndpoints(list []string) {
	w.putJSON(metaBucket, endpointsKey, append([]string{}, list...))
}

func (w *writer) putRecords(r network.Records) {
	if len(r.Endpoints) > 0 {
		w.putEndpoints(r.Endpoints)
	}
	for _, c := range r.CIDRs {
		w.putJSON(cidrsBucket, prefixKey(c.Prefix), cidrRecord{Name: c.Name, Isolated: c.Isolated})
	}
	for i := range r.Peers {
		w.putJSON(peersBucket, r.Peers[i].Address.AsSlice(), peerValue(&r.Peers[i]))
	}
	for _, a := range r.Associations {
		w.put(associationsBucket, associationKey(a), []byte{})
	}
	for _, a := range r.Retired {
		w.put(retiredBucket, a.AsSlice(), []byte{})
	}
}

func (w *writer) deleteRecords(r network.Records) {
	for _, c := range r.CIDRs {
		w.delete(cidrsBucket, prefixKey(c.Prefix))
	}
	for _, p := range r.Peers {
		w.delete(peersBucket, p.Address.AsSlice())
	}
	for _, a := range r.Associations {
		w.delete(associationsBucket, associationKey(a))
	}
	for _, a := range r.Retired {
		w.delete(retiredBucket, a.AsSlice())
	}
}

// putChange adds c to the tail and drops what falls out of it.
func (w *writer) putChange(c network.Change) {
	parts := make([]partRecord, len(c.Parts))
	for i, p := range c.Parts {
		parts[i] = partRecord{p.Audience, p.Touched}
	}
	w.putJSON(changesBucket, changeKey(c.Revision), parts)
	if c.Revision > TailLength {
		w.delete(changesBucket, changeKey(c.Revision-TailLength))
	}
}

func revisionText(n uint64) []byte { return strconv.AppendUint(nil, n, 10) }
