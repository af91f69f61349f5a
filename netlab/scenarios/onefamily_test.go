package scenarios_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"strings"
	"testing"
)

// oneFamily says of each scenario that does not run in both why it cannot.
var oneFamily = map[string]string{
	"TestBehaviour03IPv6Alone":              "it is about there being one",
	"TestBehaviour03MixedFamilies":          "it is about one family over the other",
	"TestBehaviour06BehindARouter":          nat,
	"TestBehaviour12MakeUninstall":          "it makes no network",
	"TestBehaviour58KernelOnly":             "it makes no tunnel, but a binary",
	"TestBehaviour63And76PortAlone":         nat,
	"TestBehaviour77CandidatesInTurn":       "in IPv6 two machines behind routers find each other at once",
	"TestBehaviour82NestedNAT":              nat,
	"TestBehaviour87IPv6Candidates":         "it is about a choice between the two",
	"TestBehaviour118And121Curl":            "the page's examples are of IPv4",
	"TestBehaviour130ReversePath":           "the kernel has no such check for IPv6",
	"TestCoordinatorBehindNAT":              nat,
	"TestFullCone":                          nat,
	"TestHostileInvitee":                    hostile,
	"TestHostilePeer":                       hostile,
	"TestOneSymmetricNAT":                   nat,
	"TestBehaviour16And41And71And129Readme": "its examples are of IPv4",
	"TestRouterWithNewAddress":              "in IPv6 a router's address is not that of the machines behind it",
	"TestSymmetricNAT":                      nat,
	"TestEveryScenarioNamesItsFamilies":     "it is about the scenarios",
	"TestMain":                              "it runs the others",
}

// Reasons of several.
const (
	hostile = "the API is inside the tunnel, and its attackers keep a processor busy for a minute"
	nat     = "IPv6 has no NATs"
)

// TestEveryScenarioNamesItsFamilies: a new scenario runs in both, or is in
// oneFamily.
func TestEveryScenarioNamesItsFamilies(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no source here: %v", err)
	}
	reasons := maps.Clone(oneFamily)
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") {
				continue
			}
			name := f.Name.Name
			if both, one := callsFamilies(f.Body), reasons[name] != ""; both == one {
				t.Errorf("%s: %s runs in both families: %t, and oneFamily has a reason why not: %t", file, name, both, one)
			}
			delete(reasons, name)
		}
	}
	for name := range reasons {
		t.Errorf("oneFamily has %s, which is no test", name)
	}
}

// callsFamilies tells whether a function's first statement is families or
// familiesInTurn.
func callsFamilies(body *ast.BlockStmt) bool {
	if len(body.List) == 0 {
		return false
	}
	statement, ok := body.List[0].(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := statement.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	f, ok := call.Fun.(*ast.Ident)
	return ok && (f.Name == "families" || f.Name == "familiesInTurn")
}
