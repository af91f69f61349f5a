package archtest

import "strings"

// demonstrations show each rule at work: want is a part of the one violation,
// empty for none.
var demonstrations = []struct {
	name  string
	check func(*source) []string
	path  string
	text  string
	want  string
}{
	{"upward", checkLayers, "key/a.go", "package a\nimport \"ginnel/wire\"\n", "key/a.go:2: key may not import wire"},
	{"sideways", checkLayers, "network/a.go", "package a\nimport \"ginnel/wire\"\n", "may not import wire"},
	{"role to role", checkLayers, "daemon/control/a.go", "package a\nimport x \"ginnel/coordinator/api\"\n", "may not import coordinator/api"},
	{"an implementation", checkLayers, "daemon/a.go", "package a\nimport \"ginnel/platform/link\"\n", "may not import platform/link"},
	{"a fake", checkLayers, "cmd/ginnel/a.go", "package main\nimport \"ginnel/platform/fake\"\n", "may not import platform/fake"},
	{"a test's tool", checkLayers, "coordinator/a.go", "package a\nimport \"ginnel/netlab\"\n", "may not import netlab"},
	{"downward", checkLayers, "daemon/core/a.go", "package a\nimport (\"ginnel/wire\"; \"os\")\n", ""},
	{"roles in tests", checkLayers, "daemon/a_test.go", "package a\nimport \"ginnel/coordinator\"\n", ""},
	{"no layer", checkLayers, "attic/a.go", "package a\n", "attic is in no layer"},

	{"bbolt elsewhere", checkForeign, "daemon/core/a.go", "package a\nimport \"go.etcd.io/bbolt\"\n", "may not import go.etcd.io/bbolt"},
	{"bbolt's own packages", checkForeign, "coordinator/a_test.go", "package a\nimport \"go.etcd.io/bbolt/errors\"\n", "may not import"},
	{"bbolt", checkForeign, "daemon/state/a.go", "package a\nimport \"go.etcd.io/bbolt\"\n", ""},
	{"unix above the platform", checkForeign, "daemon/local/a.go", "package a\nimport \"golang.org/x/sys/unix\"\n", "may not import golang.org/x/sys/unix"},
	{"unix below the platform", checkForeign, "platform/link/a.go", "package a\nimport \"golang.org/x/sys/unix\"\n", ""},
	{"a new module", checkForeign, "cmd/ginnel/a.go", "package a\nimport \"example.org/fine\"\n", "may not import example.org/fine"},

	{"os", checkPure, "key/a.go", "package a\nimport \"os\"\n", "may not import os"},
	{"below os", checkPure, "wire/a.go", "package a\nimport \"os/user\"\n", "may not import os/user"},
	{"net", checkPure, "network/a.go", "package a\nimport \"net\"\n", "may not import net"},
	{"net/netip", checkPure, "network/a.go", "package a\nimport \"net/netip\"\n", ""},
	{"net/url", checkPure, "platform/a.go", "package a\nimport \"net/url\"\n", "may not import net/url"},
	{"randomness", checkPure, "daemon/core/a.go", "package a\nimport \"math/rand/v2\"\n", "may not import math/rand/v2"},
	{"a lock", checkPure, "daemon/core/a.go", "package a\nimport \"sync\"\n", "may not import sync"},
	{"the clock", checkPure, "daemon/core/a.go", "package a\nimport \"time\"\nvar t = time.Now()\n", "a.go:3: daemon/core is pure: the time is a parameter, not time.Now"},
	{"the clock by another name", checkPure, "daemon/core/a.go", "package a\nimport c \"time\"\nvar t = c.Since\n", "not time.Since"},
	{"a duration", checkPure, "daemon/core/a.go", "package a\nimport \"time\"\nvar t = time.Second\n", ""},
	{"a goroutine", checkPure, "platform/uci/a.go", "package a\nfunc f() { go f() }\n", "no goroutines"},
	{"a channel", checkPure, "daemon/config/a.go", "package a\nvar c chan int\n", "no channels"},
	{"a receive", checkPure, "daemon/config/a.go", "package a\nvar c = <-d\n", "no channels"},
	{"a select", checkPure, "daemon/config/a.go", "package a\nfunc f() { select {} }\n", "no channels"},
	{"goroutines in tests", checkPure, "key/a_test.go", "package a\nimport \"os\"\nfunc f() { go f() }\n", ""},
	{"goroutines elsewhere", checkPure, "daemon/a.go", "package a\nimport \"os\"\nfunc f() { go f() }\n", ""},

	{"sleep", checkSleep, "daemon/a.go", "package a\nimport \"time\"\nfunc f() { time.Sleep(1) }\n", "a.go:3: wait for the condition"},
	{"sleep in a test", checkSleep, "netlab/a_test.go", "package a\nimport \"time\"\nvar f = time.Sleep\n", "wait for the condition"},
	{"sleep of something else", checkSleep, "netlab/a_test.go", "package a\nfunc f() { bed.Sleep(1) }\n", ""},

	{"cgo", checkImportForm, "key/a.go", "package a\nimport \"C\"\n", "no cgo"},
	{"an import without a name", checkImportForm, "key/a.go", "package a\nimport . \"time\"\n", "import time by name"},
	{"an import with another name", checkImportForm, "key/a.go", "package a\nimport c \"time\"\n", ""},
	{"util", checkPackageName, "key/util/a.go", "package util\n", "a package called util"},
	{"its test", checkPackageName, "key/util/a_test.go", "package util_test\n", "a package called util"},

	{"five methods", checkInterfaces, "key/a.go", "package a\ntype i interface { A(); B(); C(); D(); E() }\n", "of 5 methods"},
	{"five with an embedded one", checkInterfaces, "key/a.go", "package a\ntype i interface { error; B(); C(); D(); E() }\n", "of 5 methods"},
	{"an interface without a name", checkInterfaces, "key/a.go", "package a\nvar i interface { A(); B(); C(); D(); E() }\n", "of 5 methods"},
	{"four methods", checkInterfaces, "key/a.go", "package a\ntype i interface { A(); B(); C(); D() }\n", ""},

	{"400 lines", checkFileSize, "key/a.go", "package a\n" + strings.Repeat("\n", 399), ""},
	{"401 lines", checkFileSize, "key/a.go", "package a\n" + strings.Repeat("\n", 400), "401 lines"},
	{"60 lines", checkFunctions, "key/a.go", "package a\nfunc f() {" + strings.Repeat("\n", 60) + "}\n", ""},
	{"61 lines", checkFunctions, "key/a.go", "package a\nfunc f() {" + strings.Repeat("\n", 61) + "}\n", "f has 61 lines"},
	{"61 lines in a test", checkFunctions, "key/a_test.go", "package a\nfunc f() {" + strings.Repeat("\n", 61) + "}\n", "f has 61 lines"},
	{"a table", checkFunctions, "key/a.go", "package a\nfunc f() {\n_ = []int{" + strings.Repeat("\n1,", 80) + "}\n}\n", ""},

	{"a function", checkDoc, "key/a.go", "package a\n\nfunc F() {}\n", "F has no comment"},
	{"a function with a comment", checkDoc, "key/a.go", "package a\n\n// F does.\nfunc F() {}\n", ""},
	{"a method", checkDoc, "key/a.go", "package a\n\nfunc (*T[A]) F() {}\n", "F has no comment"},
	{"a method of a type that is not exported", checkDoc, "key/a.go", "package a\n\nfunc (t) F() {}\n", ""},
	{"a type", checkDoc, "key/a.go", "package a\n\ntype T int\n", "T has no comment"},
	{"a constant", checkDoc, "key/a.go", "package a\n\nconst (\n\tA = 1 // one\n\tB = 2\n)\n", "B has no comment"},
	{"a group", checkDoc, "key/a.go", "package a\n\n// The colours.\nconst (\n\tA = 1\n\tB = 2\n)\n", ""},
	{"a variable", checkDoc, "key/a.go", "package a\n\nvar A, b int\n", "A has no comment"},
	{"names in tests", checkDoc, "key/a_test.go", "package a\n\nvar A int\n", ""},

	{"not formatted", checkFormat, "key/a.go", "package a\nvar  a int\n", "run gofmt"},
	{"formatted", checkFormat, "key/a.go", "package a\n\nvar a int\n", ""},
}
