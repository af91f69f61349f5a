package wire

import "fmt"

// The lengths of names in characters, for [CheckLabel].
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

// quote makes a foreign text fit for a message, however long it is.
func quote(s string) string { return fmt.Sprintf("%.80q", s) }
