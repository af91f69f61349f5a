package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// manualWriter builds what writes the manual and returns a way to run it.
func manualWriter(t *testing.T) (write func(dir, epoch string) (string, error)) {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "ginnel")
	if out, err := exec.Command("go", "build", "-tags", "man", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return func(dir, epoch string) (string, error) {
		cmd := exec.Command(bin, "man", dir, "../../docs/ginnel.conf.example")
		cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH="+epoch)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
}

// TestBehaviour66ManPages: every command has a page that tells all its options,
// nothing is wrong with the pages' language, and they are the same every time.
func TestBehaviour66ManPages(t *testing.T) {
	write := manualWriter(t)
	dir, again := t.TempDir(), t.TempDir()
	for _, d := range []string{dir, again} {
		if out, err := write(d, "1700000000"); err != nil || out != "" {
			t.Fatalf("%v: %s", err, out)
		}
	}
	want := []string{"ginnel.1", "ginnel.conf.5"}
	for i := range commands {
		if c := &commands[i]; !c.hidden {
			page := "ginnel-" + strings.ReplaceAll(c.name, " ", "-") + ".1"
			want = append(want, page)
			isWhole(t, c, filepath.Join(dir, page))
		}
	}
	slices.Sort(want)
	var got []string
	files, err := os.ReadDir(dir)
	must(t, err)
	for _, f := range files {
		got = append(got, f.Name())
		one, err := os.ReadFile(filepath.Join(dir, f.Name()))
		must(t, err)
		two, err := os.ReadFile(filepath.Join(again, f.Name()))
		must(t, err)
		if string(one) != string(two) || !strings.Contains(string(one), " 2023-11-14 ") {
			t.Errorf("%s depends on more than its source, or has another date", f.Name())
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("there are %q, want %q", got, want)
	}
}

// isWhole formats a command's page.
func isWhole(t *testing.T, c *command, path string) {
	t.Helper()
	lint, err := exec.Command("mandoc", "-T", "lint", "-W", "warning", path).CombinedOutput()
	if err != nil || len(lint) > 0 {
		t.Errorf("mandoc (`make tools` installs it): %v\n%s", err, lint)
	}
	text, err := exec.Command("mandoc", "-T", "ascii", "-O", "width=200", path).Output()
	must(t, err)
	plain := struck.Replace(string(text))
	o, _ := c.prepare()
	for _, opt := range o.all {
		if !strings.Contains(plain, opt.line()) {
			t.Errorf("%s does not tell of %s:\n%s", path, opt.line(), plain)
		}
	}
	if !strings.Contains(plain, strings.ReplaceAll(c.brief, "`", "")+".") {
		t.Errorf("%s does not say %q:\n%s", path, c.brief, plain)
	}
}

// struck takes out how teletypes print what is bold or italic.
var struck = func() *strings.Replacer {
	var pairs []string
	for c := byte('!'); c <= '~'; c++ {
		pairs = append(pairs, string([]byte{c, '\b', c}), string(c), string([]byte{'_', '\b', c}), string(c))
	}
	return strings.NewReplacer(append(pairs, " \b ", " ")...)
}()

func TestManualWantsADate(t *testing.T) {
	dir := t.TempDir()
	out, err := manualWriter(t)(dir, "")
	if files, _ := os.ReadDir(dir); err == nil || !strings.Contains(out, "SOURCE_DATE_EPOCH") || len(files) > 0 {
		t.Errorf("%v: %s, %d pages", err, out, len(files))
	}
}
