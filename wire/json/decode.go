package json

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
)

// Unmarshal reads exactly one value from b into what v points to. Fields it
// does not know are ignored: a newer program may say more than an older one
// knows. Null leaves anything but a pointer or a slice as it is. Errors are of
// type *[Error]; v may then be changed in part.
func Unmarshal(b []byte, v any) error { return unmarshal(&decoder{data: b}, v) }

// UnmarshalStrict is Unmarshal that refuses fields it does not know.
func UnmarshalStrict(b []byte, v any) error { return unmarshal(&decoder{data: b, strict: true}, v) }

// Names returns the names of the fields of the object in b.
func Names(b []byte) (names []string, err error) {
	d := &decoder{data: b}
	if d.next() != '{' {
		return nil, d.errorf("is no JSON object")
	}
	err = d.object(func(name string) error {
		names = append(names, name)
		return d.skip()
	})
	return names, d.end(err)
}

func unmarshal(d *decoder, v any) error {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return d.errorf("cannot be read into a %T, which is no pointer", v)
	}
	return d.end(d.value(p.Elem()))
}

// end refuses what follows the value.
func (d *decoder) end(err error) error {
	if err == nil && d.next() != 0 {
		err = d.errorf("goes on after its JSON value at byte %d", d.pos)
	}
	return err
}

func (d *decoder) value(v reflect.Value) error {
	c := d.next()
	if c == 'n' {
		if v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice {
			v.SetZero()
		}
		return d.literal("null")
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		return d.value(v.Elem())
	}
	p := planOf(v.Type())
	switch kind := v.Kind(); {
	case c == '"' && p.text:
		return d.text(v)
	case p.text:
		return d.misfit(c)
	case c == '{' && kind == reflect.Struct:
		return d.object(func(name string) error { return d.field(v, p, name) })
	case c == '[' && kind == reflect.Slice:
		return d.slice(v)
	case c == '[' && kind == reflect.Array:
		return d.tuple(v)
	case c == '"' && kind == reflect.String:
		s, err := d.string()
		v.SetString(s)
		return err
	case (c == 't' || c == 'f') && kind == reflect.Bool:
		v.SetBool(c == 't')
		return d.literal(strconv.FormatBool(c == 't'))
	case isNumber(c) && v.CanInt():
		return d.int(v)
	case isNumber(c) && v.CanUint():
		return d.uint(v)
	}
	return d.misfit(c)
}

func (d *decoder) text(v reflect.Value) error {
	s, err := d.string()
	if err != nil {
		return err
	}
	if err := readText(v.Addr().Interface(), s); err != nil {
		return d.errorf("is wrong: %w", err)
	}
	return nil
}

func (d *decoder) field(v reflect.Value, p *plan, name string) error {
	f := p.field(name)
	switch {
	case f == nil && d.strict:
		return d.errorf("has the unknown field %q", name)
	case f == nil:
		return d.skip()
	}
	d.path = append(d.path, name)
	if err := d.value(v.FieldByIndex(f.index)); err != nil {
		return err
	}
	d.path = d.path[:len(d.path)-1]
	return nil
}

func (d *decoder) slice(v reflect.Value) error {
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	return d.array(func(i int) error {
		v.Grow(1)
		v.SetLen(i + 1)
		return d.value(v.Index(i))
	})
}

// tuple reads an array of a length that the Go type says.
func (d *decoder) tuple(v reflect.Value) error {
	n := 0
	err := d.array(func(i int) error {
		if i == v.Len() {
			return d.errorf("has more than %d elements", i)
		}
		n++
		return d.value(v.Index(i))
	})
	if err == nil && n < v.Len() {
		err = d.errorf("has %d elements, want %d", n, v.Len())
	}
	return err
}

func (d *decoder) int(v reflect.Value) error {
	s, err := d.number()
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(s, 10, v.Type().Bits())
	if err != nil {
		return d.unfitNumber(s, err)
	}
	v.SetInt(n)
	return nil
}

func (d *decoder) uint(v reflect.Value) error {
	s, err := d.number()
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(s, 10, v.Type().Bits())
	if err != nil {
		return d.unfitNumber(s, err)
	}
	v.SetUint(n)
	return nil
}

func (d *decoder) unfitNumber(s string, err error) error {
	if errors.Is(err, strconv.ErrRange) || strings.HasPrefix(s, "-") {
		return d.errorf("cannot hold %s: it is out of range", s)
	}
	return d.errorf("cannot hold %s: it is no integer", s)
}

// misfit is the error for a value that begins with c where the Go type wants
// another kind, or none at all.
func (d *decoder) misfit(c byte) error {
	kind := ""
	switch {
	case c == '{':
		kind = "object"
	case c == '[':
		kind = "array"
	case c == '"':
		kind = "string"
	case c == 't' || c == 'f':
		kind = "boolean"
	case isNumber(c):
		kind = "number"
	default:
		return d.unexpected()
	}
	if len(d.path) == 0 {
		return d.errorf("cannot be a JSON %s", kind)
	}
	return d.errorf("cannot hold a JSON %s", kind)
}
