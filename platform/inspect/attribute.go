package inspect

import (
	"encoding/binary"
	"strings"
)

// attributes are what stands behind a message's header, by their numbers, as
// far as one of them is read here; of several with one number it is the last.
// Nil: there is none.
type attributes [8][]byte

// attributeHead is the size of a struct nlattr (linux/netlink.h): the length,
// with itself, and the number with two flags.
const (
	attributeHead  = 4
	attributeFlags = 0xc000
)

// parse reads attributes. One that is cut short ends them.
func parse(b []byte) *attributes {
	a := new(attributes)
	each(b, func(number uint16, data []byte) {
		if int(number) < len(a) {
			a[number] = data
		}
	})
	return a
}

// each calls f with every attribute.
func each(b []byte, f func(number uint16, data []byte)) {
	for len(b) >= attributeHead {
		n := int(binary.NativeEndian.Uint16(b))
		if n < attributeHead || n > len(b) {
			return
		}
		f(binary.NativeEndian.Uint16(b[2:])&^attributeFlags, b[attributeHead:n])
		b = b[min((n+3)&^3, len(b)):]
	}
}

// behind is what follows a header of n bytes.
func behind(n int, b []byte) []byte { return b[min(n, len(b)):] }

// appendAttribute appends one attribute to a message.
func appendAttribute(b []byte, number uint16, data []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(attributeHead+len(data)))
	b = binary.NativeEndian.AppendUint16(b, number)
	b = append(b, data...)
	return append(b, make([]byte, -len(data)&3)...)
}

// text reads a name, which ends with a zero.
func text(b []byte) string {
	name, _, _ := strings.Cut(string(b), "\x00")
	return name
}

// big reads a number in network order, of up to 4 bytes.
func big(b []byte) (n uint32) {
	for _, c := range b[:min(len(b), 4)] {
		n = n<<8 | uint32(c)
	}
	return n
}

// native reads a number of the machine's order, of 4 bytes; any other is 0.
func native(b []byte) uint32 {
	if len(b) != 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(b)
}
