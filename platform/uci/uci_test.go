package uci_test

import (
	"fmt"
	"strings"
	"testing"

	"ginnel/platform/uci"
)

// meaning prints what a file means, one line for each option.
func meaning(f *uci.File) string {
	var b strings.Builder
	for _, s := range f.Sections() {
		fmt.Fprintf(&b, "%s %q\n", s.Type, s.Name)
		for _, o := range s.Options {
			kind := "option"
			if o.List {
				kind = "list"
			}
			fmt.Fprintf(&b, "  %s %s %q\n", kind, o.Name, o.Values)
		}
	}
	return b.String()
}

func parse(t *testing.T, text string) *uci.File {
	t.Helper()
	f, err := uci.Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestValue has the truth table of how uci(1) reads a value.
func TestValue(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unquoted", `abc`, "abc"},
		{"single quotes", `'a b'`, "a b"},
		{"double quotes", `"a b"`, "a b"},
		{"parts join", `'a'"b"c`, "abc"},
		{"quotes as uci writes them", `'it'\''s'`, "it's"},
		{"backslash in single quotes", `'c:\'`, `c:\`},
		{"two backslashes in single quotes", `'\\x\n'`, `\\x\n`},
		{"escape in double quotes", `"a\"b\n\\"`, `a"bn\`},
		{"escape without quotes", `a\ b\#c\\`, `a b#c\`},
		{"escaped quote", `\'a\"`, `'a"`},
		{"single in double", `"it's"`, "it's"},
		{"double in single", `'say "x"'`, `say "x"`},
		{"lines in single quotes", "'a\nb\n'", "a\nb\n"},
		{"lines in double quotes", "\"a\nb\"", "a\nb"},
		{"escaped end of line", "a\\\nb", "ab"},
		{"escaped end of line before it", "\\\n'b'", "b"},
		{"escaped CRLF", "a\\\r\nb", "ab"},
		{"escaped end of line in double quotes", "\"a\\\nb\"", "ab"},
		{"comment", `a # b`, "a"},
		{"comment within a word", `p#q`, "p"},
		{"comment after quotes", `'p'#q`, "p"},
		{"# in quotes", `'p#q'`, "p#q"},
		{"; in quotes", `'p;q'`, "p;q"},
		{"tabs around", "\t'a'\t", "a"},
		{"not ASCII", `'grüß'`, "grüß"},
		{"tab and CRLF in quotes", "'a\tb\r\nc'", "a\tb\r\nc"},
	} {
		for _, end := range []string{"\n", "\r\n", ""} {
			f := parse(t, "config t n\n\toption k "+c.text+end)
			s, _ := f.Section("n")
			o, ok := s.Option("k")
			if !ok || o.List || len(o.Values) != 1 || o.Values[0] != c.want {
				t.Errorf("%s: %q is read as %+v, want %q", c.name, c.text, o, c.want)
			}
		}
	}
}

// TestMeaning has what statements mean together.
func TestMeaning(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"blank lines and comments", "\n \t\n# x\n  # 'y\n", ""},
		{"abbreviations", "p x\nc t n\no k v\nl m w\n", "t \"n\"\n  option k [\"v\"]\n  list m [\"w\"]\n"},
		{"package with a dash", "package a-b\nconfig c-d n\n", "c-d \"n\"\n"},
		{"anonymous sections differ", "config t\noption k 1\nconfig t ''\noption k 2\n", "t \"\"\n  option k [\"1\"]\nt \"\"\n  option k [\"2\"]\n"},
		{"a named section continues", "config t a\noption k 1\nconfig t b\nconfig t a\noption l 2\n", "t \"a\"\n  option k [\"1\"]\n  option l [\"2\"]\nt \"b\"\n"},
		{"the last option counts", "config t a\noption k 1\noption k 2\n", "t \"a\"\n  option k [\"2\"]\n"},
		{"empty is absent", "config t a\noption k ''\noption l\n", "t \"a\"\n"},
		{"empty takes nothing away", "config t a\noption k 1\noption k ''\nlist l 1\noption l\n", "t \"a\"\n  option k [\"1\"]\n  list l [\"1\"]\n"},
		{"list then option", "config t a\nlist k 1\nlist k 2\noption k 3\n", "t \"a\"\n  option k [\"3\"]\n"},
		{"option then list", "config t a\noption k 1\nlist k 2\n", "t \"a\"\n  list k [\"1\" \"2\"]\n"},
		{"package changes nothing", "config t a\npackage p\noption k 1\n", "t \"a\"\n  option k [\"1\"]\n"},
		{"quoted type and names", "config 't' \"a\"\noption 'k' 'v'\n", "t \"a\"\n  option k [\"v\"]\n"},
	} {
		if got := meaning(parse(t, c.text)); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// TestAddress asks for sections as uci(1) does: what counts is the place among
// all of the type, those with a name included.
func TestAddress(t *testing.T) {
	f := parse(t, "config t\noption k 0\nconfig t a\noption k 1\nconfig u\noption k u\nconfig t a\nconfig t\noption k 2\n")
	for _, c := range []struct{ address, value, is string }{
		{"@t[0]", "0", "@t[0]"}, {"@t[1]", "1", "a"}, {"a", "1", "a"}, {"@t[2]", "2", "@t[2]"}, {"@u[0]", "u", "@u[0]"},
		{"@t[-1]", "2", "@t[2]"}, {"@t[-3]", "0", "@t[0]"}, {"@u[-1]", "u", "@u[0]"},
		{"@t[3]", "", ""}, {"@t[-4]", "", ""}, {"@v[0]", "", ""}, {"@t[]", "", ""}, {"@t[x]", "", ""}, {"@t[0", "", ""}, {"t[0]", "", ""}, {"", "", ""},
	} {
		s, ok := f.Section(c.address)
		if !ok {
			s = &uci.Section{}
		}
		o, _ := s.Option("k")
		if ok != (c.is != "") || ok && (s.String() != c.is || o == nil || o.Values[0] != c.value) {
			t.Errorf("%s is %v (%v), want %q with %q", c.address, s, ok, c.is, c.value)
		}
	}
	if err := f.Set("@t[-1]", "k", "3"); err != nil {
		t.Fatal(err)
	}
	if s, _ := f.Section("@t[2]"); s.Options[0].Values[0] != "3" {
		t.Errorf("%s", f.Bytes())
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown statement", "config t a\n\nfoo bar\n", "f:3: \"foo\" is none of package, config, option, list"},
		{"quoted keyword", "'config' t\n", "f:1: \"'config'\" is none of"},
		{"escaped end of line before a keyword", "config t a\n \\\n option k v\n", "f:2: \"\\\\\" is none of"},
		{"escaped end of line between words", "config t a\noption k \\\n\t'v'\n", "f:2: there is a word too many"},
		{"escaped end of line before a name", "config t a\noption \\\n k v\n", "f:2: option needs a name"},
		{"escaped end of line after all words", "config t a\noption k v \\\n option l w\n", "f:2: there is a word too many"},
		{"carriage return after a keyword", "config\r t a\n", "f:1: \"config\\r\" is none of"},
		{"an empty word too many", "config t a\noption k v ''\n", "f:2: there is a word too many"},
		{"option first", "option k v\n", "f:1: option k comes before the first config"},
		{"list first", "package p\nlist k v\n", "f:2: list k comes before"},
		{"no type", "config\n", "f:1: config needs a type"},
		{"type with a blank", "config 'a b'\n", "f:1: config needs a type"},
		{"dash in a section's name", "config t a-b\n", "f:1: config needs a name of A-Z"},
		{"dash in an option's name", "config t a\n option a-b c\n", "f:2: option needs a name of A-Z"},
		{"no option's name", "config t a\n option\n", "f:2: option needs a name"},
		{"no package's name", "package\n", "f:1: package needs a name"},
		{"a word too many", "config t a b\n", "f:1: there is a word too many"},
		{"a value too many", "config t a\noption k b c\n", "f:2: there is a word too many"},
		{"control character", "config t a\noption k 'a\nb\x01'\n", "f:3: control character 0x01"},
		{"NUL", "config t a\noption k \x00\n", "f:2: control character 0x00"},
		{"escaped control character", "config t a\noption k \\\x1b\n", "f:2: control character 0x1b"},
		{"open single quote", "config t a\noption k 'b\n\n\n", "f:2: the ' that opens here is never closed"},
		{"open double quote", "config t a\noption k 'x\ny'\"b\n", "f:3: the \" that opens here is never closed"},
		{"nothing escaped", "config t a\noption k b\\", "f:2: nothing follows the \\"},
		{"semicolon", "config t a\noption k b;c\n", "f:2: a ; must be quoted"},
		{"other type", "config t a\nconfig u a\n", "f:2: section a is of type u, in line 1 it is of type t"},
	} {
		f, err := uci.Parse("f", []byte(c.text))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %s...", c.name, err, c.want)
		}
		if f != nil {
			t.Errorf("%s: a bad line must spoil the whole file", c.name)
		}
	}
}

func TestLines(t *testing.T) {
	f := parse(t, "# x\nconfig t a\n\toption k 'a\nb'\n\tlist l 1\nconfig t b\nconfig t a\n\tlist l 2\n\toption k 3\n")
	s, _ := f.Section("a")
	k, _ := s.Option("k")
	l, _ := s.Option("l")
	if got := fmt.Sprint(s.Lines, k.Lines, l.Lines); got != "[2 7] [3 9] [5 8]" {
		t.Errorf("lines %s", got)
	}
}

func TestParseKeepsNothingOfItsArgument(t *testing.T) {
	text := []byte("config t a\n")
	f, err := uci.Parse("f", text)
	if err != nil {
		t.Fatal(err)
	}
	clear(text)
	f.Bytes()[0] = 'x'
	if string(f.Bytes()) != "config t a\n" {
		t.Errorf("text is %q", f.Bytes())
	}
}
