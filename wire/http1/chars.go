package http1

import "strings"

// isToken tells whether s is a token (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(s[i])) {
			return false
		}
	}
	return s != ""
}

// isValue tells whether s may be a field's value: no control characters but
// tabs, bytes beyond ASCII as they are (RFC 9110, section 5.5).
func isValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// isVisible tells whether s consists of visible ASCII characters only.
func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != ""
}

// isHost tells whether s has only characters that a host with a port may have
// (RFC 3986, section 3.2.2). It may be empty.
func isHost(s string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) && !strings.ContainsRune("-._~%!$&'()*+,;=:[]", rune(s[i])) {
			return false
		}
	}
	return true
}

// isPath tells whether s has only characters that a path may have (RFC 3986,
// section 3.3), and brackets, which are often left as they are.
func isPath(s string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) && !strings.ContainsRune("/-._~%!$&'()*+,;=:@[]", rune(s[i])) {
			return false
		}
	}
	return true
}

// isVersion tells whether s is the version of some HTTP.
func isVersion(s string) bool {
	return len(s) == 8 && s[:5] == "HTTP/" && isDigit(s[5]) && s[6] == '.' && isDigit(s[7])
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlnum(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
