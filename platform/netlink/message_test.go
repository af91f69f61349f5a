package netlink

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// said is a message of the kernel's to request 7.
func said(typ, flags uint16, body []byte) []byte {
	b := request(typ, flags, 7, body)
	return append(b, make([]byte, aligned(len(b))-len(b))...)
}

// verdictOf makes a verdict's body: minus errno, and the request's header.
func verdictOf(errno int32, behind ...[]byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(-errno))
	return append(b, bytes.Join(behind, nil)...)
}

func TestTake(t *testing.T) {
	asked := request(unix.RTM_GETLINK, 0, 7, make([]byte, 5))
	short := append(bytes.Clone(asked[:unix.NLMSG_HDRLEN]), 0, 0, 0, 0, 0, 0, 0, 0)
	binary.NativeEndian.PutUint32(short, 200) // more than there is
	var why Body
	why.Uint32(2, 99)
	why.Text(unix.NLMSGERR_ATTR_MSG, "because")
	other := said(20, 0, []byte{9})
	binary.NativeEndian.PutUint32(other[8:], 6)
	const tlvs = unix.NLM_F_ACK_TLVS
	for _, tt := range []struct {
		name     string
		datagram []byte
		done     bool
		err      string
		bodies   int
		torn     bool
	}{
		{"consent", said(unix.NLMSG_ERROR, unix.NLM_F_CAPPED, verdictOf(0, asked[:16])), true, "", 0, false},
		{"the end of a dump", said(unix.NLMSG_DONE, 0, verdictOf(0)), true, "", 0, false},
		{"two of a dump", append(said(20, 0, []byte{1}), said(20, unix.NLM_F_DUMP_INTR, []byte{2})...), false, "", 2, true},
		{"a torn end", said(unix.NLMSG_DONE, unix.NLM_F_DUMP_INTR, verdictOf(0)), true, "", 0, true},
		{"another's", append(other, said(20, 0, []byte{1})...), false, "", 1, false},
		{"nothing", said(unix.NLMSG_NOOP, 0, nil), false, "", 0, false},
		{"refusal", said(unix.NLMSG_ERROR, 0, verdictOf(1, asked)), true, "operation not permitted", 0, false},
		{"explained", said(unix.NLMSG_ERROR, tlvs|unix.NLM_F_CAPPED, verdictOf(22, asked[:16], why)), true, "because: invalid argument", 0, false},
		{"explained behind the request", said(unix.NLMSG_ERROR, tlvs, verdictOf(22, asked, make([]byte, 3), why)), true, "because: invalid argument", 0, false},
		{"an end explained", said(unix.NLMSG_DONE, tlvs, verdictOf(22, why)), true, "because: invalid argument", 0, false},
		{"without the request", said(unix.NLMSG_ERROR, tlvs, verdictOf(22)), true, "invalid argument", 0, false},
		{"with less than the request", said(unix.NLMSG_ERROR, tlvs, verdictOf(22, short)), true, "invalid argument", 0, false},
		{"no verdict", said(unix.NLMSG_ERROR, 0, []byte{1}), true, "read an answer: 1 bytes where a verdict must be", 0, false},
		{"cut short", said(20, 0, make([]byte, 8))[:20], false, "read an answer of 20 bytes: invalid argument", 0, false},
	} {
		var a Answer
		done, err := a.take(tt.datagram, 7)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if done != tt.done || text != tt.err || len(a.Bodies) != tt.bodies || a.Torn != tt.torn {
			t.Errorf("%s: done %v, %q, %+v", tt.name, done, text, a)
		}
	}
}

func TestAttributes(t *testing.T) {
	var nest, b Body
	nest.Text(3, "lo")
	b.Uint32(1, 70_000)
	b.Bytes(2|unix.NLA_F_NESTED, nest)
	b.Bytes(4, nil)
	if len(b)%4 != 0 {
		t.Errorf("%d bytes", len(b))
	}
	var seen []Attribute
	if err := Each(b[:len(b):len(b)], func(a Attribute) { seen = append(seen, a) }); err != nil || len(seen) != 3 {
		t.Fatalf("read %v, %v", seen, err)
	}
	if seen[0].Type != 1 || seen[0].Uint32() != 70_000 || seen[1].Type != 2 || seen[1].Uint32() != 0 || seen[2].Type != 4 || len(seen[2].Value) != 0 {
		t.Errorf("read %v", seen)
	}
	if err := Each(seen[1].Value, func(a Attribute) {
		if a.Type != 3 || a.Text() != "lo" || string(a.Value) != "lo\x00" {
			t.Errorf("read %v", a)
		}
	}); err != nil {
		t.Error(err)
	}
	if err := Each(nest[:7], func(a Attribute) { seen = append(seen, a) }); err != nil || len(seen) != 4 {
		t.Errorf("without padding: %v, %v", seen, err)
	}
	for _, wrong := range [][]byte{{1}, {3, 0, 1, 0}, {9, 0, 1, 0, 0, 0, 0, 0}} {
		if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 && len(wrong) > 1 {
			wrong[0], wrong[1] = wrong[1], wrong[0]
		}
		if err := Each(wrong, func(a Attribute) { t.Errorf("%v is read from %v", a, wrong) }); err == nil {
			t.Errorf("%v is taken", wrong)
		}
	}
}

// FuzzTake: whatever comes is read without harm, and a verdict ends an answer.
func FuzzTake(f *testing.F) {
	var why Body
	why.Text(unix.NLMSGERR_ATTR_MSG, "because")
	f.Add(said(20, 0, why))
	f.Add(said(unix.NLMSG_ERROR, unix.NLM_F_ACK_TLVS, verdictOf(22, request(20, 0, 7, nil), why)))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		var a Answer
		done, err := a.take(datagram, 7)
		var refusal *Refusal
		if errors.As(err, &refusal) && !done {
			t.Error("a refusal does not end the answer")
		}
		for _, b := range a.Bodies {
			_ = Each(b, func(a Attribute) { _, _ = a.Text(), a.Uint32() })
		}
	})
}
