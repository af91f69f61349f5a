package wire

import "fmt"

// The lengths of names in characters, for [CheckLabel]. The rules of names and
// of root CIDRs are also the book's, which knows nothing of the wire; a test of
// daemon/config, which uses both, keeps them the same.
const (
	MaxNetworkName = 15 // a network's, which is its interface's on every machine
	MaxName        = 63 // a peer's or CIDR's
)

// CheckLabel checks a name: 1 to max characters, lower-case letters, digits
// and single inner dashes. The error tells the name and the rule.
func CheckLabel(s string, max int) error {
	if len(s) == 0 || len(s) > max {
		return fmt.Errorf("name %s has %d characters, want 1 to %d", quote(s), len(s), max)
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case c == '-' && i > 0 && i < len(s)-1 && s[i-1] != '-':
		default:
			return fmt.Errorf("name %s may have lower-case letters, digits and single inner dashes only", quote(s))
		}
	}
	return nil
}

// CheckNetworkName checks a network's name: a label of MaxNetworkName
// characters at most that means nothing else to us or to the system. A machine
// gives it to an interface, so a foreign one must not be "all", where settings
// of that name are those of every interface.
func CheckNetworkName(s string) error {
	switch s {
	case "infra":
		return fmt.Errorf("name %s is the coordinator's own CIDR's", quote(s))
	case "lo", "all", "default":
		return fmt.Errorf("name %s is one that the system uses for its interfaces", quote(s))
	}
	return CheckLabel(s, MaxNetworkName)
}

// quote makes a foreign text fit for a message, however long it is.
func quote(s string) string { return fmt.Sprintf("%.80q", s) }
