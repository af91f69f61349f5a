package archtest

import (
	"bytes"
	"go/ast"
	"go/format"
	"slices"
	"testing"
)

// The sizes that need a reason when they are exceeded.
const (
	maxFileLines     = 400
	maxFunctionLines = 60
	maxMethods       = 4
)

// exceptions are the files and functions that may be larger, each with the
// reason. The names are those the rules report.
var exceptions = map[string]string{}

// checkInterfaces counts an embedded interface as one method.
func checkInterfaces(s *source) []string {
	var found []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		i, ok := n.(*ast.InterfaceType)
		if !ok {
			return true
		}
		methods := 0
		for _, m := range i.Methods.List {
			methods += max(len(m.Names), 1)
		}
		if methods > maxMethods {
			found = append(found, s.at(i, "an interface of %d methods, at most %d: split it by who uses it", methods, maxMethods))
		}
		return true
	})
	return found
}

func checkFileSize(s *source) []string {
	lines := bytes.Count(s.text, []byte("\n"))
	if lines <= maxFileLines || exceptions[s.path] != "" {
		return nil
	}
	return []string{s.at(s.file, "%d lines, at most %d: split it by subject", lines, maxFileLines)}
}

// checkFunctions counts the lines of bodies. Composite literals count as one
// line: a table is data, and does not get better in pieces.
func checkFunctions(s *source) []string {
	var found []string
	for _, d := range s.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		lines := s.lines(f.Body) - s.tables(f.Body)
		if lines > maxFunctionLines && exceptions[s.path+" "+f.Name.Name] == "" {
			found = append(found, s.at(f, "%s has %d lines, at most %d", f.Name.Name, lines, maxFunctionLines))
		}
	}
	return found
}

// lines is the number of line ends within a node.
func (s *source) lines(n ast.Node) int {
	return s.set.Position(n.End()).Line - s.set.Position(n.Pos()).Line
}

// tables is the number of line ends within the outermost composite literals.
func (s *source) tables(n ast.Node) int {
	lines := 0
	ast.Inspect(n, func(n ast.Node) bool {
		if c, ok := n.(*ast.CompositeLit); ok {
			lines += s.lines(c)
			return false
		}
		return true
	})
	return lines
}

// checkDoc wants a comment for every exported name. One for a group of
// constants, variables or types is enough for its members, where they are
// alike. Methods that only make a type fit a sealed interface have no name to
// export.
func checkDoc(s *source) []string {
	if s.test() || s.file.Name.Name == "main" {
		return nil
	}
	var found []string
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || ast.IsExported(receiver(d.Recv))) {
				found = append(found, s.at(d, "%s has no comment", d.Name.Name))
			}
		case *ast.GenDecl:
			found = append(found, s.undocumented(d)...)
		}
	}
	return found
}

// receiver is the name of the type a method belongs to.
func receiver(r *ast.FieldList) string {
	t := r.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

func (s *source) undocumented(d *ast.GenDecl) []string {
	var found []string
	for _, spec := range d.Specs {
		var names []*ast.Ident
		documented := d.Doc != nil
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			names = []*ast.Ident{spec.Name}
			documented = documented || spec.Doc != nil || spec.Comment != nil
		case *ast.ValueSpec:
			names = spec.Names
			documented = documented || spec.Doc != nil || spec.Comment != nil
		}
		for _, name := range names {
			if name.IsExported() && !documented {
				found = append(found, s.at(name, "%s has no comment", name.Name))
			}
		}
	}
	return found
}

func checkFormat(s *source) []string {
	if want, err := format.Source(s.text); err == nil && !bytes.Equal(want, s.text) {
		return []string{s.at(s.file, "not formatted: run gofmt")}
	}
	return nil
}

// TestPackageComments: each package says what it is, once.
func TestPackageComments(t *testing.T) {
	comments, packages := map[string]int{}, map[string]bool{}
	for _, s := range module(t) {
		if s.test() {
			continue
		}
		packages[s.pkg()] = true
		if s.file.Doc != nil {
			comments[s.pkg()]++
		}
	}
	for p := range packages {
		if n := comments[p]; n != 1 {
			t.Errorf("package %s has %d package comments, want one", p, n)
		}
	}
}

// TestExceptionsAreNeeded: an exception must not outlive its reason.
func TestExceptionsAreNeeded(t *testing.T) {
	var needed []string
	for _, s := range module(t) {
		if bytes.Count(s.text, []byte("\n")) > maxFileLines {
			needed = append(needed, s.path)
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil && s.lines(f.Body)-s.tables(f.Body) > maxFunctionLines {
				needed = append(needed, s.path+" "+f.Name.Name)
			}
		}
	}
	for name, reason := range exceptions {
		if !slices.Contains(needed, name) || reason == "" {
			t.Errorf("exception %s is not needed, or has no reason", name)
		}
	}
}
