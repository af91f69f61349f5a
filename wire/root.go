package wire

import (
	"errors"
	"fmt"
	"net/netip"
)

// unusable are the ranges that no network may overlap: who routes them into a
// tunnel cuts a machine off from itself or from its links.
var unusable = []struct {
	prefix netip.Prefix
	what   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "the unspecified address and this host"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("255.255.255.255/32"), "broadcast"},
	{netip.MustParsePrefix("::/127"), "the unspecified address and loopback"},
	{netip.MustParsePrefix("::ffff:0.0.0.0/96"), "IPv4 mapped into IPv6"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
}

// CheckRoot checks a network's root CIDR: a masked range of two addresses at
// least, of which none means something else everywhere. So it is never a
// default route, which would take all of a machine's traffic.
func CheckRoot(p netip.Prefix) error {
	switch {
	case !p.IsValid():
		return errors.New("the root CIDR is missing")
	case p != p.Masked():
		return fmt.Errorf("root CIDR %s has host bits set, want %s", p, p.Masked())
	}
	for _, u := range unusable {
		if u.prefix.Overlaps(p) {
			return fmt.Errorf("root CIDR %s overlaps %s (%s)", p, u.prefix, u.what)
		}
	}
	if p.IsSingleIP() {
		return fmt.Errorf("root CIDR %s has room for the coordinator only, want /%d or larger", p, p.Bits()-1)
	}
	return nil
}
