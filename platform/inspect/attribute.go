package inspect

import (
	"encoding/binary"
	"strings"

	"ginnel/platform/netlink"
)

// attributes are what stands behind a message's header, by their numbers, as
// far as one of them is read here; of several with one number it is the last.
// Nil: there is none.
type attributes [8][]byte

// parse reads attributes. One that is cut short ends them.
func parse(b []byte) *attributes {
	a := new(attributes)
	_ = netlink.Each(b, func(one netlink.Attribute) {
		if int(one.Type) < len(a) {
			a[one.Type] = one.Value
		}
	})
	return a
}

// behind is what follows a header of n bytes.
func behind(n int, b []byte) []byte { return b[min(n, len(b)):] }

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
