package behaviours

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the page again")

// The module's root, from here, and the page in it.
const (
	root = "../.."
	page = root + "/docs/behaviours.md"
)

// TestPage: the page is what the tests are called.
func TestPage(t *testing.T) {
	found, err := tests(root)
	if err != nil {
		t.Fatal(err)
	}
	want := write(found)
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != want {
		t.Errorf("docs/behaviours.md is not up to date (%v): go test ./internal/behaviours -update", err)
	}
}

// TestEveryBehaviourIsShown: each number that is needed has a line and a test,
// and no test has a number without a line.
func TestEveryBehaviourIsShown(t *testing.T) {
	found, err := tests(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range needed {
		for n := r[0]; n <= r[1]; n++ {
			if list[n].text == "" {
				t.Errorf("behaviour %d has no line in the list", n)
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(list)) {
		if len(found[n]) == 0 {
			t.Errorf("no test shows behaviour %d: one is called TestBehaviour%02d and a few words", n, n)
		}
	}
	for n, by := range found {
		if list[n].text == "" {
			t.Errorf("%v: behaviour %d has no line in the list", by, n)
		}
	}
}

// shown is the tests that show each number: by package, names in their order.
type shown map[int]map[string][]string

// tests reads the names of all tests below dir.
func tests(dir string) (shown, error) {
	found := shown{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != dir && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		pkg, err := filepath.Rel(dir, filepath.Dir(path))
		if err != nil {
			return err
		}
		return found.add(pkg, f)
	})
	return found, err
}

func (s shown) add(pkg string, f *ast.File) error {
	for _, d := range f.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil {
			continue
		}
		numbers, err := numbersOf(f.Name.Name)
		if err != nil {
			return fmt.Errorf("%s: %w", pkg, err)
		}
		for _, n := range numbers {
			if s[n] == nil {
				s[n] = map[string][]string{}
			}
			s[n][pkg] = append(s[n][pkg], f.Name.Name)
		}
	}
	return nil
}

// prefix is what the name of a test that shows a behaviour begins with, and
// numbered its numbers: each is one, or a range.
const prefix = "TestBehaviour"

var numbered = regexp.MustCompile(`^\d+(To\d+)?(And\d+(To\d+)?)*`)

// numbersOf reads the behaviours that a test of this name shows: none where it
// names none.
func numbersOf(name string) (numbers []int, err error) {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return nil, nil
	}
	text := numbered.FindString(rest)
	if text == "" || len(text) == len(rest) {
		return nil, fmt.Errorf("%s: a number and then words are to follow %s", name, prefix)
	}
	for part := range strings.SplitSeq(text, "And") {
		from, to, isRange := strings.Cut(part, "To")
		first, err := strconv.Atoi(from)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		last := first
		if isRange {
			if last, err = strconv.Atoi(to); err != nil || last <= first {
				return nil, fmt.Errorf("%s: %s is no range", name, part)
			}
		}
		for n := first; n <= last; n++ {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}

// TestNumbersOf: what a test's name says, and names that say nothing clear.
func TestNumbersOf(t *testing.T) {
	for name, want := range map[string][]int{
		"TestBehaviour42DisabledPeer":            {42},
		"TestBehaviour09Credentials":             {9},
		"TestBehaviour24And28AssociationDecides": {24, 28},
		"TestBehaviour14To16And20Ranges":         {14, 15, 16, 20},
		"TestBehaviour113AndrewIsNoNumber":       {113},
		"TestJoinIsFast":                         nil,
		"BenchmarkBehaviour3":                    nil,
	} {
		if got, err := numbersOf(name); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s shows %v (%v), want %v", name, got, err, want)
		}
	}
	for _, name := range []string{"TestBehaviourNames", "TestBehaviour42", "TestBehaviour5To3Backwards"} {
		if got, err := numbersOf(name); err == nil {
			t.Errorf("%s shows %v, and should be refused", name, got)
		}
	}
}

const head = `# What Ginnel does, and the tests that show it

Written by ` + "`go test ./internal/behaviours -update`" + ` from the tests' names, and checked with them. A test's name has the numbers of the
behaviours that it shows. Those in ` + "`netlab/scenarios`" + ` run the real binary on small internets, in IPv4 and in IPv6.

| | Behaviour | Tests |
|-:|---|---|
`

// write makes the page.
func write(found shown) string {
	var b strings.Builder
	b.WriteString(head)
	for _, n := range slices.Sorted(maps.Keys(list)) {
		text := list[n].text + "."
		if o := list[n].otherwise; o != "" {
			text += " *Otherwise than one might expect: " + o + ".*"
		}
		var by []string
		for _, pkg := range slices.Sorted(maps.Keys(found[n])) {
			by = append(by, pkg+": `"+strings.Join(found[n][pkg], "`, `")+"`")
		}
		fmt.Fprintf(&b, "| %d | %s | %s |\n", n, text, strings.Join(by, "<br>"))
	}
	return b.String()
}
