package adb

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// word returns the number at a place of a tree.
func word(b []byte, at Value) uint32 { return binary.LittleEndian.Uint32(b[at:]) }

func TestValues(t *testing.T) {
	tree := NewTree()
	for n, typ := range map[uint64]Value{0: typeInt, 1<<28 - 1: typeInt, 1 << 28: typeInt32, 1<<32 - 1: typeInt32, 1 << 32: typeInt64} {
		v := tree.Int(n)
		if v&^placeMask != typ {
			t.Errorf("%d is stored as %#x", n, v)
		}
		at := v & placeMask
		switch typ {
		case typeInt:
			if uint64(at) != n {
				t.Errorf("%d is stored as %d", n, at)
			}
		case typeInt32:
			if at%4 != 0 || uint64(word(tree.b, at)) != n {
				t.Errorf("%d is stored as %d at %d", n, word(tree.b, at), at)
			}
		case typeInt64:
			if got := uint64(word(tree.b, at)) | uint64(word(tree.b, at+4))<<32; at%4 != 0 || got != n {
				t.Errorf("%d is stored as %d at %d", n, got, at)
			}
		}
	}
	for n, typ := range map[int]Value{0: Null, 1: typeBlob8, 255: typeBlob8, 256: typeBlob16, 65535: typeBlob16, 65536: typeBlob32} {
		s := strings.Repeat("x", n)
		v := tree.String(s)
		if v&^placeMask != typ {
			t.Errorf("%d bytes are stored as %#x", n, v)
			continue
		}
		size := map[Value]int{typeBlob8: 1, typeBlob16: 2, typeBlob32: 4}[typ]
		at := int(v & placeMask)
		length := 0
		for i := range size {
			length |= int(tree.b[at+i]) << (8 * i)
		}
		if n > 0 && (at%size != 0 || length != n || string(tree.b[at+size:at+size+n]) != s) {
			t.Errorf("%d bytes are stored as %d at %d", n, length, at)
		}
	}
}

func TestObjects(t *testing.T) {
	tree := NewTree()
	if v := tree.Object(Null, Null); v != Null {
		t.Errorf("an object of nothing is %#x", v)
	}
	a := tree.String("a")
	v := tree.Object(a, Null, tree.Int(7), Null)
	at := v & placeMask
	if v&^placeMask != typeObject || at%4 != 0 || word(tree.b, at) != 4 || Value(word(tree.b, at+4)) != a || word(tree.b, at+8) != 0 || Value(word(tree.b, at+12)) != typeInt|7 {
		t.Errorf("object %#x is % x", v, tree.b[at:])
	}
	size := len(tree.b)
	if tree.Object(tree.String("a"), Null, tree.Int(7)) != v || len(tree.b) != size {
		t.Error("the same object is stored twice")
	}
	if array := tree.Array(a); array&^placeMask != typeArray || word(tree.b, array&placeMask) != 2 {
		t.Errorf("array %#x", array)
	}
	if Value(word(tree.Bytes(v), 4)) != v {
		t.Error("the root is not the root")
	}
}

// TestHoles are filled where they are, though something like them was there.
func TestHoles(t *testing.T) {
	tree := NewTree()
	zeros := tree.Blob(make([]byte, 3))
	hole := tree.Hole(3)
	tree.Fill(hole, []byte("abc"))
	if at := hole & placeMask; string(tree.b[at:at+4]) != "\x03abc" {
		t.Errorf("the hole has % x", tree.b[at:at+4])
	}
	if at := zeros & placeMask; !bytes.Equal(tree.b[at:at+4], []byte{3, 0, 0, 0}) {
		t.Error("what was beside the hole is filled as well")
	}
}

func TestParseKey(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":    "",
		"no PEM":     "key",
		"no key":     "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"parameters": "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n",
	} {
		if _, err := ParseKey([]byte(text)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
