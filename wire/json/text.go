package json

import (
	"fmt"
	"net/netip"
	"time"

	"ginnel/key"
)

// readText reads a text into what p points to. The types that this is done with
// stand here by name: if it were called by an interface, the UnmarshalText of
// time.Time would bring time.Parse along, 30 kB of the binary.
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
	case *time.Time:
		*p, err = parseTime(text)
		return err
	}
	return fmt.Errorf("a %T is not read", p)
}
