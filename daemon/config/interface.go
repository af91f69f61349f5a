package config

import (
	"fmt"
	"strings"

	"ginnel/platform"
)

// The options about who makes the interface.
const (
	optionMode      = "interface_mode"
	optionInterface = "interface"
)

// What option interface_mode says.
const (
	ownInterface      = "own"
	existingInterface = "existing"
)

// AutoBackend is the value of option backend that leaves the choice to the
// machine: the kernel where it can, else the embedded device.
const AutoBackend = "auto"

// Link is the name of the network's interface on this machine.
func (n *Network) Link() string {
	if n.Interface != "" {
		return n.Interface
	}
	return n.Name
}

// SameLink tells whether two sections of one network use the same interface in
// the same way, so that one may go on with what the other configured.
func (n *Network) SameLink(o *Network) bool {
	return n.Link() == o.Link() && n.Existing == o.Existing && n.Backend == o.Backend
}

func readInterfaceMode(n *Network, s string) error {
	if s != ownInterface && s != existingInterface {
		return fmt.Errorf("%.40q is neither %s nor %s", s, ownInterface, existingInterface)
	}
	n.Existing = s == existingInterface
	return nil
}

func writeInterfaceMode(n *Network) []string {
	if n.Existing {
		return []string{existingInterface}
	}
	return nil
}

func readInterface(n *Network, s string) error {
	if err := platform.CheckLinkName(s); err != nil {
		return err
	}
	n.Interface = s
	return nil
}

func writeInterface(n *Network) []string { return unlessEmpty(n.Interface) }

func readBackend(n *Network, s string) error {
	switch b := platform.Backend(s); b {
	case AutoBackend:
		n.Backend = ""
	case platform.Kernel, platform.Userspace:
		n.Backend = b
	default:
		return fmt.Errorf("%.40q is none of %s, %s and %s", s, AutoBackend, platform.Kernel, platform.Userspace)
	}
	return nil
}

func writeBackend(n *Network) []string { return unlessEmpty(string(n.Backend)) }

func unlessEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// maxSuffix is how long a suffix may be, in bytes: NAME.NETWORK. before it has
// 80 at most, and a name of DNS 253.
const maxSuffix = 253 - 80

func readSuffix(n *Network, s string) error {
	if s == NoSuffix {
		n.Suffix = ""
		return nil
	}
	if len(s) > maxSuffix {
		return fmt.Errorf("is %d characters long: %d at most leave room for the names before it", len(s), maxSuffix)
	}
	for _, label := range strings.Split(s, ".") {
		if !isLabel(label) {
			return fmt.Errorf("%.80q is no end of a name such as wg or vpn.example.org (lower-case letters, digits and inner dashes between dots), nor %q", s, NoSuffix)
		}
	}
	n.Suffix = s
	return nil
}

// isLabel tells whether s is a label of DNS in lower case (RFC 1123).
func isLabel(s string) bool {
	const inner = "abcdefghijklmnopqrstuvwxyz0123456789-"
	return len(s) >= 1 && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-' && strings.Trim(s, inner) == ""
}

func writeSuffix(n *Network) []string {
	switch n.Suffix {
	case DefaultSuffix:
		return nil
	case "":
		return []string{NoSuffix}
	}
	return []string{n.Suffix}
}
