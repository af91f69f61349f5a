package json

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decoder reads a JSON text from the front. Its methods leave pos behind what
// they read.
type decoder struct {
	data   []byte
	pos    int
	strict bool     // unknown fields are refused
	depth  int      // of objects and arrays around pos
	path   []string // names of the fields around pos
}

var errShort = errors.New("ends in the middle")

func (d *decoder) errorf(format string, args ...any) error {
	return &Error{Offset: d.pos, Field: strings.Join(d.path, "."), Err: fmt.Errorf(format, args...)}
}

// unexpected is the error for what stands at pos.
func (d *decoder) unexpected() error {
	if d.pos >= len(d.data) {
		return &Error{Offset: d.pos, Err: errShort}
	}
	r, _ := utf8.DecodeRune(d.data[d.pos:])
	return &Error{Offset: d.pos, Err: fmt.Errorf("has the invalid character %q at byte %d", r, d.pos)}
}

// next skips white space and returns the byte at pos; 0: the text ends. (A
// byte 0 of the text is returned as 1, which is as invalid.)
func (d *decoder) next() byte {
	for ; d.pos < len(d.data); d.pos++ {
		switch c := d.data[d.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return max(c, 1)
		}
	}
	return 0
}

// expect reads c, after white space.
func (d *decoder) expect(c byte) error {
	if d.next() != c {
		return d.unexpected()
	}
	d.pos++
	return nil
}

func (d *decoder) literal(s string) error {
	for i := range len(s) {
		if d.pos >= len(d.data) || d.data[d.pos] != s[i] {
			return d.unexpected()
		}
		d.pos++
	}
	return nil
}

// object reads an object. field is called behind each name and its colon, and
// reads the value.
func (d *decoder) object(field func(name string) error) error {
	return d.list('{', '}', func(int) error {
		if d.next() != '"' {
			return d.unexpected()
		}
		name, err := d.string()
		if err != nil {
			return err
		}
		if err := d.expect(':'); err != nil {
			return err
		}
		return field(name)
	})
}

// array reads an array. element is called with each one's index and reads it.
func (d *decoder) array(element func(i int) error) error { return d.list('[', ']', element) }

func (d *decoder) list(open, end byte, item func(i int) error) error {
	if err := d.expect(open); err != nil {
		return err
	}
	if d.depth++; d.depth > MaxDepth {
		return d.errorf("is nested deeper than %d", MaxDepth)
	}
	if d.next() != end {
		for i := 0; ; i++ {
			if err := item(i); err != nil {
				return err
			}
			if d.next() != ',' {
				break
			}
			d.pos++
		}
	}
	d.depth--
	return d.expect(end)
}

// skip reads a value that nobody wants.
func (d *decoder) skip() error {
	switch c := d.next(); {
	case c == '{':
		return d.object(func(string) error { return d.skip() })
	case c == '[':
		return d.array(func(int) error { return d.skip() })
	case c == '"':
		_, err := d.string()
		return err
	case c == 't':
		return d.literal("true")
	case c == 'f':
		return d.literal("false")
	case c == 'n':
		return d.literal("null")
	case isNumber(c):
		_, err := d.number()
		return err
	}
	return d.unexpected()
}

// isNumber tells whether a number may begin with c.
func isNumber(c byte) bool { return c == '-' || isDigit(c) }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// number reads a number (RFC 8259, section 6) and returns its text.
func (d *decoder) number() (string, error) {
	start := d.pos
	d.accept("-")
	if !d.accept("0") && !d.digits() {
		return "", d.unexpected()
	}
	if d.accept(".") && !d.digits() {
		return "", d.unexpected()
	}
	if d.accept("eE") {
		d.accept("+-")
		if !d.digits() {
			return "", d.unexpected()
		}
	}
	return string(d.data[start:d.pos]), nil
}

// accept reads one byte if it is in set.
func (d *decoder) accept(set string) bool {
	ok := d.pos < len(d.data) && strings.IndexByte(set, d.data[d.pos]) >= 0
	if ok {
		d.pos++
	}
	return ok
}

// digits reads all there are and tells whether there was one.
func (d *decoder) digits() bool {
	start := d.pos
	for d.pos < len(d.data) && isDigit(d.data[d.pos]) {
		d.pos++
	}
	return d.pos > start
}

// string reads a string (RFC 8259, section 7). What is not UTF-8, and half a
// surrogate pair, becomes U+FFFD.
func (d *decoder) string() (string, error) {
	d.pos++ // the quotation mark
	var s []byte
	for d.pos < len(d.data) {
		switch c := d.data[d.pos]; {
		case c == '"':
			d.pos++
			return string(s), nil
		case c < ' ':
			return "", d.unexpected()
		case c == '\\':
			r, err := d.escape()
			if err != nil {
				return "", err
			}
			s = utf8.AppendRune(s, r)
		case c < utf8.RuneSelf:
			s = append(s, c)
			d.pos++
		default:
			r, size := utf8.DecodeRune(d.data[d.pos:])
			s = utf8.AppendRune(s, r)
			d.pos += size
		}
	}
	return "", d.unexpected()
}

// escape reads what a backslash begins.
func (d *decoder) escape() (rune, error) {
	d.pos++
	if d.pos >= len(d.data) {
		return 0, d.unexpected()
	}
	if d.data[d.pos] == 'u' {
		return d.unicode()
	}
	const from, to = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	i := strings.IndexByte(from, d.data[d.pos])
	if i < 0 {
		return 0, d.unexpected()
	}
	d.pos++
	return rune(to[i]), nil
}

// unicode reads "uXXXX", and with it the other half of a surrogate pair.
func (d *decoder) unicode() (rune, error) {
	r, ok := d.hex(d.pos)
	if !ok {
		return 0, d.unexpected()
	}
	d.pos += len("uXXXX")
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if d.pos < len(d.data) && d.data[d.pos] == '\\' {
		if low, ok := d.hex(d.pos + 1); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				d.pos += len(`\uXXXX`)
				return pair, nil
			}
		}
	}
	return utf8.RuneError, nil
}

// hex returns the number in "uXXXX" at pos at, without reading it.
func (d *decoder) hex(at int) (rune, bool) {
	if at+len("uXXXX") > len(d.data) || d.data[at] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(d.data[at+1:at+len("uXXXX")]), 16, 16)
	return rune(n), err == nil
}
