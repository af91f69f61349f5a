package userspace

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"

	"ginnel/platform/netlink"
)

// mostWays is how many ways are remembered: strangers are answered too, and
// every address they write from is another.
const mostWays = 1024

// way is what a packet is routed by, beside the mark of all of them.
type way struct{ from, to netip.AddrPort }

// routes tells by which link packets would leave. The kernel is asked once for
// each way until the next look. The zero routes knows of none.
type routes struct {
	mu    sync.Mutex
	nl    *netlink.Conn  // nil: closed, or it failed
	mark  uint32         // what packets carry
	links map[way]uint32 // their indices; 0: there is no route
}

// look has every way asked for again.
func (r *routes) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.links = map[way]uint32{}
	if r.nl == nil {
		r.nl, _ = netlink.Dial(unix.NETLINK_ROUTE) // without it no link is known, until the next look
	}
}

// setMark notes the mark that packets carry from now on.
func (r *routes) setMark(mark uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mark, r.links = mark, map[way]uint32{}
}

// close returns r to what it was before the first look.
func (r *routes) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.nl != nil {
		r.nl.Close()
	}
	r.nl, r.mark, r.links = nil, 0, nil
}

// link returns the index of the link by which packets would leave, 0 where that
// is not known.
func (r *routes) link(w way) uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	link, known := r.links[w]
	if known || r.nl == nil {
		return link
	}
	link, err := r.ask(w)
	var refusal *netlink.Refusal
	if err != nil && !errors.As(err, &refusal) {
		r.nl.Close()
		r.nl = nil
		return 0
	}
	if len(r.links) >= mostWays {
		clear(r.links)
	}
	r.links[w] = link
	return link
}

// ask asks the kernel with all that its rules of routing may look at.
func (r *routes) ask(w way) (link uint32, err error) {
	from, to := w.from.Addr(), w.to.Addr()
	family, bits := uint8(unix.AF_INET), uint8(from.BitLen())
	if from.Is6() {
		family = unix.AF_INET6
	}
	body := make(netlink.Body, unix.SizeofRtMsg)
	body[0], body[1], body[2] = family, bits, bits
	body.Bytes(unix.RTA_DST, to.AsSlice())
	body.Bytes(unix.RTA_SRC, from.AsSlice())
	body.Uint32(unix.RTA_MARK, r.mark)
	body.Bytes(unix.RTA_IP_PROTO, []byte{unix.IPPROTO_UDP}) // this and the ports since Linux 4.17
	body.Bytes(unix.RTA_SPORT, binary.BigEndian.AppendUint16(nil, w.from.Port()))
	body.Bytes(unix.RTA_DPORT, binary.BigEndian.AppendUint16(nil, w.to.Port()))
	answer, err := r.nl.Do(unix.RTM_GETROUTE, 0, body)
	for _, b := range answer.Bodies {
		_ = netlink.Each(b[min(len(b), unix.SizeofRtMsg):], func(a netlink.Attribute) {
			if a.Type == unix.RTA_OIF {
				link = a.Uint32()
			}
		})
	}
	return link, err
}
