package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// maxHost is the longest DNS name in characters (RFC 1035, section 2.3.4).
const maxHost = 253

// CheckEndpoint checks an endpoint as people write it; see [SplitEndpoint].
func CheckEndpoint(s string) error {
	_, _, err := SplitEndpoint(s)
	return err
}

// CheckReachable checks an endpoint that others are to send to: one as
// [SplitEndpoint] wants it, whose host, if it is an address, is neither
// loopback, link-local, multicast nor unspecified.
func CheckReachable(s string) error {
	host, _, err := SplitEndpoint(s)
	if err != nil {
		return err
	}
	if a, err := netip.ParseAddr(host); err == nil && !a.Unmap().IsGlobalUnicast() {
		return fmt.Errorf("endpoint %s cannot be reached from another network", quote(s))
	}
	return nil
}

// CheckEndpoints checks where a coordinator is found: 1 to
// MaxInvitingEndpoints different endpoints, each as [CheckReachable] wants it.
func CheckEndpoints(list []string) error {
	if len(list) == 0 {
		return errors.New("no endpoint is given, want at least one, host:port")
	}
	return checkAll(list, MaxInvitingEndpoints, CheckReachable)
}

// checkAll checks the endpoints of a list, which are at most so many, each once.
func checkAll(list []string, most int, check func(string) error) error {
	if n := len(list); n > most {
		return fmt.Errorf("%d endpoints, at most %d are taken", n, most)
	}
	for i, s := range list {
		if err := check(s); err != nil {
			return err
		}
		if slices.Contains(list[:i], s) {
			return fmt.Errorf("endpoint %s is there twice", quote(s))
		}
	}
	return nil
}

// CheckAnnounced checks what a peer may announce; see [SplitAnnounced].
func CheckAnnounced(s string) error {
	_, _, err := SplitAnnounced(s)
	return err
}

// SplitAnnounced splits what a peer announces: an endpoint as [SplitEndpoint]
// wants it, or a port alone, written :PORT, 0.0.0.0:PORT or [::]:PORT, for which
// host is empty. Addresses that no other machine can send to are refused.
func SplitAnnounced(s string) (host string, port uint16, err error) {
	if strings.HasPrefix(s, ":") {
		_, port, err = SplitEndpoint("0.0.0.0" + s)
		if err != nil {
			return "", 0, fmt.Errorf("endpoint %s: the port is not a number from 1 to 65535", quote(s))
		}
		return "", port, nil
	}
	if host, port, err = SplitEndpoint(s); err != nil {
		return "", 0, err
	}
	if a, err := netip.ParseAddr(host); err == nil && a.IsUnspecified() {
		return "", port, nil
	}
	if err := CheckReachable(s); err != nil {
		return "", 0, err
	}
	return host, port, nil
}

// SplitEndpoint splits host:port. The host is a DNS name, an IPv4 address or
// an IPv6 address in brackets, which are taken off; zones are refused, since
// they mean nothing on another machine. The port is 1–65535, without leading
// zeros. Nothing is looked up.
func SplitEndpoint(s string) (host string, port uint16, err error) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", 0, fmt.Errorf("endpoint %s has no port, want host:port", quote(s))
	}
	host, digits := s[:i], s[i+1:]
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n == 0 || digits[0] == '0' || digits[0] == '+' {
		return "", 0, fmt.Errorf("endpoint %s: the port is not a number from 1 to 65535", quote(s))
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
		err = checkIPv6(host)
	} else {
		err = checkHost(host)
	}
	if err != nil {
		return "", 0, fmt.Errorf("endpoint %s: %w", quote(s), err)
	}
	return host, uint16(n), nil
}

func checkIPv6(s string) error {
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is6() || a.Zone() != "" {
		return errors.New("between brackets stands an IPv6 address without a zone")
	}
	return nil
}

// checkHost checks an IPv4 address or a DNS name (RFC 1123, section 2.1). One
// dot at its end is allowed: it keeps resolvers from trying their suffixes.
func checkHost(s string) error {
	name := strings.TrimSuffix(s, ".")
	if name == "" || len(name) > maxHost {
		return fmt.Errorf("the host has %d characters, want 1 to %d", len(name), maxHost)
	}
	if strings.Contains(name, ":") {
		return errors.New("an IPv6 address stands in brackets")
	}
	last := name
	for _, label := range strings.Split(name, ".") {
		if !isHostLabel(label) {
			return errors.New("the host is neither a DNS name nor an address")
		}
		last = label
	}
	if strings.Trim(last, "0123456789") != "" {
		return nil
	}
	// No top-level domain is a number: this is meant as an address.
	if a, err := netip.ParseAddr(s); err != nil || !a.Is4() {
		return errors.New("the host is not an IPv4 address of four numbers from 0 to 255")
	}
	return nil
}

// isHostLabel tells whether s may stand between the dots of a DNS name.
func isHostLabel(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-' && i > 0 && i < len(s)-1:
		default:
			return false
		}
	}
	return s != "" && len(s) <= 63
}

// joinEndpoint undoes SplitEndpoint.
func joinEndpoint(host string, port uint16) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(int(port))
}

// CheckUnderlay checks an endpoint that is an address: a port, and a unicast
// address without a zone, IPv4 not mapped into IPv6. It does not refuse
// loopback and link-local ones; [Report.Check] does.
func CheckUnderlay(ap netip.AddrPort) error {
	a := ap.Addr()
	switch {
	case !a.IsValid() || ap.Port() == 0:
		return fmt.Errorf("endpoint %s is not an address with a port", ap)
	case a.IsUnspecified() || a.IsMulticast() || a == broadcast:
		return fmt.Errorf("endpoint %s is not one machine's", ap)
	case a.Is4In6():
		return fmt.Errorf("endpoint %s is IPv4 mapped into IPv6, want %s", ap, a.Unmap())
	case a.Zone() != "":
		return fmt.Errorf("endpoint %s has a zone, which means nothing elsewhere", ap)
	}
	return nil
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// sharedSpace is what providers number customers behind their NATs with (RFC
// 6598): as little public as the private ranges.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// IsPublic tells whether the whole internet can send to a: it is one machine's,
// and in no range that is private (RFC 1918, RFC 4193) or shared (RFC 6598).
func IsPublic(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !sharedSpace.Contains(a)
}
