package platform

import (
	"fmt"
	"strings"
)

// CheckLinkName refuses what cannot name a network interface of Linux: other
// than 1 to 15 bytes, names with a slash, colon, blank or control character,
// "." and "..", and those with a percent sign, which the kernel takes for a
// pattern.
func CheckLinkName(name string) error {
	bad := func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("/:%", r) }
	if len(name) < 1 || len(name) > 15 || name == "." || name == ".." || strings.ContainsFunc(name, bad) {
		return fmt.Errorf("%q cannot name a link: want 1 to 15 bytes without blanks, /, : and %%", name)
	}
	return nil
}
