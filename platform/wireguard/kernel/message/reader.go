package message

import (
	"encoding/binary"
	"fmt"
)

// header is struct nlmsghdr, without what is of no use to us.
type header struct {
	typ, flags uint16
	sequence   uint32
}

// cutMessage returns the first message of a datagram: its header, what follows
// that, and the messages behind it.
func cutMessage(b []byte) (h header, payload, rest []byte, err error) {
	if len(b) < headerSize {
		return h, nil, nil, fmt.Errorf("netlink: %d bytes where a message of %d at least must be", len(b), headerSize)
	}
	size := binary.NativeEndian.Uint32(b)
	if size < headerSize || uint64(size) > uint64(len(b)) {
		return h, nil, nil, fmt.Errorf("netlink: a message of %d bytes in %d", size, len(b))
	}
	h.typ = binary.NativeEndian.Uint16(b[4:])
	h.flags = binary.NativeEndian.Uint16(b[6:])
	h.sequence = binary.NativeEndian.Uint32(b[8:])
	return h, b[headerSize:size], b[min(aligned(int(size)), len(b)):], nil
}

// aligned rounds a length up to where the next message or attribute begins.
func aligned(n int) int { return (n + align - 1) &^ (align - 1) }

// attribute is one attribute: a part of the datagram.
type attribute struct {
	typ   uint16 // without the flags
	value []byte
}

// cursor walks over attributes without a call for each: a dump has some twenty
// of each peer.
type cursor struct {
	attribute        // the one that next came to
	b         []byte // all
	at        int    // behind the one that next came to
}

// next goes on to the next attribute. It is false at the end, and before what
// is none: see err.
func (c *cursor) next() bool {
	if len(c.b)-c.at < attrSize {
		return false
	}
	b := c.b[c.at:]
	size := int(binary.NativeEndian.Uint16(b))
	if size < attrSize || size > len(b) {
		return false
	}
	c.typ, c.value = binary.NativeEndian.Uint16(b[2:])&typeMask, b[attrSize:size]
	c.at += aligned(size)
	return true
}

// err tells why next has ended; nil: there are no more attributes. The last one
// may do without its padding.
func (c *cursor) err() error {
	switch left := len(c.b) - c.at; {
	case left <= 0:
		return nil
	case left < attrSize:
		return fmt.Errorf("netlink: %d bytes where an attribute must be", left)
	default:
		return fmt.Errorf("netlink: an attribute of %d bytes in %d", binary.NativeEndian.Uint16(c.b[c.at:]), left)
	}
}

// each calls f with each of some attributes, until an error.
func each(b []byte, f func(attribute) error) error {
	c := cursor{b: b}
	for c.next() {
		if err := f(c.attribute); err != nil {
			return err
		}
	}
	return c.err()
}

// want refuses a value that does not have n bytes.
func (a *attribute) want(n int) error {
	if len(a.value) != n {
		return a.unwanted(n)
	}
	return nil
}

func (a *attribute) unwanted(n int) error {
	return fmt.Errorf("netlink: attribute %d has %d bytes, want %d", a.typ, len(a.value), n)
}

func (a *attribute) uint8(n *uint8) error {
	if err := a.want(1); err != nil {
		return err
	}
	*n = a.value[0]
	return nil
}

func (a *attribute) uint16(n *uint16) error {
	if err := a.want(2); err != nil {
		return err
	}
	*n = binary.NativeEndian.Uint16(a.value)
	return nil
}

func (a *attribute) uint32(n *uint32) error {
	if err := a.want(4); err != nil {
		return err
	}
	*n = binary.NativeEndian.Uint32(a.value)
	return nil
}

func (a *attribute) uint64(n *uint64) error {
	if err := a.want(8); err != nil {
		return err
	}
	*n = binary.NativeEndian.Uint64(a.value)
	return nil
}

// text returns a value as C keeps strings: what is before the first zero.
func (a *attribute) text() string {
	for i, c := range a.value {
		if c == 0 {
			return string(a.value[:i])
		}
	}
	return string(a.value)
}
