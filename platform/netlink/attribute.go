package netlink

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

const (
	attributeHead = 4      // struct nlattr: the length, with itself, and the type with two flags
	typeMask      = 0x3fff // NLA_TYPE_MASK
)

// aligned rounds a length up to where the next message or attribute begins.
func aligned(n int) int { return (n + 3) &^ 3 }

// Body is what stands behind a message's header: a structure of the protocol,
// in the machine's byte order, and attributes that are appended to it. It is
// the value of a nest, too.
type Body []byte

// Bytes appends an attribute with a value of at most 65531 bytes.
func (b *Body) Bytes(typ uint16, value []byte) {
	*b = binary.NativeEndian.AppendUint16(*b, uint16(attributeHead+len(value)))
	*b = binary.NativeEndian.AppendUint16(*b, typ)
	*b = append(*b, value...)
	*b = append(*b, make([]byte, aligned(len(value))-len(value))...)
}

// Uint32 appends a number in the machine's order.
func (b *Body) Uint32(typ uint16, n uint32) {
	b.Bytes(typ, binary.NativeEndian.AppendUint32(nil, n))
}

// Text appends a string as C keeps them.
func (b *Body) Text(typ uint16, s string) { b.Bytes(typ, append([]byte(s), 0)) }

// Attribute is a part of an answer.
type Attribute struct {
	Type  uint16 // without flags
	Value []byte // not a copy
}

// Uint32 returns a number in the machine's order, 0 for a value that does not
// have 4 bytes.
func (a Attribute) Uint32() uint32 {
	if len(a.Value) != 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(a.Value)
}

// Text returns what is before the first zero.
func (a Attribute) Text() string {
	text, _, _ := bytes.Cut(a.Value, []byte{0})
	return string(text)
}

// Each calls f with each of some attributes. It stops with an error at what is
// none.
func Each(b []byte, f func(Attribute)) error {
	for len(b) > 0 {
		if len(b) < attributeHead {
			return fmt.Errorf("%d bytes where an attribute must be", len(b))
		}
		n := int(binary.NativeEndian.Uint16(b))
		if n < attributeHead || n > len(b) {
			return fmt.Errorf("an attribute of %d bytes in %d", n, len(b))
		}
		f(Attribute{Type: binary.NativeEndian.Uint16(b[2:]) & typeMask, Value: b[attributeHead:n]})
		b = b[min(aligned(n), len(b)):]
	}
	return nil
}
