package network_test

import (
	"regexp"
	"testing"

	"ginnel/network"
)

// FuzzCheckName compares the rule with itself, said another way.
func FuzzCheckName(f *testing.F) {
	for _, s := range []string{"", "a", "web-1", "-a", "a-", "a--b", "Web", "é", "a\x00b", "abcdefghijklmnop"} {
		f.Add(s)
	}
	rule := regexp.MustCompile(`\A[a-z0-9]+(-[a-z0-9]+)*\z`)
	taken := regexp.MustCompile(`\A(infra|lo|all|default)\z`)
	f.Fuzz(func(t *testing.T, s string) {
		good := rule.MatchString(s)
		if err := network.CheckName(s); (err == nil) != (good && len(s) <= 63) {
			t.Errorf("name %q: %v", s, err)
		}
		if err := network.CheckNetworkName(s); (err == nil) != (good && len(s) <= 15 && !taken.MatchString(s)) {
			t.Errorf("network's name %q: %v", s, err)
		}
	})
}
