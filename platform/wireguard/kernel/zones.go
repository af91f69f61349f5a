package kernel

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// zones translates between the zones of link-local addresses, which are names
// of links, and their scopes, the links' indexes. It asks in the network
// namespace of a socket. The last answer is remembered until reset: the
// link-local peers of a machine are most often on one link.
type zones struct {
	socket *socket
	scope  uint32 // 0: none is remembered
	name   string
}

// reset forgets the last answer: links change their names.
func (z *zones) reset(s *socket) { *z = zones{socket: s} }

// scopeOf returns the index of the link called zone, which may be a number as
// well; 0 when there is none.
func (z *zones) scopeOf(zone string) uint32 {
	if z.scope != 0 && zone == z.name {
		return z.scope
	}
	ifr, err := unix.NewIfreq(zone)
	if err == nil {
		err = unix.IoctlIfreq(z.socket.fd, unix.SIOCGIFINDEX, ifr)
	}
	if err != nil {
		return number(zone)
	}
	z.scope, z.name = ifr.Uint32(), zone
	return z.scope
}

// zoneOf returns the name of the link with that index; of one that is gone,
// the number.
func (z *zones) zoneOf(scope uint32) string {
	if scope == z.scope {
		return z.name
	}
	ifr, err := unix.NewIfreq("")
	if err == nil {
		ifr.SetUint32(scope)
		err = unix.IoctlIfreq(z.socket.fd, unix.SIOCGIFNAME, ifr)
	}
	if err != nil {
		return strconv.FormatUint(uint64(scope), 10)
	}
	z.scope, z.name = scope, ifr.Name()
	return z.name
}

// number reads a zone that is a link's index; 0: it is none.
func number(zone string) uint32 {
	n, err := strconv.ParseUint(zone, 10, 31)
	if err != nil {
		return 0
	}
	return uint32(n)
}
