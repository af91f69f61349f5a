package apidoc

import (
	"encoding"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"ginnel/key"
)

// schema is a JSON Schema, as far as it is used here.
type schema map[string]any

// schemas makes schemas of Go types. Those of answers stand among the
// components, by name.
type schemas struct {
	*comments
	components map[string]any
}

// texts are the types that are texts in JSON.
var texts = map[reflect.Type]schema{
	reflect.TypeFor[netip.Addr]():     {"type": "string", "description": "an IP address", "minLength": 2},
	reflect.TypeFor[netip.Prefix]():   {"type": "string", "description": "a range of addresses, such as 10.42.0.0/16", "pattern": "^[0-9a-f.:]+/[0-9]{1,3}$"},
	reflect.TypeFor[netip.AddrPort](): {"type": "string", "description": "an address with a port, that of IPv6 in brackets", "pattern": "^(\\[[0-9a-f.:]+\\]|[0-9.]+):[0-9]{1,5}$"},
	reflect.TypeFor[key.PublicKey]():  {"type": "string", "description": "a WireGuard public key", "pattern": "^[A-Za-z0-9+/]{43}=$"},
	reflect.TypeFor[time.Time]():      {"type": "string", "format": "date-time"},
}

var isText = reflect.TypeFor[encoding.TextMarshaler]()

// of returns the schema of a type. In an answer structs are components, in a
// request they stand where they are: there unknown fields are refused, and
// which ones are required is not the type's to say.
func (s *schemas) of(t reflect.Type, request bool) schema {
	if text, ok := texts[t]; ok {
		return clone(text)
	}
	if t.Implements(isText) {
		panic(fmt.Sprintf("%s is a text in JSON: add it to texts in schema_test.go", t))
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem(), request)
	case reflect.String:
		if values := s.values[of(t)]; t.PkgPath() != "" && len(values) > 0 {
			return schema{"type": "string", "enum": values, "description": s.types[of(t)]}
		}
		return schema{"type": "string"}
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return schema{"type": "integer", "format": "int64"}
	case reflect.Uint16:
		return schema{"type": "integer", "minimum": 0, "maximum": 65535}
	case reflect.Uint64:
		return schema{"type": "integer", "minimum": 0, "format": "uint64"}
	case reflect.Slice:
		return schema{"type": "array", "items": s.of(t.Elem(), request)}
	case reflect.Array:
		return s.described(t, schema{"type": "array", "items": s.of(t.Elem(), request), "minItems": t.Len(), "maxItems": t.Len()})
	case reflect.Struct:
		if request {
			return s.object(t, true)
		}
		return s.component(t)
	}
	panic(fmt.Sprintf("%s is of no kind that JSON has here", t))
}

func (s *schemas) described(t reflect.Type, of schema) schema {
	if text := s.types[nameOf(t)]; text != "" {
		of["description"] = text
	}
	return of
}

func nameOf(t reflect.Type) string { return of(t) }

// component returns a reference to an answer's struct.
func (s *schemas) component(t reflect.Type) schema {
	name := t.Name()
	if strings.HasSuffix(t.PkgPath(), "/local") {
		name = "Daemon" + name // Peer and Network mean something else there
	}
	if s.components[name] == nil {
		s.components[name] = true // in a circle it is known
		s.components[name] = s.object(t, false)
	}
	return schema{"$ref": "#/components/schemas/" + name}
}

// object is the schema of a struct.
func (s *schemas) object(t reflect.Type, request bool) schema {
	properties, required := map[string]any{}, []string{}
	s.addFields(t, request, properties, &required)
	o := s.described(t, schema{"type": "object", "properties": properties})
	if len(required) > 0 && !request {
		slices.Sort(required)
		o["required"] = required
	}
	if request {
		o["additionalProperties"] = false
	}
	return o
}

func (s *schemas) addFields(t reflect.Type, request bool, properties map[string]any, required *[]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && tag == "":
			s.addFields(f.Type, request, properties, required)
			continue
		case tag == "" || tag == "-":
			panic(fmt.Sprintf("%s.%s has no name in JSON", t, f.Name))
		}
		p := s.of(f.Type, request)
		if text := s.fields[of(t)+"."+f.Name]; text != "" {
			p["description"] = text
		}
		properties[tag] = p
		if options == "" {
			*required = append(*required, tag)
		}
	}
}

func clone(of schema) schema {
	c := schema{}
	for name, v := range of {
		c[name] = v
	}
	return c
}
