package json

import (
	"net/netip"
	"reflect"
	"time"

	"ginnel/key"
)

// The types whose JSON is a text stand here by name: called by an interface,
// time.Time's UnmarshalText would bring time.Parse, 30 kB of the binary.

func isText(t reflect.Type) bool {
	switch reflect.Zero(t).Interface().(type) {
	case key.PublicKey, netip.Addr, netip.AddrPort, netip.Prefix, time.Time:
		return true
	}
	return false
}

func textOf(v any) ([]byte, error) {
	switch v := v.(type) {
	case key.PublicKey:
		return v.MarshalText()
	case netip.Addr:
		return v.MarshalText()
	case netip.AddrPort:
		return v.MarshalText()
	case netip.Prefix:
		return v.MarshalText()
	}
	return v.(time.Time).MarshalText()
}

// readText reads a text into what p points to.
func readText(p any, text string) (err error) {
	switch p := p.(type) {
	case *key.PublicKey:
		return p.UnmarshalText([]byte(text))
	case *netip.Addr:
		return p.UnmarshalText([]byte(text))
	case *netip.AddrPort:
		return p.UnmarshalText([]byte(text))
	case *netip.Prefix:
		return p.UnmarshalText([]byte(text))
	}
	at := p.(*time.Time)
	*at, err = parseTime(text)
	return err
}
