package message

import "encoding/binary"

// writer appends one message to a buffer that is used again and again.
type writer struct{ b []byte }

// Zero is appended for padding.
var zeros [align]byte

// begin starts a message. Sequence number and port stay zero; see Number.
func (w *writer) begin(typ, flags uint16) {
	w.b = append(w.b[:0], zeros[:4]...) // its length
	w.b = binary.NativeEndian.AppendUint16(w.b, typ)
	w.b = binary.NativeEndian.AppendUint16(w.b, flags)
	w.b = append(w.b, make([]byte, headerSize-8)...)
}

// beginGeneric starts a message of generic netlink.
func (w *writer) beginGeneric(family, flags uint16, cmd, version uint8) {
	w.begin(family, flags)
	w.b = append(w.b, cmd, version, 0, 0)
}

// end completes the message, which is valid until the next one begins.
func (w *writer) end() []byte {
	binary.NativeEndian.PutUint32(w.b, uint32(len(w.b)))
	return w.b
}

// open begins an attribute and returns where it is, for close.
func (w *writer) open(typ uint16) (at int) {
	at = len(w.b)
	w.b = append(w.b, 0, 0)
	w.b = binary.NativeEndian.AppendUint16(w.b, typ)
	return at
}

func (w *writer) close(at int) {
	binary.NativeEndian.PutUint16(w.b[at:], uint16(len(w.b)-at))
	w.b = append(w.b, zeros[:-len(w.b)&(align-1)]...)
}

func (w *writer) uint8(typ uint16, n uint8) {
	at := w.open(typ)
	w.b = append(w.b, n)
	w.close(at)
}

func (w *writer) uint16(typ, n uint16) {
	at := w.open(typ)
	w.b = binary.NativeEndian.AppendUint16(w.b, n)
	w.close(at)
}

func (w *writer) uint32(typ uint16, n uint32) {
	at := w.open(typ)
	w.b = binary.NativeEndian.AppendUint32(w.b, n)
	w.close(at)
}

func (w *writer) bytes(typ uint16, b []byte) {
	at := w.open(typ)
	w.b = append(w.b, b...)
	w.close(at)
}

// text appends a string as C keeps them.
func (w *writer) text(typ uint16, s string) {
	at := w.open(typ)
	w.b = append(w.b, s...)
	w.b = append(w.b, 0)
	w.close(at)
}

// Number puts a sequence number into a message, by which Answer knows what
// belongs to it.
func Number(m []byte, sequence uint32) { binary.NativeEndian.PutUint32(m[8:], sequence) }
