package uci_test

import (
	"errors"
	"slices"
	"testing"

	"ginnel/platform/uci"
)

const base = `# top
config t 'a'   # about a
  o k  "old"  # about k
	list l 'x'
	# inner
	list l y

# about b
config t b
	option k 1
# bottom
`

// TestEdit compares whole files: what is not concerned stays byte for byte.
func TestEdit(t *testing.T) {
	type edit = func(f *uci.File) error
	set := func(s, o, v string) edit { return func(f *uci.File) error { return f.Set(s, o, v) } }
	list := func(s, o string, v ...string) edit { return func(f *uci.File) error { return f.SetList(s, o, v) } }
	add := func(n string) edit { return func(f *uci.File) error { return f.AddSection("t", n) } }
	remove := func(n string) edit { return func(f *uci.File) error { return f.RemoveSection(n) } }
	for _, c := range []struct {
		name, text string
		edit       edit
		want       string
	}{
		{"same value", base, set("a", "k", "old"), base},
		{"value, as uci writes it", "c t a\no k x # y\n", set("a", "k", "it's"), "c t a\no k 'it'\\''s' # y\n"},
		{"first option", "config t a\n", set("a", "k", "v"), "config t a\n\toption k 'v'\n"},
		{"no last line end", "config t a\n  option j 1", set("a", "k", "v"), "config t a\n  option j 1\n  option k 'v'\n"},
		{"escaped last line end", "config t a\n  option j 1\\\n", set("a", "k", "v"), "config t a\n  option j 1\\\n\n  option k 'v'\n"},
		{"CRLF", "config t a\r\n", set("a", "k", "v"), "config t a\r\n\toption k 'v'\r\n"},
		{"before the next section", "config t a\n\n# b\nconfig t b\n", set("a", "k", "v"), "config t a\n\toption k 'v'\n\n# b\nconfig t b\n"},
		{"continued section", "config t a\nconfig t b\nconfig t a\n", set("a", "k", "v"), "config t a\nconfig t b\nconfig t a\n\toption k 'v'\n"},
		{"given twice", "config t a\n\toption k 1\n\toption j 2\n\toption k 3\n", set("a", "k", "v"), "config t a\n\toption j 2\n\toption k 'v'\n"},
		{"missing value", "config t a\n\toption k# x\n", set("a", "k", "v"), "config t a\n\toption k 'v'# x\n"},
		{"value over lines", "config t a\n\toption k 'x\ny'\n\toption j 1\n", set("a", "k", "v"), "config t a\n\toption k 'v'\n\toption j 1\n"},
		{"list becomes option", "config t a\n\tlist k 1\n\toption j 2\n\tlist k 3\n", set("a", "k", "v"), "config t a\n\toption k 'v'\n\toption j 2\n"},
		{"option becomes list", "config t a\n\toption k 1\n\toption j 2\n", list("a", "k", "v", "w"), "config t a\n\tlist k 'v'\n\tlist k 'w'\n\toption j 2\n"},
		{"list grows", "c t a\n l k 1\n\toption j 2\n", list("a", "k", "1", "v"), "c t a\n l k 1\n list k 'v'\n\toption j 2\n"},
		{"list shrinks", "c t a\n l k 1\n\tl k 2\n\toption j 2\n", list("a", "k", "2"), "c t a\n l k '2'\n\toption j 2\n"},
		{"list goes", "c t a\n l k 1\n\tl k 2\n\toption j 2\n", list("a", "k"), "c t a\n\toption j 2\n"},
		{"unset", "c t a\no k 1\no j 2\no k 3\n", set("a", "k", ""), "c t a\no j 2\n"},
		{"unset what is absent", base, set("a", "nothing", ""), base},
		{"section in an empty file", "", add("n"), "\nconfig t 'n'\n"},
		{"section at the end", "config t a\n", add("n"), "config t a\n\nconfig t 'n'\n"},
		{"section after a blank line", "config t a\n\n", add("n"), "config t a\n\nconfig t 'n'\n"},
		{"section after half a line", "# x", add("n"), "# x\n\nconfig t 'n'\n"},
		{"section after an escaped line end", "config t a\\\n", add("n"), "config t a\\\n\n\nconfig t 'n'\n"},
		{"section goes", "config t a\n\n# b\nconfig t b\n\toption k 1\n\t#x\n\toption l 1\n\t# y\n", remove("b"), "config t a\n\n# b\n\t# y\n"},
		{"section goes with its blank line", "config t a\n\nconfig t b\n\toption k 1\n\nconfig t c\n", remove("b"), "config t a\n\nconfig t c\n"},
		{"continued section goes", "config t a\nconfig t b\nconfig t a\n\toption k 1\n", remove("a"), "config t b\n"},
		{"section after a continued line goes", "config t a\\\n\nconfig t b\n", remove("b"), "config t a\\\n\n"},
	} {
		f := parse(t, c.text)
		if err := c.edit(f); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := string(f.Bytes()); got != c.want {
			t.Errorf("%s: got\n%q\nwant\n%q", c.name, got, c.want)
		}
	}
}

func TestRefusedEditChangesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(f *uci.File) error
		want error
	}{
		"set without a section":    {func(f *uci.File) error { return f.Set("z", "k", "v") }, uci.ErrNoSection},
		"set in anonymous":         {func(f *uci.File) error { return f.Set("", "k", "v") }, uci.ErrNoSection},
		"unset without a section":  {func(f *uci.File) error { return f.Unset("z", "k") }, uci.ErrNoSection},
		"remove without a section": {func(f *uci.File) error { return f.RemoveSection("z") }, uci.ErrNoSection},
		"add one that is there":    {func(f *uci.File) error { return f.AddSection("t", "a") }, uci.ErrSection},
		"add without a name":       {func(f *uci.File) error { return f.AddSection("t", "") }, nil},
		"add with a dash":          {func(f *uci.File) error { return f.AddSection("t", "a-b") }, nil},
		"add without a type":       {func(f *uci.File) error { return f.AddSection("", "n") }, nil},
		"add with a quote":         {func(f *uci.File) error { return f.AddSection("t'", "n") }, nil},
		"option with a dash":       {func(f *uci.File) error { return f.Set("a", "a-b", "v") }, nil},
		"control character":        {func(f *uci.File) error { return f.Set("a", "k", "\x01") }, nil},
		"NUL in a list":            {func(f *uci.File) error { return f.SetList("a", "k", []string{"v", "\x00"}) }, nil},
	} {
		f := parse(t, base)
		err := c.edit(f)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
		if string(f.Bytes()) != base {
			t.Errorf("%s: the text changed", name)
		}
	}
}

// FuzzParse: no text panics, and what Bytes returns is what was parsed.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := uci.Parse("f", text)
		if err != nil {
			return
		}
		again, err := uci.Parse("f", file.Bytes())
		if err != nil || !slices.Equal(file.Bytes(), text) || meaning(again) != meaning(file) {
			t.Fatalf("%q is not kept: %v", text, err)
		}
	})
}

func seed(f *testing.F) {
	for _, s := range []string{"", base, "c t a\\\n\nc t b\r\no k 'x\ny'\"\\\"z\"\\ w#v", "config t\noption k ''\nlist k\n", "package x\nconfig t a\nconfig t a\noption k v\\\n"} {
		f.Add([]byte(s))
	}
}
