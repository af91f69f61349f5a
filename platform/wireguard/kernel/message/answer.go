package message

import (
	"encoding/binary"
	"fmt"
)

// Sink takes what the kernel says beside acknowledgements: a Decoder, Family
// or Link.
type Sink interface {
	// Add takes a message without its netlink header. It keeps nothing of it.
	Add(payload []byte) error
}

// Answer follows the kernel's answer to one request, through as many datagrams
// as it takes.
type Answer struct {
	Sequence uint32 // of the request; messages of others are passed over
	Done     bool   // the answer is complete
	Torn     bool   // what it tells changed meanwhile (NLM_F_DUMP_INTR)
}

// Take reads one datagram. What it says goes to sink, which may be nil for a
// request that is only acknowledged. The error is a [*Refusal] where the
// kernel refuses the request, which ends the answer; any other leaves it
// unfinished.
func (a *Answer) Take(datagram []byte, sink Sink) error {
	for len(datagram) > 0 && !a.Done {
		h, payload, rest, err := cutMessage(datagram)
		if err != nil {
			return err
		}
		datagram = rest
		if h.sequence != a.Sequence {
			continue
		}
		a.Torn = a.Torn || h.flags&flagInterrupted != 0
		switch {
		case h.typ == typeError || h.typ == typeDone:
			a.Done = true
			return verdict(h, payload)
		case h.typ >= typeMin && sink != nil:
			if err := sink.Add(payload); err != nil {
				return err
			}
		}
	}
	return nil
}

// Refusal is the kernel's answer to a request that it did not do.
type Refusal struct {
	Errno uint32
	Text  string // the kernel's own explanation; empty where it gave none
}

// Error implements error.
func (r *Refusal) Error() string { return fmt.Sprintf("netlink: errno %d: %s", r.Errno, r.Text) }

// verdict reads a message that ends an answer: minus errno as s32, after
// NLMSG_ERROR the request it is about, then attributes.
func verdict(h header, payload []byte) error {
	if len(payload) < 4 {
		return fmt.Errorf("netlink: %d bytes where a verdict must be", len(payload))
	}
	errno := binary.NativeEndian.Uint32(payload)
	if errno == 0 {
		return nil
	}
	r := &Refusal{Errno: -errno}
	if h.flags&flagAckTLVs == 0 {
		return r
	}
	r.Text = explanation(attributesAfter(h, payload[4:]))
	return r
}

// attributesAfter returns what follows the request that a verdict repeats: of
// a long one only the header.
func attributesAfter(h header, request []byte) []byte {
	if h.typ == typeDone {
		return request // there is none
	}
	if len(request) < headerSize {
		return nil
	}
	size := headerSize
	if h.flags&flagCapped == 0 {
		size = aligned(int(binary.NativeEndian.Uint32(request)))
	}
	if size < headerSize || size > len(request) {
		return nil
	}
	return request[size:]
}

// explanation finds the kernel's text among attributes. Without one the errno
// must do.
func explanation(b []byte) (text string) {
	_ = each(b, func(a attribute) error {
		if a.typ == attrMessageText {
			text = a.text()
		}
		return nil
	})
	return text
}
