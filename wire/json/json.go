// Package json is JSON (RFC 8259) as far as Ginnel speaks it: what its wire
// types, its records and the output of --json are made of. encoding/json, with
// log/slog that brings it along, takes 440 kB of the 5.5 MB there are on a
// router with a slow flash; this takes a tenth. A fuzzer holds the two against
// each other.
//
// It knows booleans, integers, strings, slices, arrays, structs, pointers to
// them, and whatever is a text to encoding.TextMarshaler; it reads those that
// readText knows. Fields follow their `json` tags, beside which there are no
// others, with the options omitempty and omitzero; those of an embedded struct
// without a tag stand among the outer ones, all names being different.
// There are no maps, interfaces, floating-point numbers or base64.
//
// Where it differs from encoding/json it is stricter: names of fields are
// compared exactly, an array has as many elements as the Go type, and nesting
// ends at [MaxDepth]. Of a field that is there twice the last one counts.
package json

import (
	"encoding"
	"reflect"
	"strings"
	"sync"
)

// MaxDepth is how deep objects and arrays may lie in each other.
const MaxDepth = 100

// Error says what is wrong with a text that was to be JSON of some type, in
// words for whoever wrote it: "it ends in the middle".
type Error struct {
	Offset int    // in bytes, of where reading stopped
	Field  string // that it is about, "self.endpoints.seen"; empty: the whole
	Err    error  // the rest of a sentence about it; never nil
}

// Error returns a sentence about the field, or about "it".
func (e *Error) Error() string {
	if e.Field != "" {
		return "field \"" + e.Field + "\" " + e.Err.Error()
	}
	return "it " + e.Err.Error()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// plan is what reading and writing want to know of a type.
type plan struct {
	text   bool
	fields []field // of a struct that is no text
}

type field struct {
	name                string
	index               []int // for reflect.Value.FieldByIndex
	omitEmpty, omitZero bool
}

// plans holds every type's plan, once it was asked for. They are as few as the
// program's types.
var plans sync.Map

var textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()

func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p := &plan{text: t.Implements(textMarshaler)}
	if t.Kind() == reflect.Struct && !p.text {
		p.fields = fieldsOf(t)
	}
	first, _ := plans.LoadOrStore(t, p)
	return first.(*plan)
}

func fieldsOf(t reflect.Type) (all []field) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := strings.CutPrefix(string(f.Tag), `json:"`)
		tag = strings.TrimSuffix(tag, `"`)
		switch {
		case f.Anonymous && !tagged:
			for _, inner := range fieldsOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				all = append(all, inner)
			}
		case f.IsExported() && tag != "-":
			name, options, _ := strings.Cut(tag, ",")
			if name == "" {
				name = f.Name
			}
			all = append(all, field{
				name: name, index: []int{i},
				omitEmpty: options == "omitempty", omitZero: options == "omitzero",
			})
		}
	}
	return all
}

func (p *plan) field(name string) *field {
	for i := range p.fields {
		if p.fields[i].name == name {
			return &p.fields[i]
		}
	}
	return nil
}
