package main

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ginnel/daemon/local"
	"ginnel/wire"
)

// documented are the types of the status, and the sections of docs/status.md
// that tell of their fields.
var documented = map[string]reflect.Type{
	"## The object": reflect.TypeFor[local.Status](),
	"## A network":  reflect.TypeFor[local.Network](),
	"## A peer":     reflect.TypeFor[local.Peer](),
	"## A member":   reflect.TypeFor[wire.Member](),
	"## Endpoints":  reflect.TypeFor[wire.Endpoints](),
}

// TestBehaviour65JSONIsDocumented: docs/status.md has every field of --json, in
// the types' order, says that it is never absent where it is not, and has no
// field that there is not.
func TestBehaviour65JSONIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/status.md")
	must(t, err)
	told := map[string][]string{} // by section
	section := ""
	for _, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(line, " | ")
		switch {
		case strings.HasPrefix(line, "#"):
			section = line
		case documented[section] != nil && strings.HasPrefix(line, "| `") && len(cells) == 4:
			field := strings.Trim(cells[0], "| `")
			if strings.HasPrefix(cells[3], "never") {
				field += " always"
			}
			told[section] = append(told[section], field)
		}
	}
	for section, typ := range documented {
		if want := fieldsOf(t, typ); !slices.Equal(told[section], want) {
			t.Errorf("%s tells of %q, the fields are %q", section, told[section], want)
		}
	}
	for _, r := range []local.Reach{local.ReachDirect, local.ReachLAN, local.ReachConnecting, local.ReachIdle, local.ReachNone, local.ReachWaiting} {
		if word := reachWord(r); word == "" || !strings.Contains(string(text), "`"+string(r)+"`") || !strings.Contains(string(text), "| "+word+" |") {
			t.Errorf("nothing is said of %q (%s)", r, word)
		}
	}
}

// fieldsOf returns the names of a type's JSON fields, and that they are always
// there. Structs of ours in them must be documented themselves.
func fieldsOf(t *testing.T, typ reflect.Type) (names []string) {
	for f := range typ.Fields() {
		inner := f.Type
		for inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		ours := strings.HasPrefix(inner.PkgPath(), "ginnel/daemon/") || strings.HasPrefix(inner.PkgPath(), "ginnel/wire")
		if inner.Kind() == reflect.Struct && ours && !slices.Contains(values(documented), inner) {
			t.Errorf("%s, in %s, is documented nowhere", inner, typ)
		}
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
		case strings.HasPrefix(rest, "omit"):
			names = append(names, name)
		default:
			names = append(names, name+" always")
		}
	}
	return names
}

func values(m map[string]reflect.Type) (list []reflect.Type) {
	for _, v := range m {
		list = append(list, v)
	}
	return list
}
