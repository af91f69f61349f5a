package archtest

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// pure are the packages that do no I/O, read no clock, draw no random numbers
// and start no goroutine, so that the same input always gives the same output.
var pure = []string{"key", "wire", "wire/json", "wire/pace", "wire/stun", "network", "platform", "daemon/core", "daemon/config", "daemon/doctor", "platform/uci", "platform/wireguard/kernel/message"}

// impure are the imports that a pure package has no use for. Those that end in
// "/..." include what is below.
var impure = []string{
	"os/...", "net/...", "syscall/...", "golang.org/x/sys/...", "io/ioutil", "io/fs", "path/filepath", "runtime/...", "unsafe",
	"log/...", "sync/...", "crypto/rand", "math/rand/...", "embed", "plugin",
}

// pureExceptions are the imports allowed all the same.
var pureExceptions = map[string][]string{
	"net/netip": pure, // addresses as values
	// The interfaces of the platform and of the coordinator speak of
	// connections; the diffs, which are what is pure in platform, do not.
	"net": {"platform"},
	// It remembers what it has found out about types.
	"sync": {"wire/json"},
}

// clock are the names of package time that read the clock or wait for it.
var clock = []string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Sleep"}

func checkPure(s *source) []string {
	if s.test() || !slices.Contains(pure, s.pkg()) {
		return nil
	}
	var found []string
	for p, spec := range s.imports() {
		bad := slices.ContainsFunc(impure, func(pattern string) bool { return matches(pattern, p) })
		if bad && !slices.Contains(pureExceptions[p], s.pkg()) {
			found = append(found, s.at(spec, "%s is pure and may not import %s", s.pkg(), p))
		}
	}
	s.uses("time", func(name string, n ast.Node) {
		if slices.Contains(clock, name) {
			found = append(found, s.at(n, "%s is pure: the time is a parameter, not time.%s", s.pkg(), name))
		}
	})
	ast.Inspect(s.file, func(n ast.Node) bool {
		if what := concurrent(n); what != "" {
			found = append(found, s.at(n, "%s is pure and has no %s", s.pkg(), what))
		}
		return true
	})
	return found
}

// concurrent names what is concurrent about a node, if anything is.
func concurrent(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "goroutines"
	case *ast.ChanType, *ast.SendStmt, *ast.SelectStmt:
		return "channels"
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return "channels"
		}
	}
	return ""
}

// checkSleep forbids waiting by the clock for something to have happened, in
// tests most of all.
func checkSleep(s *source) []string {
	var found []string
	s.uses("time", func(name string, n ast.Node) {
		if name == "Sleep" {
			found = append(found, s.at(n, "wait for the condition, with a deadline, not with time.Sleep"))
		}
	})
	return found
}

// checkImportForm forbids cgo, and imports without a name, which would hide
// from the rules above what is used.
func checkImportForm(s *source) []string {
	var found []string
	for p, spec := range s.imports() {
		switch {
		case p == "C":
			found = append(found, s.at(spec, "no cgo: one static binary runs everywhere"))
		case spec.Name != nil && spec.Name.Name == ".":
			found = append(found, s.at(spec, "import %s by name", p))
		}
	}
	return found
}

// nameless are names that say nothing about what a package is for.
var nameless = []string{"util", "utils", "common", "helper", "helpers", "types", "misc", "shared", "lib"}

func checkPackageName(s *source) []string {
	name := strings.TrimSuffix(s.file.Name.Name, "_test")
	if slices.Contains(nameless, name) {
		return []string{s.at(s.file.Name, "a package called %s says nothing: name it after its subject", name)}
	}
	return nil
}
