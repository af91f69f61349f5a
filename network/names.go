package network

// The lengths of names, in characters. A network's name is also that of its
// interface, for which Linux has room for 15.
const (
	maxNetworkName = 15
	maxName        = 63
)

// CheckNetworkName returns nil or an Invalid [*Refusal] of a network's name:
// 1–15 lower-case letters, digits and single inner dashes, and neither
// [InfraName] nor a name that Linux has taken for interfaces or their settings.
func CheckNetworkName(s string) error {
	switch s {
	case InfraName:
		return refuse(Invalid, "a network cannot be called %q: that is the coordinator's own CIDR", s)
	case "lo", "all", "default":
		return refuse(Invalid, "a network cannot be called %q: the system uses that name for its interfaces", s)
	}
	return checkName(s, maxNetworkName)
}

// CheckName returns nil or an Invalid [*Refusal] of a peer's or a CIDR's name:
// 1–63 lower-case letters, digits and single inner dashes.
func CheckName(s string) error { return checkName(s, maxName) }

func checkName(s string, most int) error {
	switch {
	case s == "":
		return refuse(Invalid, "a name is missing")
	case len(s) > most:
		return refuse(Invalid, "a name of %d characters is too long: at most %d are allowed", len(s), most)
	case !wellFormed(s):
		return refuse(Invalid, "name %q is not allowed: use lower-case letters, digits and single dashes between them", s)
	}
	return nil
}

func wellFormed(s string) bool {
	dash := true // as if one stood before the first character
	for _, c := range []byte(s) {
		switch {
		case c == '-' && dash:
			return false
		case c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9'):
			return false
		}
		dash = c == '-'
	}
	return !dash
}
