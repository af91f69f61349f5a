package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// root is the module's directory, seen from this package.
const root = "../.."

// source is one Go file, whatever system it is for.
type source struct {
	path string // from the module's root, with slashes
	text []byte
	set  *token.FileSet
	file *ast.File
}

// pkg is the package's directory, from the module's root.
func (s *source) pkg() string { return path.Dir(s.path) }

// test tells whether the file is compiled for tests only.
func (s *source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

// at makes a violation at a place in the file.
func (s *source) at(n ast.Node, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", s.path, s.set.Position(n.Pos()).Line, fmt.Sprintf(format, args...))
}

// imports are the paths the file imports.
func (s *source) imports() map[string]*ast.ImportSpec {
	all := map[string]*ast.ImportSpec{}
	for _, i := range s.file.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil {
			all[p] = i
		}
	}
	return all
}

// uses calls f with every use of a name of the package imported from p, by
// whatever name.
func (s *source) uses(p string, f func(name string, n ast.Node)) {
	spec := s.imports()[p]
	if spec == nil {
		return
	}
	local := path.Base(p)
	if spec.Name != nil {
		local = spec.Name.Name
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == local {
				f(sel.Sel.Name, sel)
			}
		}
		return true
	})
}

// parse makes a source of a text.
func parse(path string, text []byte) (*source, error) {
	s := &source{path: path, text: text, set: token.NewFileSet()}
	var err error
	s.file, err = parser.ParseFile(s.set, path, text, parser.ParseComments|parser.SkipObjectResolution)
	return s, err
}

// module reads every Go file of the module, nested modules and testdata aside.
func module(t *testing.T) []*source {
	t.Helper()
	var all []*source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipped(p, d.Name()):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(p) != ".go":
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		s, err := parse(filepath.ToSlash(rel), text)
		if err != nil {
			t.Errorf("not Go: %v", err)
			return nil
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// skipped tells whether a directory has no part in the module.
func skipped(p, name string) bool {
	if p == root {
		return false
	}
	_, err := os.Stat(filepath.Join(p, "go.mod"))
	return err == nil || name == "testdata" || name == "vendor" || name == "bin" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// rule finds what breaks it in one file.
type rule struct {
	name  string
	check func(*source) []string
}

var rules = []rule{
	{"layers", checkLayers},
	{"foreign modules", checkForeign},
	{"purity", checkPure},
	{"sleep", checkSleep},
	{"form of imports", checkImportForm},
	{"package names", checkPackageName},
	{"interfaces", checkInterfaces},
	{"file sizes", checkFileSize},
	{"function sizes", checkFunctions},
	{"doc comments", checkDoc},
	{"gofmt", checkFormat},
}

// TestModule holds every rule against every file.
func TestModule(t *testing.T) {
	sources := module(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, s := range sources {
				for _, v := range r.check(s) {
					t.Error(v)
				}
			}
		})
	}
}

// TestRules shows that each rule fails where it should, and only there.
func TestRules(t *testing.T) {
	for _, c := range demonstrations {
		s, err := parse(c.path, []byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := c.check(s)
		if c.want == "" && len(got) > 0 {
			t.Errorf("%s: %q, want nothing", c.name, got)
		}
		if c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%s: %q, want one with %q", c.name, got, c.want)
		}
	}
}
