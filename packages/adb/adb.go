// Package adb writes the container of apk-tools 3: a tree of typed values in
// one block, signatures of it, and blocks of data, as apk-v3(5) and the sources
// of apk-tools 3.0 have it. It knows nothing of packages; see packages/apk.
//
// A value is a word of 32 bits: its type in the upper four, in the others a
// small number or the place, counted from the block's beginning, where the rest
// is. All numbers are little-endian.
package adb

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Value is a value, or the place of one, in the Tree it was made by.
type Value uint32

// Null is no value. Trailing ones of an object are left out.
const Null Value = 0

// The types, in the upper four bits of a Value.
const (
	typeInt    Value = 0x1 << 28
	typeInt32  Value = 0x2 << 28
	typeInt64  Value = 0x3 << 28
	typeBlob8  Value = 0x8 << 28
	typeBlob16 Value = 0x9 << 28
	typeBlob32 Value = 0xa << 28
	typeArray  Value = 0xd << 28
	typeObject Value = 0xe << 28

	placeMask Value = 1<<28 - 1
)

// headerSize is what stands before the first value: two versions, two bytes
// for nothing, and the root.
const headerSize = 8

// Tree is a tree of values under construction. What is the same is stored
// once. The zero Tree is not usable.
type Tree struct {
	b    []byte
	seen map[string]Value // what was stored, by its alignment and bytes
}

// NewTree returns a tree without a root.
func NewTree() *Tree { return &Tree{b: make([]byte, headerSize), seen: map[string]Value{}} }

// Bytes returns the tree with its root, as it goes into a file's first block.
// They belong to the Tree.
func (t *Tree) Bytes(root Value) []byte {
	binary.LittleEndian.PutUint32(t.b[4:], uint32(root))
	return t.b
}

// Int stores a number.
func (t *Tree) Int(n uint64) Value {
	switch {
	case n <= uint64(placeMask):
		return typeInt | Value(n)
	case n <= math.MaxUint32:
		return typeInt32 | t.put(binary.LittleEndian.AppendUint32(nil, uint32(n)), 4)
	}
	return typeInt64 | t.put(binary.LittleEndian.AppendUint64(nil, n), 4)
}

// Blob stores bytes, such as a string. None are Null.
func (t *Tree) Blob(b []byte) Value {
	typ, data, align := blob(b)
	if typ == Null {
		return Null
	}
	return typ | t.put(data, align)
}

// String stores a string.
func (t *Tree) String(s string) Value { return t.Blob([]byte(s)) }

// Hole stores n bytes of zeros that [Tree.Fill] can fill: they are shared with
// nothing else. It is for at most 255.
func (t *Tree) Hole(n uint8) Value {
	return typeBlob8 | t.append(append([]byte{n}, make([]byte, n)...), 1)
}

// Fill writes b, as long as the hole, into it.
func (t *Tree) Fill(hole Value, b []byte) { copy(t.b[hole&placeMask+1:], b) }

// Object stores an object of these fields. One without any is Null.
func (t *Tree) Object(fields ...Value) Value { return t.slots(typeObject, fields) }

// Array stores an array of these items. The order is the caller's: readers
// expect most kinds of items sorted.
func (t *Tree) Array(items ...Value) Value { return t.slots(typeArray, items) }

func (t *Tree) slots(typ Value, v []Value) Value {
	for len(v) > 0 && v[len(v)-1] == Null {
		v = v[:len(v)-1]
	}
	if len(v) == 0 {
		return Null
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(v)+1))
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, uint32(f))
	}
	return typ | t.put(b, 4)
}

// blob returns a blob's type, its bytes with their length before them, and the
// length's alignment.
func blob(b []byte) (typ Value, data []byte, align int) {
	switch n := len(b); {
	case n == 0:
		return Null, nil, 0
	case n <= math.MaxUint8:
		return typeBlob8, append([]byte{byte(n)}, b...), 1
	case n <= math.MaxUint16:
		return typeBlob16, append(binary.LittleEndian.AppendUint16(nil, uint16(n)), b...), 2
	default:
		return typeBlob32, append(binary.LittleEndian.AppendUint32(nil, uint32(n)), b...), 4
	}
}

// put stores data unless it is there already, and returns its place.
func (t *Tree) put(data []byte, align int) Value {
	key := fmt.Sprint(align, ":", string(data))
	at, stored := t.seen[key]
	if !stored {
		at = t.append(data, align)
		t.seen[key] = at
	}
	return at
}

func (t *Tree) append(data []byte, align int) Value {
	t.b = pad(t.b, align)
	at := len(t.b)
	t.b = append(t.b, data...)
	return Value(at)
}

func pad(b []byte, align int) []byte {
	for len(b)%align != 0 {
		b = append(b, 0)
	}
	return b
}
