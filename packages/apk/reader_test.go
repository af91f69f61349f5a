package apk_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"testing"
)

// read is a file of apk-tools 3, read by the format's description and not by
// our writer's code.
type read struct {
	t      *testing.T
	schema string
	tree   []byte
	sigs   [][]byte
	data   map[[2]uint32]string // content by directory and file
}

func open(t *testing.T, b []byte) *read {
	t.Helper()
	if string(b[:4]) != "ADBd" {
		t.Fatalf("the file begins with %q", b[:4])
	}
	raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(b[4:])))
	if err != nil {
		t.Fatal(err)
	}
	if string(raw[:4]) != "ADB." {
		t.Fatalf("what is compressed begins with %q", raw[:4])
	}
	r := &read{t: t, schema: string(raw[4:8]), data: map[[2]uint32]string{}}
	for at := 8; at < len(raw); {
		head := binary.LittleEndian.Uint32(raw[at:])
		size := int(head & (1<<30 - 1))
		content := raw[at+4 : at+size]
		switch kind := head >> 30; kind {
		case 0:
			r.tree = content
		case 1:
			r.sigs = append(r.sigs, content)
		case 2:
			place := [2]uint32{binary.LittleEndian.Uint32(content), binary.LittleEndian.Uint32(content[4:])}
			r.data[place] = string(content[8:])
		default:
			t.Fatalf("block at %d is of kind %d", at, kind)
		}
		at += (size + 7) / 8 * 8
	}
	return r
}

func (r *read) root() uint32 { return binary.LittleEndian.Uint32(r.tree[4:]) }

// slots are the fields of an object, or the items of an array, from 1 on.
func (r *read) slots(v uint32) []uint32 {
	if v == 0 {
		return []uint32{0}
	}
	if typ := v >> 28; typ != 0xd && typ != 0xe {
		r.t.Fatalf("%#x is neither an array nor an object", v)
	}
	at := v & (1<<28 - 1)
	list := make([]uint32, binary.LittleEndian.Uint32(r.tree[at:]))
	for i := range list {
		list[i] = binary.LittleEndian.Uint32(r.tree[int(at)+4*i:])
	}
	return list
}

// field is a field of an object, 0 where there is none.
func (r *read) field(v uint32, n int) uint32 {
	if s := r.slots(v); n < len(s) {
		return s[n]
	}
	return 0
}

func (r *read) text(v uint32) string {
	at := int(v & (1<<28 - 1))
	switch v >> 28 {
	case 0x8:
		return string(r.tree[at+1 : at+1+int(r.tree[at])])
	case 0x9:
		return string(r.tree[at+2 : at+2+int(binary.LittleEndian.Uint16(r.tree[at:]))])
	case 0:
		return ""
	}
	r.t.Fatalf("%#x is no text", v)
	return ""
}

func (r *read) number(v uint32) uint64 {
	at := v & (1<<28 - 1)
	switch v >> 28 {
	case 1:
		return uint64(at)
	case 2:
		return uint64(binary.LittleEndian.Uint32(r.tree[at:]))
	}
	r.t.Fatalf("%#x is no number", v)
	return 0
}
