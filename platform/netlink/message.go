package netlink

import (
	"encoding/binary"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// Answer is what the kernel says to a request, without its verdict.
type Answer struct {
	Bodies [][]byte // of the messages, in their order: structures and attributes
	Torn   bool     // what they tell changed meanwhile (NLM_F_DUMP_INTR)
}

// request makes a message.
func request(typ, flags uint16, sequence uint32, body []byte) []byte {
	b := make([]byte, unix.NLMSG_HDRLEN, unix.NLMSG_HDRLEN+len(body))
	binary.NativeEndian.PutUint32(b, uint32(cap(b)))
	binary.NativeEndian.PutUint16(b[4:], typ)
	binary.NativeEndian.PutUint16(b[6:], flags|unix.NLM_F_REQUEST)
	binary.NativeEndian.PutUint32(b[8:], sequence)
	return append(b, body...)
}

// take reads one datagram, which it keeps, and tells whether the answer is
// complete. Messages that belong to another request are passed over.
func (a *Answer) take(datagram []byte, sequence uint32) (done bool, err error) {
	messages, err := syscall.ParseNetlinkMessage(datagram)
	if err != nil {
		return false, fmt.Errorf("read an answer of %d bytes: %w", len(datagram), err)
	}
	for _, m := range messages {
		if m.Header.Seq != sequence {
			continue
		}
		a.Torn = a.Torn || m.Header.Flags&unix.NLM_F_DUMP_INTR != 0
		switch {
		case m.Header.Type == unix.NLMSG_ERROR || m.Header.Type == unix.NLMSG_DONE:
			return true, verdict(&m)
		case m.Header.Type >= unix.NLMSG_MIN_TYPE:
			a.Bodies = append(a.Bodies, m.Data)
		}
	}
	return false, nil
}

// verdict reads a message that ends an answer: minus errno as s32, after
// NLMSG_ERROR the request it is about, then attributes.
func verdict(m *syscall.NetlinkMessage) error {
	if len(m.Data) < 4 {
		return fmt.Errorf("read an answer: %d bytes where a verdict must be", len(m.Data))
	}
	errno := -int32(binary.NativeEndian.Uint32(m.Data))
	if errno == 0 {
		return nil
	}
	r := &Refusal{Errno: syscall.Errno(errno)}
	if m.Header.Flags&unix.NLM_F_ACK_TLVS != 0 {
		_ = Each(behindRequest(m), func(a Attribute) {
			if a.Type == unix.NLMSGERR_ATTR_MSG {
				r.Text = a.Text()
			}
		})
	}
	return r
}

// behindRequest returns the attributes of a verdict.
func behindRequest(m *syscall.NetlinkMessage) []byte {
	b, size := m.Data[4:], 0
	if m.Header.Type == unix.NLMSG_ERROR {
		size = unix.NLMSG_HDRLEN
		if m.Header.Flags&unix.NLM_F_CAPPED == 0 && len(b) >= size {
			size = max(size, aligned(int(binary.NativeEndian.Uint32(b))))
		}
	}
	if size > len(b) {
		return nil
	}
	return b[size:]
}
