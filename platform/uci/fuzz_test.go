package uci_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"ginnel/platform/uci"
)

// FuzzEdit: what is set can be read back, nothing else changes its meaning,
// and every line that is not concerned survives.
func FuzzEdit(f *testing.F) {
	f.Add([]byte(base), "a", "it's", false)
	f.Add([]byte(base), "a", "x\ny", true)
	f.Add([]byte("config t a\\\n\nconfig t b"), "b", "v", false)
	f.Add([]byte("config t a\noption zz 1\nlist zz 2\noption zz"), "a", "", true)
	f.Add([]byte("#\\\n\\\n# x\n\tconfig t a\\"), "n", "v", true)
	f.Fuzz(func(t *testing.T, text []byte, section, value string, list bool) {
		file, err := uci.Parse("f", text)
		if err != nil {
			return
		}
		if err := file.AddSection("t", section); err != nil {
			if _, ok := file.Section(section); !ok {
				return
			}
		}
		checkSet(t, file, section, value, list)
		if err := file.RemoveSection(section); err != nil {
			t.Fatalf("remove: %v", err)
		}
		if _, ok := file.Section(section); ok {
			t.Fatal("the section is still there")
		}
	})
}

// checkSet sets option zz and looks at what else changed.
func checkSet(t *testing.T, file *uci.File, section, value string, list bool) {
	t.Helper()
	before, others := file.Bytes(), withoutOption(file, section)
	values, err := []string{value}, error(nil)
	if list {
		values = []string{value, "second"}
		err = file.SetList(section, "zz", values)
	} else {
		err = file.Set(section, "zz", value)
	}
	if err != nil {
		if strings.Contains(err.Error(), "control character") {
			return
		}
		t.Fatalf("set %q in %q: %v", value, before, err)
	}
	s, _ := file.Section(section)
	o, ok := s.Option("zz")
	if absent := !list && value == ""; absent == ok || ok && (!slices.Equal(o.Values, values) || o.List != list) {
		t.Fatalf("set %q, got %+v", values, o)
	}
	if got := withoutOption(file, section); got != others {
		t.Fatalf("others changed from\n%s\nto\n%s", others, got)
	}
	checkComments(t, before, file.Bytes())
}

// checkComments looks for lost comments, in texts where each line that begins
// with # is one.
func checkComments(t *testing.T, before, after []byte) {
	t.Helper()
	if bytes.ContainsAny(before, `'"\`) {
		return
	}
	for line := range bytes.Lines(before) {
		if comment := bytes.TrimSuffix(line, []byte("\n")); bytes.HasPrefix(line, []byte("#")) && !bytes.Contains(after, comment) {
			t.Fatalf("comment %q is lost", comment)
		}
	}
}

// withoutOption is the meaning of everything but option zz of the section.
func withoutOption(file *uci.File, section string) string {
	var b strings.Builder
	mine := false
	for line := range strings.Lines(meaning(file)) {
		if !strings.HasPrefix(line, "  ") {
			mine = strings.HasSuffix(line, " \""+section+"\"\n")
		}
		if !mine || !strings.HasPrefix(line, "  option zz ") && !strings.HasPrefix(line, "  list zz ") {
			b.WriteString(line)
		}
	}
	return b.String()
}
