// Package stun is as much of STUN (RFC 8489) as it takes to ask a server under
// which address it sees this machine: a binding request, and its answer. It is
// pure.
//
// Attributes that are not known are passed over, those "comprehension-required"
// included: servers of RFC 3489 add some that say nothing of the address. An
// answer proves nothing but that somebody saw the request: what it says is a
// suggestion.
package stun

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// MaxMessage is the size in bytes of the largest answer that is worth reading.
const MaxMessage = 1500

const (
	headerSize = 20
	cookie     = 0x2112a442

	bindingRequest = 0x0001
	bindingSuccess = 0x0101
	bindingError   = 0x0111

	mappedAddress    = 0x0001 // of servers before RFC 5389
	errorCode        = 0x0009
	xorMappedAddress = 0x0020
)

// ID tells which answer belongs to which request: random, of cryptographic
// quality, and another one for each.
type ID [12]byte

// Request returns a binding request.
func Request(id ID) []byte {
	b := make([]byte, 8, headerSize)
	binary.BigEndian.PutUint16(b, bindingRequest)
	binary.BigEndian.PutUint32(b[4:], cookie)
	return append(b, id[:]...)
}

// ErrForeign is the error for what is no answer to the request: something else
// may still come.
var ErrForeign = errors.New("not an answer to the request")

// Parse reads the answer to the request with an ID: under which address the
// server saw it. Its errors are ErrForeign, or say what is wrong with the
// answer.
func Parse(b []byte, id ID) (netip.AddrPort, error) {
	var none netip.AddrPort
	if len(b) < headerSize || binary.BigEndian.Uint32(b[4:]) != cookie || ID(b[8:headerSize]) != id {
		return none, ErrForeign
	}
	kind, attributes := binary.BigEndian.Uint16(b), b[headerSize:]
	if kind != bindingSuccess && kind != bindingError {
		return none, ErrForeign
	}
	if int(binary.BigEndian.Uint16(b[2:])) != len(attributes) {
		return none, errors.New("the STUN server's answer is cut off")
	}
	if kind == bindingError {
		return none, refusal(attributes)
	}
	if a, ok := address(find(attributes, xorMappedAddress), b[4:headerSize]); ok {
		return a, nil
	}
	if a, ok := address(find(attributes, mappedAddress), make([]byte, 16)); ok {
		return a, nil
	}
	return none, errors.New("the STUN server's answer has no address")
}

// find returns the value of the first attribute of a kind; nil: there is none.
func find(attributes []byte, kind uint16) []byte {
	for len(attributes) >= 4 {
		size := int(binary.BigEndian.Uint16(attributes[2:]))
		value := attributes[4:]
		if size > len(value) {
			return nil
		}
		if binary.BigEndian.Uint16(attributes) == kind {
			return value[:size]
		}
		attributes = value[min((size+3)&^3, len(value)):] // padded to 4 bytes
	}
	return nil
}

// address reads a MAPPED-ADDRESS whose port and address are masked with the
// first bytes of mask.
func address(value, mask []byte) (netip.AddrPort, bool) {
	const v4, v6 = 1, 2
	is4, is6 := len(value) == 4+4, len(value) == 4+16
	if !(is4 && value[1] == v4) && !(is6 && value[1] == v6) {
		return netip.AddrPort{}, false
	}
	raw := make([]byte, len(value)-4)
	for i := range raw {
		raw[i] = value[4+i] ^ mask[i]
	}
	a, _ := netip.AddrFromSlice(raw)
	port := binary.BigEndian.Uint16(value[2:]) ^ binary.BigEndian.Uint16(mask)
	return netip.AddrPortFrom(a.Unmap(), port), true
}

// refusal is the error that an ERROR-CODE stands for. Its text is the server's
// and is not repeated.
func refusal(attributes []byte) error {
	value := find(attributes, errorCode)
	if len(value) < 4 {
		return errors.New("the STUN server refused the request")
	}
	return fmt.Errorf("the STUN server refused the request with error %d", int(value[2]&7)*100+int(value[3]))
}
