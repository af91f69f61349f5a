package message

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Dump returns the request for all of the link with that index.
func Dump(family uint16, link uint32) []byte {
	var w writer
	w.beginGeneric(family, flagRequest|flagDump, cmdGetDevice, version)
	w.uint32(deviceIndex, link)
	return w.end()
}

// FindFamily returns the request for the family called name, Kind for
// WireGuard's. The answer is for a Family. The kernel loads the module where it
// can; ENOENT says that there is none.
func FindFamily(name string) []byte {
	var w writer
	w.beginGeneric(familyControl, flagRequest|flagAck, cmdGetFamily, 1)
	w.text(attrFamilyName, name)
	return w.end()
}

// Family is a family's number in generic netlink. It is a Sink.
type Family struct{ ID uint16 }

// Add implements Sink.
func (f *Family) Add(payload []byte) error {
	if len(payload) < genericSize {
		return fmt.Errorf("netlink: %d bytes where a family must be", len(payload))
	}
	return each(payload[genericSize:], func(a attribute) error {
		if a.typ == attrFamilyID {
			return a.uint16(&f.ID)
		}
		return nil
	})
}

// MakeLink returns the request that makes a WireGuard link, down. EEXIST says
// that a link has the name, EOPNOTSUPP that the kernel does not know the kind.
func MakeLink(name string, mtu int) []byte {
	w := linkRequest(newLink, flagCreate|flagExclusive, 0)
	w.text(linkName, name)
	w.uint32(linkMTU, uint32(mtu))
	info := w.open(linkInfo | nested)
	w.text(linkInfoKind, Kind)
	w.close(info)
	return w.end()
}

// SetMTU returns the request that sets the MTU of the link with that index, in
// bytes.
func SetMTU(link uint32, mtu int) []byte {
	w := linkRequest(newLink, 0, link)
	w.uint32(linkMTU, uint32(mtu))
	return w.end()
}

// DeleteLink returns the request that deletes the link with that index.
func DeleteLink(link uint32) []byte { return linkRequest(delLink, 0, link).end() }

// FindLink returns the request for the link called name, without its
// statistics. The answer is for a Link; ENODEV says that there is none.
func FindLink(name string) []byte {
	w := linkRequest(getLink, 0, 0)
	w.text(linkName, name)
	w.uint32(linkExtMask, skipStatistics)
	return w.end()
}

// linkRequest begins a request of rtnetlink; with index 0, of a link that is
// named otherwise.
func linkRequest(typ, flags uint16, index uint32) *writer {
	w := new(writer)
	w.begin(typ, flagRequest|flagAck|flags)
	w.b = slices.Grow(w.b, linkSize)
	w.b = append(w.b, make([]byte, 4)...)
	w.b = binary.NativeEndian.AppendUint32(w.b, index)
	w.b = append(w.b, make([]byte, linkSize-8)...)
	return w
}

// Kind is what the kernel calls links of WireGuard, and its family in generic
// netlink (WG_GENL_NAME).
const Kind = "wireguard"

// Link is what interests us of a link. It is a Sink.
type Link struct {
	Index uint32
	MTU   uint32 // bytes
	Kind  string // of a virtual link; empty: hardware
}

// Add implements Sink.
func (l *Link) Add(payload []byte) error {
	if len(payload) < linkSize {
		return fmt.Errorf("netlink: %d bytes where a link must be", len(payload))
	}
	l.Index = binary.NativeEndian.Uint32(payload[4:])
	return each(payload[linkSize:], func(a attribute) error {
		switch a.typ {
		case linkMTU:
			return a.uint32(&l.MTU)
		case linkInfo:
			return each(a.value, l.info)
		}
		return nil
	})
}

func (l *Link) info(a attribute) error {
	if a.typ == linkInfoKind {
		l.Kind = a.text()
	}
	return nil
}
