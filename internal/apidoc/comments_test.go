package apidoc

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"ginnel/wire"
)

// comments are what the source says of types, fields and constants.
type comments struct {
	types  map[string]string   // by "wire.CIDR"
	fields map[string]string   // by "wire.CIDR.Parent"
	values map[string][]string // of a type's constants, by "wire.PeerState"
}

// sources are the packages whose types cross the wire.
var sources = []string{"wire", "daemon/local"}

func readComments() (*comments, error) {
	c := &comments{types: map[string]string{}, fields: map[string]string{}, values: map[string][]string{}}
	for _, pkg := range sources {
		files, err := filepath.Glob(filepath.Join("../..", pkg, "*.go"))
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
			if err != nil {
				return nil, err
			}
			for _, d := range f.Decls {
				if g, ok := d.(*ast.GenDecl); ok {
					c.read(f.Name.Name, g)
				}
			}
		}
	}
	return c, nil
}

func (c *comments) read(pkg string, g *ast.GenDecl) {
	for _, spec := range g.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			name := pkg + "." + s.Name.Name
			c.types[name] = text(g.Doc, s.Doc, s.Comment)
			if st, ok := s.Type.(*ast.StructType); ok {
				for _, f := range st.Fields.List {
					for _, n := range f.Names {
						c.fields[name+"."+n.Name] = text(f.Doc, f.Comment)
					}
				}
			}
		case *ast.ValueSpec:
			c.readValues(pkg, s)
		}
	}
}

// readValues takes the constants of a type with a name that are texts.
func (c *comments) readValues(pkg string, s *ast.ValueSpec) {
	of, ok := s.Type.(*ast.Ident)
	if !ok {
		return
	}
	for _, v := range s.Values {
		if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if value, err := strconv.Unquote(lit.Value); err == nil && value != "" { // an empty one is left out
				c.values[pkg+"."+of.Name] = append(c.values[pkg+"."+of.Name], value)
			}
		}
	}
}

// of returns the name of a type as the source has it.
func of(t reflect.Type) string { return filepath.Base(t.PkgPath()) + "." + t.Name() }

// inWords are the names in comments that mean nothing to those who do not read
// the source.
var inWords = map[string]string{
	"MaxCandidates": fmt.Sprint(wire.MaxCandidates), "MaxAnnounced": fmt.Sprint(wire.MaxAnnounced),
	"MaxInvitingEndpoints": fmt.Sprint(wire.MaxInvitingEndpoints), "MaxPreviewPairs": fmt.Sprint(wire.MaxPreviewPairs),
	"as CheckAnnounced wants it": "host:port, or a port alone", "as CheckEndpoint wants them": "each host:port",
	"ProblemType": wire.ProblemType, "why it Failed": "why it failed",
	"; nil means unchanged": "; what is left out is unchanged",
}

var link = regexp.MustCompile(`\[\*?([A-Za-z.]+)\]`)

// text is what comments say, in one line.
func text(groups ...*ast.CommentGroup) string {
	var all []string
	for _, g := range groups {
		if g != nil {
			all = append(all, strings.Fields(g.Text())...)
		}
	}
	s := link.ReplaceAllString(strings.Join(all, " "), "$1")
	for name, words := range inWords {
		s = strings.ReplaceAll(s, name, words)
	}
	return s
}
